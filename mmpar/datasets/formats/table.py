"""The annotation of a split in columns: picture paths, labels, further values."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Union

import numpy as np

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
