"""MATLAB files of version 7.3, which are HDF5, in the nesting that SciPy gives."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from mmpar.datasets.formats.files import unreadable


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
    return values.astype(bool) if kind == "logical" else values


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
