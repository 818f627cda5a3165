"""What written labels mean, and errors that name file, row and attribute."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Union

import numpy as np

from mmpar.datasets.formats.files import shown
from mmpar.datasets.formats.table import UNKNOWN

Written = Union[float, str]
"""A number as such, so that 1, '1' and '1.0' are one; any other word as it is."""
LabelMap = Mapping[Written, int]

WRITTEN: LabelMap = {1.0: 1, 0.0: 0, -1.0: UNKNOWN, "?": UNKNOWN, "": UNKNOWN}
"""How labels are written unless a data set says otherwise."""

_TRUTH = {1.0: ("true", "True", "TRUE"), 0.0: ("false", "False", "FALSE")}
"""As JSON, pandas and spreadsheets write them."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")


def as_written(found: Any) -> Written:
    """One form for all ways to write a label: 1, '1', ' 1.0' and True; None is ''."""
    if isinstance(found, (bool, int, float, np.number)):
        return float(found)
    word = "" if found is None else str(found).strip()
    return float(word) if _NUMBER.fullmatch(word) else word


def checked_label_map(given: Mapping[Any, Any] | None) -> dict[Written, int]:
    """The argument ``label_map`` of a data set, its keys in one form.

    Args:
        given: Written label to 1 (present), 0 (absent) or -1 (unknown). Keys are
            numbers, words, or numbers as words, as ``--cfg-options`` gives them; None
            is an empty cell, or null in JSON.

    Raises:
        ValueError: A label is none of the three, or a key stands twice with
            different labels.
    """
    result: dict[Written, int] = {}
    for key, value in (given or {}).items():
        written = as_written(key)
        label = as_written(value)
        if label not in (1.0, 0.0, -1.0):
            raise ValueError(
                f"label_map gives {key!r} the label {value!r}; expected 1 (present), "
                "0 (absent) or -1 (unknown)"
            )
        if result.setdefault(written, int(label)) != label:
            raise ValueError(
                f"label_map has {key!r} twice, with different labels: {given}"
            )
    return result


def label_codes(label_map: LabelMap | None = None) -> dict[Any, int]:
    """What a word of a text, or a value of JSON, means as a label.

    Args:
        label_map: What means something else than in ``WRITTEN``, or is new.

    Returns:
        Numbers, words and None to labels; ``1`` also as ``'1'``, ``'+1'`` and, as
        pandas writes it beside missing values, ``'1.0'``, and as ``'True'``.
    """
    codes: dict[Any, int] = {}
    for written, label in {**WRITTEN, **(label_map or {})}.items():
        codes[written] = label
        if isinstance(written, float):
            words = (f"{written:g}", f"{written:+g}", str(written))
            for word in (*words, *_TRUTH.get(written, ())):
                codes[word] = label
        elif written == "":
            codes[None] = label
    return codes


def wrong_label(where: str, name: str, found: object, remedy: str = "") -> ValueError:
    """The error of a label that is none."""
    label = shown(found)
    return ValueError(
        f"{where}: attribute {name!r} has the label {label}; expected 1 (present), "
        "0 (absent) or unknown (-1 or ?, in .csv also empty, in .json also null). "
        f"{remedy}Other codings are read with label_map={{{label}: ...}}"
    )


def checked_labels(
    values: np.ndarray,
    names: Sequence[str],
    source: str,
    rows: Sequence[str] | None = None,
    label_map: LabelMap | None = None,
) -> np.ndarray:
    """Turn a raw matrix into labels.

    Args:
        values: Numbers, shape (N, A).
        names: The A attribute names.
        source: The file, and the field inside it, for errors.
        rows: What a person calls each row, for errors, e.g. picture names.
        label_map: As in :func:`label_codes`; words in it have no effect.

    Returns:
        int8, shape (N, A): 1 present, 0 absent, -1 unknown.

    Raises:
        ValueError: Another shape, or a value that is no label.
    """
    values = np.asarray(values)
    if values.ndim != 2 or values.shape[1] != len(names):
        raise ValueError(
            f"{source}: labels have the shape {values.shape}, expected (rows, "
            f"{len(names)}), one column for each of {list(names)}"
        )
    labels = np.zeros(values.shape, np.int8)
    wrong = np.ones(values.shape, bool)
    for written, label in {**WRITTEN, **(label_map or {})}.items():
        if isinstance(written, float):
            here = np.isin(values, [written])
            labels[here] = label
            wrong &= ~here
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        called = f" ({rows[row]})" if rows is not None else ""
        raise ValueError(
            f"{source}: row {row + 1}{called}, attribute {names[column]!r} has the "
            f"label {values[row, column]}; expected 1 (present), 0 (absent) or -1 "
            f"(unknown). {int(wrong.sum())} labels of this file are like that; other "
            "codings are read with label_map"
        )
    return labels
