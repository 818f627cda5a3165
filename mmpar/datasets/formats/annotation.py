"""The annotation of a split in columns: picture paths, labels, further values."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union

import numpy as np

from mmpar.datasets.formats.files import portable_path, shown
from mmpar.structures.attribute_schema import composed

UNKNOWN = -1
"""Label of an attribute that nobody has judged."""

UNKNOWN_PERSON = -1
"""``person_id`` of a picture of somebody whom nobody has named."""

_ROWS_AT_A_TIME = 65_536

Rows = Union[int, slice, Sequence[int], np.ndarray]


class PackedStrings:
    """Immutable list of strings in one buffer, so that workers share its memory.

    A Python list of strings is copied page by page into every forked worker, because
    reading an element writes its reference count. Two arrays are not.

    Args:
        buffer: All strings after one another as UTF-8, uint8.
        ends: Where each string ends in ``buffer``, int64, shape (N,).
    """

    def __init__(self, buffer: np.ndarray, ends: np.ndarray) -> None:
        self.buffer = buffer
        self.ends = ends

    @classmethod
    def pack(cls, strings: Iterable[str]) -> PackedStrings:
        """Pack an iterable, which is read once."""
        buffer = bytearray()
        ends = array("q")
        for string in strings:
            buffer += string.encode("utf-8", "surrogateescape")
            ends.append(len(buffer))
        return cls(np.array(buffer, np.uint8), np.array(ends, np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, index: int) -> str:
        end = int(self.ends[index])
        start = 0 if index in (0, -len(self)) else int(self.ends[index - 1])
        return self.buffer[start:end].tobytes().decode("utf-8", "surrogateescape")

    def __iter__(self) -> Iterator[str]:
        start = 0
        for end in self.ends.tolist():
            yield self.buffer[start:end].tobytes().decode("utf-8", "surrogateescape")
            start = end

    def take(self, rows: np.ndarray) -> PackedStrings:
        """The strings at ``rows`` (non-negative int64), in that order."""
        lengths = np.diff(self.ends, prepend=0)[rows]
        starts = self.ends[rows] - lengths
        ends = np.cumsum(lengths)
        buffer = np.empty(ends[-1] if len(ends) else 0, np.uint8)
        # In parts, as an index of every byte takes eight times the memory.
        for first in range(0, len(rows), _ROWS_AT_A_TIME):
            part = slice(first, first + _ROWS_AT_A_TIME)
            begin = ends[first] - lengths[first]
            shifts = starts[part] - (ends[part] - lengths[part])
            positions = np.arange(begin, ends[part][-1])
            positions += np.repeat(shifts, lengths[part])
            buffer[begin : ends[part][-1]] = self.buffer[positions]
        return PackedStrings(buffer, ends)


@dataclass(frozen=True)
class AnnotationTable:
    """What an annotation says about N samples, one row each.

    Ten million rows take the bytes of their paths plus one byte a label, in a few
    arrays that forked data loader workers share.

    Args:
        paths: Picture paths, relative to the picture folder unless absolute.
        labels: int8, shape (N, A): 1 present, 0 absent, -1 unknown.
        columns: Further values by name, each with N rows (person id, camera, ...); they
            become entries of the samples.

    Raises:
        ValueError: The columns disagree about N.
    """

    paths: PackedStrings
    labels: np.ndarray
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = {name: len(column) for name, column in self.columns.items()}
        counts.update(paths=len(self.paths), labels=len(self.labels))
        if len(set(counts.values())) > 1:
            raise ValueError(f"the columns of an annotation differ in length: {counts}")

    @classmethod
    def of(
        cls,
        paths: Iterable[str],
        labels: np.ndarray,
        columns: Mapping[str, np.ndarray] | None = None,
    ) -> AnnotationTable:
        """Make a table from plain paths and labels that have been checked."""
        labels = np.ascontiguousarray(labels, dtype=np.int8)
        return cls(PackedStrings.pack(paths), labels, dict(columns or {}))

    @classmethod
    def from_rows(
        cls, rows: Iterable[tuple[str, Sequence[int]]], num_attributes: int
    ) -> AnnotationTable:
        """Make a table from an iterable of (path, checked labels), read once."""
        labels = array("b")

        def paths() -> Iterator[str]:
            for path, row in rows:
                labels.extend(row)
                yield path

        packed = PackedStrings.pack(paths())
        return cls(packed, np.array(labels, np.int8).reshape(-1, num_attributes))

    def __len__(self) -> int:
        return len(self.paths)

    def with_column(self, name: str, values: np.ndarray) -> AnnotationTable:
        """This table with one more column, N rows."""
        return AnnotationTable(self.paths, self.labels, {**self.columns, name: values})

    def without_column(self, name: str) -> AnnotationTable:
        """This table with one column less."""
        columns = {key: column for key, column in self.columns.items() if key != name}
        return AnnotationTable(self.paths, self.labels, columns)

    def take(self, rows: Rows) -> AnnotationTable:
        """The table of some rows, copied.

        Args:
            rows: Row numbers (negative ones count from the end), a boolean per row, a
                slice; or one integer: the first ``rows`` samples, or the last
                ``-rows`` when negative, as MMEngine's ``indices``.

        Raises:
            ValueError: A row number past the end.
        """
        if isinstance(rows, (int, np.integer)):
            rows = slice(rows) if rows >= 0 else slice(int(rows), None)
        if not isinstance(rows, slice):
            rows = np.asarray(rows)
            rows = rows if rows.dtype == bool else rows.astype(np.int64)
        try:
            numbers = np.arange(len(self))[rows]
        except IndexError as error:
            raise ValueError(f"no such rows in {len(self)} samples: {error}") from None
        columns = {name: column[numbers] for name, column in self.columns.items()}
        return AnnotationTable(self.paths.take(numbers), self.labels[numbers], columns)


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
