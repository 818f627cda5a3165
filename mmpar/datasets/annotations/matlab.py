"""Fields and cell arrays of MATLAB files up to version 7."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.io

from mmpar.datasets.annotations.files import read_bytes


def read_mat(path: str) -> dict[str, Any]:
    """All fields of a ``.mat`` file as SciPy gives them.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is truncated, no MATLAB file, or of version 7.3.
    """
    content = read_bytes(path)
    try:
        fields = scipy.io.loadmat(io.BytesIO(content))
    except NotImplementedError as error:
        raise ValueError(
            f"{path} is a MATLAB 7.3 (HDF5) file; save it in MATLAB with "
            "save(..., '-v7')"
        ) from error
    except Exception as error:  # SciPy raises a dozen types on broken bytes
        raise ValueError(
            f"{path} ({len(content)} bytes) is not a whole MATLAB file: {error}; "
            "copy or download it again"
        ) from error
    return {name: value for name, value in fields.items() if name[:2] != "__"}


def field(fields: Mapping[str, Any], name: str, path: str) -> np.ndarray:
    """One field of :func:`read_mat`; ``ValueError`` lists what is there instead."""
    if name not in fields:
        raise ValueError(f"{path} has no field {name!r}; it has {sorted(fields)}")
    return fields[name]


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
