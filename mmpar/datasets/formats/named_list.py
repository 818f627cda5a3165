"""Lists whose columns have names: attributes, classes, and what else is known."""

from __future__ import annotations

import re
from abc import abstractmethod
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from mmengine.logging import print_log

from mmpar.datasets.formats.attribute_lists import (
    column_order,
    is_image_name,
    schema_of,
)
from mmpar.datasets.formats.labels import (
    WRITTEN,
    LabelMap,
    as_written,
    label_codes,
    wrong_label,
)
from mmpar.datasets.formats.table import (
    UNKNOWN,
    UNKNOWN_PERSON,
    AnnotationTable,
    PackedStrings,
)
from mmpar.structures import AttributeSchema
from mmpar.structures.attribute_schema import composed

COLUMNS = ("split", "person_id", "camera", "domain", "partition")
"""Columns that are no attributes, unless the schema has an attribute of that name."""

_WHOLE_NUMBER = re.compile(r"-?\d{1,18}(\.0*)?")
"""Of 64 bits; longer ones stay text."""


class Row(NamedTuple):
    """One image of a list."""

    where: str
    """The file and the line, for errors."""
    path: str
    cells: Sequence[Any]
    """What stands in each of the columns."""


class NamedList:
    """Base of the lists that name their columns.

    A column of ``COLUMNS`` becomes one of the table: numbers if all of it are whole
    numbers, else text, where an empty cell is ``''`` (an unnamed person among numbers
    is -1). Each other column is an attribute; a column of ``one_hot`` holds classes,
    and each of them is one: ``age`` with the classes young and old becomes
    ``age:young`` and ``age:old``. The classes are those of the schema, or else all that
    stand in the file, sorted, numbers by size. An image of unknown class (an empty
    cell, ? or -1) has unknown labels for all of them.

    Args:
        path: The file.
        columns: Names of all its columns but the path.
        attributes: Those of them that are attributes whatever their name.
        groups: Body-region group to attributes or ``one_hot`` columns.
        one_hot: Columns of classes.

    Raises:
        ValueError: A column stands twice, or one of ``one_hot`` is not in the file.
    """

    def __init__(
        self,
        path: str,
        columns: Sequence[str],
        attributes: Sequence[str] = (),
        groups: Mapping[str, Sequence[str]] | None = None,
        one_hot: Sequence[str] = (),
    ) -> None:
        self.path = path
        self.columns = [composed(name) for name in columns]
        self.one_hot = [composed(name) for name in one_hot]
        self._attributes = {composed(name) for name in attributes}
        self._groups = groups or {}
        repeated = sorted({n for n in self.columns if self.columns.count(n) > 1})
        if repeated:
            raise ValueError(
                f"{path} repeats the columns {repeated}; give each a name of its own"
            )
        lacking = [name for name in self.one_hot if name not in self.columns]
        if lacking:
            raise ValueError(
                f"{path} has no columns {lacking}, which one_hot names; it has "
                f"{self.columns}"
            )

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """All rows, each with a cell for every column."""

    @property
    def schema(self) -> AttributeSchema | None:
        """Attributes as the file names them; ``None`` if it has no labels."""
        names = self._attribute_columns(None)
        if not names:
            return None
        classes = self._classes_found()
        groups = {
            group: [one for name in members for one in _expanded(name, classes)]
            for group, members in self._groups.items()
        }
        names = [one for name in names for one in _expanded(name, classes)]
        return schema_of(names, self.path, groups=groups)

    def read(
        self, schema: AttributeSchema, label_map: LabelMap | None = None
    ) -> AnnotationTable:
        """All rows, labels in the order of ``schema``, matched by name.

        A file without any column of labels gives unknown labels, and a line in the log.

        Args:
            schema: The attributes wanted.
            label_map: As in :func:`label_codes`.

        Raises:
            ValueError: The columns are not the attributes of ``schema``, a row has
                another number of labels, or a label that is none.
        """
        names = self._attribute_columns(schema)
        further = [name for name in self.columns if name not in names]
        self._say(names, further)
        reader = _LabelReader(names, self._classes_of(schema), label_codes(label_map))
        order = column_order(reader.names, schema, self.path) if names else None
        label_places = [self.columns.index(name) for name in names]
        places = [self.columns.index(name) for name in further]
        labels = array("b")
        columns: dict[str, list[Any]] = {name: [] for name in further}

        def paths() -> Iterator[str]:
            for row in self.rows():
                if order is not None:
                    found = reader.labels([row.cells[i] for i in label_places], row)
                    labels.extend([found[i] for i in order])
                for values, place in zip(columns.values(), places):
                    values.append(row.cells[place])
                yield row.path

        packed = PackedStrings.pack(paths())
        matrix = np.full((len(packed), len(schema)), UNKNOWN, np.int8)
        if order is not None:
            matrix = np.array(labels, np.int8).reshape(-1, len(schema))
        more = {name: column_of(name, values) for name, values in columns.items()}
        return AnnotationTable(packed, matrix, more)

    def _attribute_columns(self, schema: AttributeSchema | None) -> list[str]:
        wanted = {*self._attributes, *self.one_hot, *(schema.names if schema else ())}
        return [name for name in self.columns if name not in COLUMNS or name in wanted]

    def _say(self, names: Sequence[str], further: Sequence[str]) -> None:
        if further:
            print_log(f"{self.path}: {further} are not read as attributes", "current")
        if not names:
            print_log(
                f"{self.path} has no column of labels: all are unknown, so it is for "
                "prediction only",
                "current",
            )

    def _classes_found(self) -> dict[str, list[str]]:
        """The classes of each ``one_hot`` column of the file."""
        found: dict[str, set[str]] = {name: set() for name in self.one_hot}
        places = [(found[name], self.columns.index(name)) for name in found]
        for row in self.rows() if places else ():
            for classes, place in places:
                classes.add(class_of(row.cells[place]))
        result = {
            name: sorted(classes - {""}, key=_by_size)
            for name, classes in found.items()
        }
        empty = [name for name, classes in result.items() if not classes]
        if empty:
            raise ValueError(f"{self.path}: the one_hot columns {empty} have no class")
        return result

    def _classes_of(self, schema: AttributeSchema) -> dict[str, list[str]]:
        """The classes of each ``one_hot`` column that the schema has."""
        result = {}
        for name in self.one_hot:
            start = f"{name}:"
            classes = [n[len(start) :] for n in schema.names if n.startswith(start)]
            if not classes:
                raise ValueError(
                    f"the schema {schema.title!r} has no attribute of the one_hot "
                    f"column {name!r} of {self.path}; they are called "
                    f"'{start}CLASS', and the schema has {list(schema.names)}"
                )
            result[name] = classes
        return result


