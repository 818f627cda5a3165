"""Fields, cell arrays and structs of MATLAB files."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import scipy.io

from mmpar.datasets.formats.annotation import checked_rows
from mmpar.datasets.formats.files import read_bytes, unreadable
from mmpar.utils.read_apart import read_apart

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
            :func:`~mmpar.utils.read_apart.read_apart`.
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
        ValueError: It is not a struct, or an array of several.
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


def read_mat73(content: bytes, path: str) -> dict[str, Any]:
    """All fields of a ``.mat`` file of version 7.3, as ``scipy.io.loadmat`` would.

    Cell arrays and structs become object arrays, also (1, 1) ones; MATLAB stores its
    columns first, so every array is transposed.

    Raises:
        ValueError: h5py is not installed, or the file is truncated or no such file.
    """
    try:
        import h5py
    except ImportError as error:
        raise ValueError(
            f"{path} is a MATLAB 7.3 (HDF5) file; to read it, pip install h5py, or "
            "save it in MATLAB with save(..., '-v7')"
        ) from error
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            return {n: _value(file[n], file) for n in file if not n.startswith("#")}
    except MemoryError:
        raise
    except Exception as error:  # h5py raises a dozen types on broken bytes
        raise unreadable(path, content, "MATLAB file", error) from error


def _value(node: Any, file: Any) -> np.ndarray:
    import h5py

    if isinstance(node, h5py.Group):
        return _struct(node, file)
    kind = node.attrs.get("MATLAB_class", "")
    kind = kind.decode() if isinstance(kind, bytes) else kind
    if "MATLAB_empty" in node.attrs:
        return np.empty(tuple(int(n) for n in node[()]), object)
    values = node[()].T
    if kind == "char":
        return np.array(["".join(map(chr, row)) for row in values.tolist()])
    if kind == "cell":
        return _dereferenced(values, file)
    return values


def _dereferenced(references: np.ndarray, file: Any) -> np.ndarray:
    cells = np.empty(references.shape, object)
    for index in np.ndindex(references.shape):
        cells[index] = _value(file[references[index]], file)
    return cells


def _struct(group: Any, file: Any) -> np.ndarray:
    """A struct of one element, or a struct array, whose members are references."""
    import h5py

    members = {}
    shape = (1, 1)
    for name in _field_names(group):
        node = group[name]
        is_reference = isinstance(node, h5py.Dataset) and node.dtype == h5py.ref_dtype
        if is_reference and "MATLAB_class" not in node.attrs:
            members[name] = _dereferenced(node[()].T, file)
            shape = members[name].shape
        else:
            members[name] = _value(node, file)
    struct = np.empty(shape, [(name, object) for name in members])
    for name, value in members.items():
        if struct.size > 1:
            struct[name] = value
        else:
            struct[name][0, 0] = value
    return struct


def _field_names(group: Any) -> list[str]:
    """In the order of MATLAB, which HDF5 itself does not keep."""
    order = group.attrs.get("MATLAB_fields")
    if order is None:
        return list(group)
    return [b"".join(name).decode() for name in order]


def read_partitions(
    cells: np.ndarray, fields: tuple[str, ...], count: int, source: str
) -> dict[str, dict[int, np.ndarray]]:
    """Cells of structs of image numbers from 1: field to the rows of each partition."""
    partitions: dict[str, dict[int, np.ndarray]] = {name: {} for name in fields}
    for i, cell in enumerate(np.asarray(cells).ravel(order="F")):
        where = f"{source}{{{i + 1}}}"
        found = struct(cell, where)
        for name in fields:
            numbers = field(found, name, where)
            rows = checked_rows(numbers, count, f"{where}.{name}", first=1)
            partitions[name][i] = rows
    return partitions
