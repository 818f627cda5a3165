"""NumPy's files, of whose headers nothing is believed: ``.npy`` mapped, ``.npz`` read.

NumPy itself raises a dozen types on broken bytes, makes an array as large as a header
says before it reads one number, and unpacks a few kilobytes to gigabytes.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.lib import format as npy

from mmpar.utils.bounded_file import opened_zip
from mmpar.utils.file_kinds import describe_unreadable_file

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_KINDS = "biufU"
"""Numbers and text, as ``numpy.dtype.kind`` names them."""


def map_array(
    file: str | Path, remedy: str, mode: Literal["r", "r+"] = "r"
) -> np.memmap:
    """An array in a local ``.npy`` file, mapped.

    Args:
        file: Which must exist.
        remedy: The end of the error, what to do.
        mode: ``"r"`` to read, ``"r+"`` to write, too.

    Raises:
        ValueError: It is no such file, is truncated, or holds objects.
    """
    try:
        mapped = np.load(file, mmap_mode=mode, allow_pickle=False)
    except Exception as error:  # NumPy raises a dozen types on broken bytes
        found = describe_unreadable_file(str(file)) or "cannot be read"
        raise ValueError(
            f"{file} {found}, not a whole NumPy array: {error}; {remedy}"
        ) from error
    if not isinstance(mapped, np.memmap):
        raise ValueError(f"{file} is an archive, not a NumPy array; {remedy}")
    return mapped


def read_arrays(
    file: str | Path, names: Sequence[str], remedy: str
) -> list[np.ndarray]:
    """Arrays of a local ``.npz`` file, as :func:`numpy.savez` writes it: not packed.

    Args:
        file: Which must exist.
        names: Of the arrays, which hold numbers or text.
        remedy: The end of the error, what to do.

    Raises:
        ValueError: It is no such file, is damaged, or lacks one of them.
    """
    try:
        with opened_zip(str(file)) as archive:
            return [_read_member(archive, f"{name}.npy") for name in names]
    except Exception as error:  # of a dozen types, as above
        raise ValueError(
            f"{file} is not an archive of the arrays {list(names)}: {error}; {remedy}"
        ) from error


def _read_member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} in it is packed, as numpy.savez does not do")
    content = archive.read(name)  # bounded by the size of the file
    stream = io.BytesIO(content)
    version = npy.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"{name} in it has the version {version} of NumPy's format")
    shape, in_columns, dtype = _HEADERS[version](stream)
    if dtype.kind not in _KINDS:
        raise ValueError(f"{name} in it holds {dtype}, expected numbers or text")
    if min(shape, default=0) < 0:
        raise ValueError(f"{name} in it has the shape {shape}")
    values = np.frombuffer(content, dtype, math.prod(shape), stream.tell())
    values.tolist()  # which says so if a text is not Unicode
    return values.reshape(shape, order="F" if in_columns else "C")
