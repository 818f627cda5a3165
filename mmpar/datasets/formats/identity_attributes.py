"""``market_attribute.mat`` and ``duke_attribute.mat``: attributes of identities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mmpar.datasets.formats import matlab
from mmpar.datasets.formats.labels import LabelMap
from mmpar.datasets.formats.table import UNKNOWN

_CODING: LabelMap = {0.0: UNKNOWN, 1.0: 0, 2.0: 1}


class IdentityAttributes(NamedTuple):
    """Labels of I identities."""

    identities: list[str]
    """As in the picture names, e.g. ``'0002'``."""
    labels: np.ndarray
    """int8, shape (I, A)."""


def read_identity_attributes(
    path: str,
    variable: str,
    part: str,
    names: Sequence[str],
    multi_class: Mapping[str, Sequence[str]] | None = None,
    label_map: LabelMap | None = None,
) -> IdentityAttributes:
    """Read the labels of ``'train'`` or ``'test'``.

    The file is a struct of the structs ``train`` and ``test``, each with one 1 x I row
    a field and the identities as ``image_index``. The two name their fields in
    different orders, so fields are taken by name. A value is 1 (no) or 2 (yes); 0,
    which stands once in Duke's ``top``, is unknown. A multi-class field counts its
    classes from 1.

    Args:
        path: The ``.mat`` file.
        variable: Name of the outer struct.
        part: ``'train'`` or ``'test'``.
        names: The columns wanted.
        multi_class: Field to the names of the columns that its classes become.
        label_map: What means something else in the other fields.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A field is missing or is not as the release has it.
    """
    fields = matlab.read_mat(path)
    both = matlab.struct(matlab.field(fields, variable, path), f"{path}, {variable}")
    where = f"{path}, {variable}.{part}"
    struct = matlab.struct(matlab.field(both, part, f"{path}, {variable}"), where)
    index = matlab.field(struct, "image_index", where)
    identities = matlab.strings(index, f"{where}.image_index")
    columns: dict[str, np.ndarray] = {}
    coding = {
        value: label
        for value, label in {**_CODING, **(label_map or {})}.items()
        if isinstance(value, float)
    }
    for name, classes in (multi_class or {}).items():
        values = _row(struct, name, where, len(identities))
        _check(values, range(1, len(classes) + 1), name, where, identities)
        columns.update({c: values == i for i, c in enumerate(classes, start=1)})
    for name in names:
        if name not in columns:
            values = _row(struct, name, where, len(identities))
            _check(values, coding, name, where, identities)
            columns[name] = np.vectorize(coding.get)(values)
    labels = np.stack([columns[name] for name in names], axis=1).astype(np.int8)
    return IdentityAttributes(identities, labels)


def _row(struct: dict, name: str, where: str, count: int) -> np.ndarray:
    values = np.asarray(matlab.field(struct, name, where)).ravel()
    if len(values) != count:
        raise ValueError(
            f"{where}.{name} has {len(values)} values and image_index {count}; they "
            "should agree"
        )
    return values


def _check(
    values: np.ndarray,
    allowed: Mapping | range,
    name: str,
    where: str,
    identities: Sequence[str],
) -> None:
    wrong = np.flatnonzero(~np.isin(values, list(allowed)))
    if len(wrong):
        raise ValueError(
            f"{where}.{name}: identity {identities[wrong[0]]} has the value "
            f"{values[wrong[0]]}; expected one of {list(allowed)}"
        )
