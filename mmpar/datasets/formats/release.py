"""What a release says, before a split and its attributes are chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mmpar.datasets.formats.files import portable_path
from mmpar.datasets.formats.labels import LabelMap, checked_labels
from mmpar.datasets.formats.table import AnnotationTable
from mmpar.structures.attribute_schema import composed


@dataclass(frozen=True)
class Release:
    """Everything a release says about N pictures and A attributes.

    Args:
        source: The file, for errors.
        attributes: The A names, in the order of the release.
        images: The N picture paths.
        labels: Numbers as released, shape (N, A).
        partitions: Split to the rows, from 0, of each of its random partitions.
        columns: Further values by name, N each.
        coding: What values other than 1, 0 and -1 mean in this format.

    Raises:
        ValueError: The parts disagree about N or A.
    """

    source: str
    attributes: Sequence[str]
    images: Sequence[str]
    labels: np.ndarray
    partitions: Mapping[str, Sequence[np.ndarray]]
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    coding: LabelMap = field(default_factory=dict)

    def __post_init__(self) -> None:
        expected = (len(self.images), len(self.attributes))
        if np.shape(self.labels) != expected:
            raise ValueError(
                f"{self.source}: labels have the shape {np.shape(self.labels)}, "
                f"expected {expected}: one row for each picture and one column for "
                "each attribute"
            )

    def rows(
        self,
        split: str,
        partition: int,
        trainval: Sequence[str] = ("train", "val"),
    ) -> np.ndarray:
        """Rows of a split; ``'trainval'`` is ``trainval``, where it is not given.

        Raises:
            ValueError: There is no such split, or no such partition of it.
        """
        if split not in self.partitions and split == "trainval":
            parts = [self.rows(part, partition) for part in trainval]
            return np.concatenate(parts)
        if split not in self.partitions:
            raise ValueError(
                f"{self.source} has the splits {sorted(self.partitions)}, "
                f"got split={split!r}"
            )
        choices = self.partitions[split]
        if not 0 <= partition < len(choices):
            raise ValueError(
                f"{self.source} has {len(choices)} partitions of {split!r}, numbered "
                f"from 0; got partition={partition}"
            )
        return choices[partition]

    def table(
        self,
        names: Sequence[str],
        rows: np.ndarray,
        label_map: LabelMap | None = None,
    ) -> AnnotationTable:
        """The annotation of some rows and attributes.

        Args:
            names: Attributes, in the order wanted.
            rows: Row numbers.
            label_map: Released value to label, as of :func:`checked_label_map`.

        Raises:
            ValueError: An attribute is not in the release, or a label is none.
        """
        images = [self.images[int(row)] for row in rows]
        labels = self.labels[rows][:, self.positions(names)]
        coding = {**self.coding, **(label_map or {})}
        labels = checked_labels(labels, names, f"{self.source}, labels", images, coding)
        columns = {name: column[rows] for name, column in self.columns.items()}
        return AnnotationTable.of(map(portable_path, images), labels, columns)

    def positions(self, names: Sequence[str]) -> list[int]:
        """Columns of some attributes."""
        place = {composed(name): i for i, name in enumerate(self.attributes)}
        missing = [name for name in names if name not in place]
        if missing:
            raise ValueError(
                f"{self.source} lacks the attributes {missing}; it has "
                f"{list(self.attributes)}"
            )
        return [place[name] for name in names]


def as_array(values: Any, source: str) -> np.ndarray:
    """Nested lists as an array.

    Raises:
        ValueError: The lists of one level differ in length.
    """
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{source}: the lists in it differ in length: {error}"
        ) from error


def checked_rows(values: Any, count: int, source: str, first: int) -> np.ndarray:
    """Row numbers from 0, of any shape, made flat.

    Args:
        values: Numbers as released.
        count: How many rows there are.
        source: The file and field, for errors.
        first: Number of the first row: 1 in MATLAB, 0 in Python.

    Raises:
        ValueError: Not whole numbers, or outside the rows.
    """
    if isinstance(values, range) and len(values) > count:
        raise ValueError(f"{source}: {len(values)} rows are listed, there are {count}")
    rows = as_array(values, source).ravel()
    if rows.dtype.kind not in "iu":
        if rows.dtype.kind not in "fO" or not _are_whole(rows):
            raise ValueError(f"{source}: expected row numbers, got {rows[:3]!r}")
        rows = rows.astype(np.int64)
    rows = rows.astype(np.int64) - first
    outside = (rows < 0) | (rows >= count)
    if outside.any():
        position = int(np.flatnonzero(outside)[0])
        raise ValueError(
            f"{source}: entry {position + 1} is the row {int(rows[position]) + first}; "
            f"there are {count} rows, numbered from {first} to {count - 1 + first}"
        )
    return rows


def _are_whole(values: np.ndarray) -> bool:
    try:
        return bool((values.astype(np.float64) % 1 == 0).all())
    except (TypeError, ValueError):
        return False
