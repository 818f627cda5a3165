"""Fields, cell arrays and structs of MATLAB files."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import scipy.io

from mmpar.datasets.formats.files import read_bytes, unreadable
from mmpar.datasets.formats.matlab73 import read_mat73
from mmpar.datasets.formats.read_apart import read_apart

_WHOSE = {
    "peta": "PETA's PETA.mat",
    "RAP_annotation": "RAP's RAP_annotation.mat",
    "attributes": "PA-100K's annotation.mat",
    "market_attribute": "Market-1501's market_attribute.mat",
    "duke_attribute": "DukeMTMC's duke_attribute.mat",
}
"""Field that only one release has, to whose file it is."""


def read_mat(path: str) -> dict[str, Any]:
    """All fields of a ``.mat`` file as SciPy gives them.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is truncated or no MATLAB file, or of version 7.3 while h5py is
            not installed, or its reader crashed or was stopped, see
            :func:`~mmpar.datasets.formats.read_apart.read_apart`.
    """
    return read_apart(partial(_fields, path=path), read_bytes(path), path)


def _fields(content: bytes, path: str) -> dict[str, Any]:
    try:
        fields = scipy.io.loadmat(io.BytesIO(content))
    except NotImplementedError:
        return read_mat73(content, path)
    except MemoryError:
        raise
    except Exception as error:  # SciPy raises a dozen types on broken bytes
        raise unreadable(path, content, "MATLAB file", error) from error
    return {name: value for name, value in fields.items() if name[:2] != "__"}


def field(fields: Mapping[str, Any], name: str, path: str) -> np.ndarray:
    """One field of :func:`read_mat`; ``ValueError`` lists what is there instead."""
    if name not in fields:
        hints = [f"; is it {whose}?" for one, whose in _WHOSE.items() if one in fields]
        raise ValueError(
            f"{path} has no field {name!r}; it has {sorted(fields)}{''.join(hints)}"
        )
    return fields[name]


def struct(value: Any, source: str) -> dict[str, Any]:
    """The fields, in their order, of a struct, however deeply it is nested in cells.

    Raises:
        ValueError: It is no struct, or an array of several.
    """
    while isinstance(value, np.ndarray) and value.size == 1 and not value.dtype.names:
        value = value.ravel()[0]
    names = getattr(getattr(value, "dtype", None), "names", None)
    if not names or np.size(value) != 1:
        kind = getattr(value, "shape", type(value).__name__)
        raise ValueError(f"{source}: expected one struct, got {kind}")
    element = np.asarray(value).ravel()[0]
    return {name: element[name] for name in names}


def strings(cells: np.ndarray, source: str) -> list[str]:
    """Flatten a cell array of strings, however deeply each is nested.

    Args:
        cells: Cell array, shape (N, 1) or (1, N), of strings or of cells of one string.
        source: The file and field, for errors.

    Returns:
        N strings without surrounding blanks.

    Raises:
        ValueError: A cell holds no string, or several.
    """
    # MATLAB counts down the columns first.
    flat = np.asarray(cells).ravel(order="F")
    return [_string(cell, source, i + 1) for i, cell in enumerate(flat)]


def _string(cell: Any, source: str, number: int) -> str:
    value = cell
    while isinstance(value, np.ndarray) and value.size == 1:
        value = value.ravel()[0]
    if not isinstance(value, str):
        raise ValueError(f"{source}: cell {number} is not one string but {cell!r}")
    return value.strip()