class _LabelReader:
    """Turns the cells of a row into labels.

    Args:
        columns: Names of the columns of attributes or classes.
        classes: Classes of those that have some.
        codes: Cell to label, as of :func:`label_codes`.
    """

    def __init__(
        self,
        columns: Sequence[str],
        classes: Mapping[str, Sequence[str]],
        codes: Mapping[Any, int],
    ) -> None:
        self._columns = columns
        self._classes = classes
        self._codes = codes
        self.names = [one for name in columns for one in _expanded(name, classes)]
        """The attributes, in the order of the labels."""

    def labels(self, cells: Sequence[Any], row: Row) -> list[int]:
        """The labels of a row.

        Raises:
            ValueError: One is none.
        """
        try:
            if not self._classes:
                return [self._codes[cell] for cell in cells]
        except (KeyError, TypeError):  # below it is found again, and named
            pass
        found: list[int] = []
        for name, cell in zip(self._columns, cells):
            if name in self._classes:
                found += self._one_hot(name, cell, row.where)
            else:
                found.append(self._label(name, cell, row.where))
        return found

    def _label(self, name: str, cell: Any, where: str) -> int:
        try:
            return self._codes[cell]
        except (KeyError, TypeError):
            raise wrong_label(where, name, cell, _remedy(name, cell)) from None

    def _one_hot(self, name: str, cell: Any, where: str) -> list[int]:
        classes = self._classes[name]
        found = class_of(cell)
        if not found:
            return [UNKNOWN] * len(classes)
        if found not in classes:
            raise ValueError(
                f"{where}: column {name!r} has the class {found!r}, and the schema has "
                f"{[f'{name}:{one}' for one in classes]}"
            )
        return [int(one == found) for one in classes]


def _expanded(name: str, classes: Mapping[str, Sequence[str]]) -> list[str]:
    name = composed(name)
    return [f"{name}:{one}" for one in classes[name]] if name in classes else [name]


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


def _remedy(name: str, cell: Any) -> str:
    if isinstance(cell, str) and is_image_name(cell):
        return "The path of the image is the first column. "
    if name.lower() in COLUMNS:
        return f"A column {name.lower()!r}, in lower case, is no attribute. "
    return f"A column of classes is read with one_hot=[{name!r}]. "


def column_of(name: str, cells: Sequence[Any]) -> np.ndarray:
    """A column of ``COLUMNS``: int64 if all are whole numbers, else text, shape (N,).

    ``split`` is text always. An empty cell, or null, is '', or -1 for a person among
    numbers.
    """
    words = ["" if cell is None else str(cell).strip() for cell in cells]
    if name == "split":
        return np.array(words, dtype=str)
    if name == "person_id":
        unnamed = str(UNKNOWN_PERSON)
        words_or_unnamed = [word or unnamed for word in words]
        if all(map(_WHOLE_NUMBER.fullmatch, words_or_unnamed)):
            return _integers(words_or_unnamed)
    if all(map(_WHOLE_NUMBER.fullmatch, words)):
        return _integers(words)
    return np.array(words, dtype=str)


def _integers(words: Sequence[str]) -> np.ndarray:
    return np.array([int(word.split(".")[0]) for word in words], np.int64)
