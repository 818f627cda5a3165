"""PA-100K's own ``annotation.mat``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mmpar.datasets.formats import matlab
from mmpar.datasets.formats.labels import LabelMap, checked_labels


class PA100KAnnotation(NamedTuple):
    """What the release says about N pictures."""

    attributes: list[str]
    images: list[str]
    labels: np.ndarray
    """int8, shape (N, A)."""


def parts_of(path: str) -> list[str]:
    """Which of the parts ``'train'``, ``'val'``, ``'test'`` a file has."""
    fields = matlab.read_mat(path)
    return [part for part in ("train", "val", "test") if f"{part}_label" in fields]


def read_pa100k(
    path: str, parts: Sequence[str], label_map: LabelMap | None = None
) -> PA100KAnnotation:
    """Read some of the parts ``'train'``, ``'val'``, ``'test'``, one after another.

    The fields are ``attributes``, and for each part ``{part}_images_name`` (N x 1 cells
    of cells) and ``{part}_label`` (N x 26).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A field is missing or is not as the release has it.
    """
    fields = matlab.read_mat(path)
    cells = matlab.field(fields, "attributes", path)
    attributes = matlab.strings(cells, f"{path}, attributes")
    images: list[str] = []
    labels = []
    for part in parts:
        names, rows = _read_part(fields, part, path, attributes, label_map)
        images += names
        labels.append(rows)
    return PA100KAnnotation(attributes, images, np.concatenate(labels))


def _read_part(
    fields: Mapping[str, Any],
    part: str,
    path: str,
    attributes: Sequence[str],
    label_map: LabelMap | None,
) -> tuple[list[str], np.ndarray]:
    name_field, label_field = f"{part}_images_name", f"{part}_label"
    cells = matlab.field(fields, name_field, path)
    images = matlab.strings(cells, f"{path}, {name_field}")
    labels = matlab.field(fields, label_field, path)
    if len(images) != len(labels):
        raise ValueError(
            f"{path}: {name_field} has {len(images)} pictures and {label_field} has "
            f"{len(labels)} rows; they should agree"
        )
    where = f"{path}, {label_field}"
    return images, checked_labels(labels, attributes, where, images, label_map)
