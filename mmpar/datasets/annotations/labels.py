"""Checks of raw label matrices, with errors that name file, row and attribute."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmpar.datasets.annotations.table import UNKNOWN

_LABELS = (1, 0, UNKNOWN)


def checked_labels(
    values: np.ndarray,
    names: Sequence[str],
    source: str,
    rows: Sequence[str] | None = None,
) -> np.ndarray:
    """Turn a raw matrix into labels.

    Args:
        values: Numbers, shape (N, A).
        names: The A attribute names.
        source: The file, and the field inside it, for errors.
        rows: What a person calls each row, for errors, e.g. picture names.

    Returns:
        int8, shape (N, A): 1 present, 0 absent, -1 unknown.

    Raises:
        ValueError: Another shape, or a value outside {1, 0, -1}.
    """
    values = np.asarray(values)
    if values.ndim != 2 or values.shape[1] != len(names):
        raise ValueError(
            f"{source}: labels have the shape {values.shape}, expected (rows, "
            f"{len(names)}), one column for each of {list(names)}"
        )
    wrong = ~np.isin(values, _LABELS)
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        called = f" ({rows[row]})" if rows is not None else ""
        raise ValueError(
            f"{source}: row {row + 1}{called}, attribute {names[column]!r} has the "
            f"label {values[row, column]}; expected 1 (present), 0 (absent) or -1 "
            f"(unknown). {int(wrong.sum())} labels of this file are like that"
        )
    return values.astype(np.int8)
