"""The hub: every annotation file becomes an Annotation, which gives a split's table."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from logging import WARNING
from typing import Any, Union

import numpy as np
from mmengine.logging import print_log
from torchvision.datasets.folder import IMG_EXTENSIONS

from mmpar.datasets.formats.files import portable_path, shown
from mmpar.structures import AttributeSchema, build_schema
from mmpar.structures.attribute_schema import composed
from mmpar.structures.ontology import UNKNOWN

_ROWS_AT_A_TIME = 65_536

ANY = -1
"""Partition of a file that does not say which of several it holds."""

COLUMNS = ("split", "person_id", "camera", "domain", "partition")
"""Columns that are not attributes unless the schema has an attribute of that name."""

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
        buffer = np.empty(lengths.sum(), np.uint8)
        # In parts, as an index of every byte takes eight times the memory.
        for first in range(0, len(rows), _ROWS_AT_A_TIME):
            part = slice(first, first + _ROWS_AT_A_TIME)
            begin = ends[first] - lengths[first]
            shifts = starts[part] - (ends[part] - lengths[part])
            positions = np.arange(begin, ends[part][-1])
            positions += np.repeat(shifts, lengths[part])
            buffer[begin : ends[part][-1]] = self.buffer[positions]
        return PackedStrings(buffer, ends)


def pack_paths(paths: Iterable[str]) -> PackedStrings:
    """Listed image paths, with slashes."""
    return PackedStrings.pack(map(portable_path, paths))


@dataclass(frozen=True)
class AnnotationTable:
    """What an annotation says about N samples, one row each.

    Ten million rows take the bytes of their paths plus one byte a label, in a few
    arrays that forked data loader workers share.

    Args:
        paths: Image paths, relative to the image folder unless absolute.
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
"""How labels are written unless a dataset says otherwise."""

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
    """The argument ``label_map`` of a dataset, its keys in one form.

    Args:
        given: Written label to 1 (present), 0 (absent) or -1 (unknown). Keys are
            numbers, words, or numbers as words, as ``--cfg-options`` gives them; None
            is an empty cell, or null in JSON.

    Raises:
        ValueError: A label is not one of the three, or a key is given twice with
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


def wrong_label(where: str, name: str, found: object, count: int = 1) -> ValueError:
    """The error of an invalid label, one of ``count`` in the file."""
    label = shown(found)
    others = f"This file has {count} invalid labels. " if count > 1 else ""
    return ValueError(
        f"{where}: attribute {name!r} has the label {label}; expected 1 (present), "
        "0 (absent) or unknown (-1 or ?, in .csv also empty, in .json also null). "
        f"{others}{_remedy(name, found)}Other codings are read with "
        f"label_map={{{label}: ...}}"
    )


def _remedy(name: str, found: object) -> str:
    if not isinstance(found, str):
        return ""
    if is_image_name(found):
        return "The path of the image is the first column. "
    if name.lower() in COLUMNS:
        return f"A column {name.lower()!r}, in lower case, is not an attribute. "
    return f"A column of classes is read with one_hot=[{name!r}]. "


def is_image_name(word: str) -> bool:
    """Whether a word ends as the names of image files do."""
    return word.lower().endswith(IMG_EXTENSIONS)


_INVALID = -2
_PRESENT, _ABSENT, _NOT_JUDGED = object(), object(), object()
"""Words of a class column, which no file holds and no ``label_map`` changes."""
_CLASS_CODES = {_PRESENT: 1, _ABSENT: 0, _NOT_JUDGED: UNKNOWN}


@dataclass(frozen=True)
class Annotation:
    """What an annotation file says about N images and A attributes, in any format.

    Args:
        source: The file, for errors.
        attributes: The A names in the order of the file; ``None`` for a list without
            names, whose labels are in the order of the schema.
        images: The N image paths, see :func:`pack_paths`.
        labels: What is written, shape (N, A): numbers, or positions in ``words``.
        partitions: Split to the rows, from 0, of each of its numbered partitions;
            ``None`` for a file that holds one split and does not say which.
        columns: Further values by name, N each.
        words: What each number in ``labels`` stands for; by default for itself.
        label_map: What values other than 1, 0 and -1 mean in this format.
        schema_fields: What the file says of its schema beside the names, such as
            ``groups``.
        lines: Line of each row in the file, for errors.

    Raises:
        ValueError: The parts disagree about N or A.
    """

    source: str
    attributes: Sequence[str] | None
    images: PackedStrings
    labels: np.ndarray
    partitions: Mapping[str, Mapping[int, np.ndarray]] | None = None
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    words: Sequence[Any] | None = None
    label_map: LabelMap = field(default_factory=dict)
    schema_fields: Mapping[str, Any] = field(default_factory=dict)
    lines: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.attributes is not None:
            names = [composed(name) for name in self.attributes]
            object.__setattr__(self, "attributes", names)
            expected = (len(self.images), len(names))
            if np.shape(self.labels) != expected:
                raise ValueError(
                    f"{self.source}: labels have the shape {np.shape(self.labels)}, "
                    f"expected {expected}: one row per image and one column per "
                    "attribute"
                )

    # --- the split rule -------------------------------------------------------------

    def rows(
        self,
        split: str = "",
        partition: int = 0,
        trainval: Sequence[str] = ("train", "val"),
    ) -> Rows:
        """Rows of a split; without ``split``, of all splits of the first partition.

        ``'trainval'`` is the splits ``trainval``, one after another, in a file that has
        no split of that name. A file that does not say which split it holds gives all
        its rows.

        Raises:
            ValueError: There is no such split, or no such partition of it.
        """
        if self.partitions is None:
            if partition:
                raise ValueError(
                    f"{self.source}: the list has one partition, got "
                    f"partition={partition}; leave it out"
                )
            return slice(None)
        if not split:
            return self._rows_of_all_splits(self.partitions)
        is_union = split == "trainval" and split not in self.partitions
        if is_union and all(part in self.partitions for part in trainval):
            found: list[Any] = [self.rows(part, partition) for part in trainval]
            return np.concatenate(found)
        if split not in self.partitions:
            raise ValueError(
                f"{self.source} has the splits {sorted(self.partitions)}, "
                f"got split={split!r}"
            )
        choices = self.partitions[split]
        if ANY in choices:
            return choices[ANY]
        if partition not in choices:
            raise ValueError(
                f"{self.source} has the partitions {list(choices)} of {split!r}; "
                f"got partition={partition}"
            )
        return choices[partition]

    def _rows_of_all_splits(
        self, partitions: Mapping[str, Mapping[int, np.ndarray]]
    ) -> Rows:
        first = min(
            (number for one in partitions.values() for number in one), default=0
        )
        found = {s: one[first] for s, one in partitions.items() if first in one}
        if len(found) > 1:
            counts = {split: len(rows) for split, rows in found.items()}
            print_log(
                f"{self.source} has the splits {counts}, and all of them are read; "
                "choose one with split=...",
                "current",
                WARNING,
            )
        rows = np.concatenate([np.empty(0, np.int64), *found.values()])
        return slice(None) if len(rows) == len(self.images) else np.sort(rows)

    # --- the schema and class columns -----------------------------------------------

    def schema(self, title: str = "") -> AttributeSchema | None:
        """All attributes of the file; ``None`` if it names none.

        Raises:
            ValueError: They do not form a schema; names the file.
        """
        if not self.attributes:
            return None
        fields = dict(title=title or self.source, **self.schema_fields)
        try:
            return build_schema({**fields, "names": list(self.attributes)})
        except ValueError as error:
            raise ValueError(f"{self.source}: {error}") from None

    def with_classes(
        self, one_hot: Sequence[str], schema: AttributeSchema | None = None
    ) -> Annotation:
        """Make each class of some columns an attribute.

        ``age`` with the classes young and old becomes ``age:young`` and ``age:old``.
        The classes are those of the schema, or else all that the file has, sorted,
        numbers by size. An image of unknown class (an empty cell, ? or -1) has unknown
        labels for all of them.

        Raises:
            ValueError: The file has no such column, or a class that the schema lacks.
        """
        found = self
        for name in map(composed, one_hot):
            found = found._with_classes_of(name, schema)
        return found

    def _with_classes_of(self, name: str, schema: AttributeSchema | None) -> Annotation:
        if self.words is None or self.attributes is None:
            raise ValueError(
                f"one_hot names the column {name!r} of a .csv or .json list; "
                f"{self.source} has none"
            )
        if name not in [*self.attributes, *self.columns]:
            raise ValueError(
                f"{self.source} has no column {name!r}, which one_hot names; it has "
                f"{[*self.attributes, *self.columns]}"
            )
        whole = self._with_attributes([name])
        names, words = list(whole.attributes or ()), list(whole.words or ())
        place = names.index(name)
        numbers, inverse = np.unique(whole.labels[:, place], return_inverse=True)
        cells = [class_of(words[number]) for number in numbers.tolist()]
        classes = self._classes(name, cells, schema)
        first = len(words)
        table = np.full((len(cells), len(classes)), first + 2, np.int32)
        for i, cell in enumerate(cells):
            if cell and cell not in classes:
                row = int(np.flatnonzero(inverse.ravel() == i)[0])
                raise ValueError(
                    f"{self._place(row)}: column {name!r} has the class {cell!r}, and "
                    f"the schema has {[f'{name}:{one}' for one in classes]}"
                )
            if cell:
                table[i] = [first + (one == cell) for one in classes]
        parts = (whole.labels[:, :place], table[inverse.ravel()])
        labels = np.hstack([*parts, whole.labels[:, place + 1 :]])
        words += [_ABSENT, _PRESENT, _NOT_JUDGED]
        names[place : place + 1] = expanded = [f"{name}:{one}" for one in classes]
        fields = dict(whole.schema_fields)
        if "groups" in fields:
            fields["groups"] = {
                group: [n for m in members for n in (expanded if m == name else [m])]
                for group, members in fields["groups"].items()
            }
        return replace(
            whole, attributes=names, labels=labels, words=words, schema_fields=fields
        )

    def _classes(
        self, name: str, cells: Sequence[str], schema: AttributeSchema | None
    ) -> list[str]:
        if schema is None:
            found = sorted({*cells} - {""}, key=_by_size)
            if not found:
                raise ValueError(f"{self.source}: the column {name!r} has no class")
            return found
        start = f"{name}:"
        found = [n[len(start) :] for n in schema.names if n.startswith(start)]
        if not found:
            raise ValueError(
                f"the schema {schema.title!r} has no attribute of the one_hot column "
                f"{name!r} of {self.source}; they are called '{start}CLASS', and the "
                f"schema has {list(schema.names)}"
            )
        return found

    def _with_attributes(self, wanted: Sequence[str]) -> Annotation:
        """With the columns of these names as attributes, unless they already are."""
        if self.words is None or self.attributes is None:
            return self
        columns = {*self.columns} - {*self.attributes}
        names = [name for name in wanted if name in columns]
        if not names:
            return self
        words = Words(self.words)
        new = [[words[cell] for cell in self.columns[n].tolist()] for n in names]
        labels = np.hstack([self.labels, np.array(new, np.int32).T])
        return replace(
            self,
            attributes=[*self.attributes, *names],
            labels=labels,
            words=list(words),
            columns={n: c for n, c in self.columns.items() if n not in names},
        )

    # --- the column and label rules -------------------------------------------------

    def select(
        self,
        schema: AttributeSchema,
        split: str = "",
        partition: int = 0,
        label_map: LabelMap | None = None,
        trainval: Sequence[str] = ("train", "val"),
    ) -> AnnotationTable:
        """The table of a split, labels in the order of ``schema``, matched by name.

        A file without any column of labels gives unknown labels.

        Args:
            schema: The attributes wanted.
            split, partition, trainval: See :meth:`rows`.
            label_map: Labels that the file codes otherwise than its format says, from
                :func:`checked_label_map`.

        Raises:
            ValueError: There is no such split or partition, the file lacks an
                attribute, or a label is invalid.
        """
        rows = self.rows(split, partition, trainval)
        if self.words is not None:
            found = self._with_attributes(schema.names)
            if found is not self:
                return found.select(schema, split, partition, label_map, trainval)
        labels = self._labels(rows, schema, {**self.label_map, **(label_map or {})})
        columns = {name: column[rows] for name, column in self.columns.items()}
        if split:
            columns.pop("split", None)
        images = self.images
        if isinstance(rows, np.ndarray):
            images = images.take(rows)
        return AnnotationTable(images, labels, columns)

    def positions(self, names: Sequence[str]) -> list[int]:
        """Columns of some attributes."""
        place = {name: i for i, name in enumerate(self.attributes or ())}
        missing = [name for name in names if name not in place]
        if missing:
            raise ValueError(
                f"{self.source} lacks the attributes {missing}; it has {list(place)}"
            )
        return [place[name] for name in names]

    def _labels(
        self, rows: Rows, schema: AttributeSchema, label_map: LabelMap
    ) -> np.ndarray:
        """int8, shape (N, A): 1 present, 0 absent, -1 unknown."""
        if self.attributes is None:
            found = self.labels[rows]
        elif not self.attributes:
            count = len(self.labels[rows])
            return np.full((count, len(schema)), UNKNOWN, np.int8)
        else:
            found = self.labels[rows][:, self.positions(schema.names)]
        if self.words is not None:
            codes = {**label_codes(label_map), **_CLASS_CODES}
            table = [codes.get(word, _INVALID) for word in self.words]
            labels = np.array(table, np.int8)[found]
        else:
            labels = map_numbers(found, label_map)
        if (labels == _INVALID).any():
            raise self._invalid_label(labels, found, rows, schema)
        return labels

    def _invalid_label(
        self, labels: np.ndarray, found: np.ndarray, rows: Rows, schema: AttributeSchema
    ) -> ValueError:
        wrong = labels == _INVALID
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        written = found[row, column]
        if self.words is not None:
            written = self.words[written]
        elif isinstance(written, np.generic):
            written = written.item()
        name = schema.names[column]
        place = self._place(int(np.arange(len(self.images))[rows][row]))
        return wrong_label(place, name, written, int(wrong.sum()))

    def _place(self, row: int) -> str:
        """The name of a row in errors."""
        if self.lines is not None:
            return f"{self.source}, line {self.lines[row]}"
        return f"{self.source}, row {row + 1} ({self.images[row]})"


class Words(dict):
    """Number of each word, a new one for a new word."""

    def __init__(self, words: Iterable[Any] = ()) -> None:
        super().__init__({word: number for number, word in enumerate(words)})

    def __missing__(self, word: Any) -> int:
        self[word] = number = len(self)
        return number


def map_numbers(values: np.ndarray, label_map: LabelMap) -> np.ndarray:
    """Turn numbers of any type into labels.

    Args:
        values: Shape (N, A).
        label_map: As in :func:`label_codes`; words in it have no effect.

    Returns:
        int8, (N, A): 1 present, 0 absent, -1 unknown, -2 if invalid.
    """
    coding = {n: label for n, label in label_map.items() if n in _NUMBERS}
    is_plain = values.dtype == np.int8 and all(_NUMBERS[n] == coding[n] for n in coding)
    if is_plain and values.min(initial=0) >= UNKNOWN and values.max(initial=0) <= 1:
        return values  # not copied, however many there are
    labels = np.full(values.shape, _INVALID, np.int8)
    for written, label in {**WRITTEN, **label_map}.items():
        if isinstance(written, float):
            labels[np.isin(values, [written])] = label
    return labels


_NUMBERS = {n: label for n, label in WRITTEN.items() if isinstance(n, float)}


def class_of(cell: Any) -> str:
    """A cell of a ``one_hot`` column as the name of its class, '' for unknown."""
    written = as_written(cell)
    if WRITTEN.get(written) == UNKNOWN:
        return ""
    if isinstance(written, float):
        return f"{written:.15g}"
    return composed(written)


def _by_size(name: str) -> tuple[bool, float, str]:
    written = as_written(name)
    is_word = isinstance(written, str)
    return is_word, 0.0 if isinstance(written, str) else written, name


def numbered(partitions: Mapping[str, Sequence[Any]]) -> dict[str, dict[int, Any]]:
    """Lists of partitions, numbered from 0."""
    return {split: dict(enumerate(found)) for split, found in partitions.items()}


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
    """Row numbers of any shape as int64 from 0, flat.

    Args:
        values: Numbers as released.
        count: How many rows there are.
        source: The file and field, for errors.
        first: Number of the first row: 1 in MATLAB, 0 in Python.

    Raises:
        ValueError: Not whole numbers, a mask, or outside the rows.
    """
    if isinstance(values, range) and len(values) > count:
        raise ValueError(f"{source}: {len(values)} rows are listed, there are {count}")
    rows = as_array(values, source).ravel()
    if rows.dtype.kind not in "iu" and not _are_whole(rows):
        raise ValueError(f"{source}: expected row numbers, got {rows[:3]!r}")
    rows = rows.astype(np.int64)
    if len(rows) > 2 and np.isin(rows, (0, 1)).all():  # no three rows are 0 and 1
        raise ValueError(
            f"{source}: expected row numbers, got a mask of {len(rows)} zeros and "
            "ones; list the numbers of the rows instead"
        )
    rows -= first
    outside = (rows < 0) | (rows >= count)
    if outside.any():
        position = int(np.flatnonzero(outside)[0])
        raise ValueError(
            f"{source}: entry {position + 1} is the row {int(rows[position]) + first}; "
            f"there are {count} rows, numbered from {first} to {count - 1 + first}"
        )
    return rows


def _are_whole(values: np.ndarray) -> bool:
    if values.dtype.kind not in "fO":
        return False
    try:
        return bool((values.astype(np.float64) % 1 == 0).all())
    except (TypeError, ValueError):
        return False
