"""What the attribute list formats share: their form, and their columns by name."""

from __future__ import annotations

import csv
import io
import re
from abc import abstractmethod
from array import array
from collections.abc import Iterator, Mapping, Sequence
from logging import INFO, WARNING
from typing import Any, NamedTuple, Protocol

import numpy as np
from mmengine.logging import print_log
from torchvision.datasets.folder import IMG_EXTENSIONS

from mmpar.datasets.formats.annotation import (
    UNKNOWN,
    UNKNOWN_PERSON,
    WRITTEN,
    AnnotationTable,
    LabelMap,
    PackedStrings,
    as_written,
    label_codes,
    wrong_label,
)
from mmpar.datasets.formats.files import portable_path, read_utf8, read_utf8_bytes
from mmpar.structures import AttributeSchema
from mmpar.structures.attribute_schema import composed


class AttributeList(Protocol):
    """An opened attribute list."""

    @property
    def schema(self) -> AttributeSchema | None:
        """Attributes as the file names them, ``None`` if it names none."""

    def read(
        self, schema: AttributeSchema, label_map: LabelMap | None = None
    ) -> AnnotationTable:
        """All rows, labels in the order of ``schema``."""


def is_image_name(word: str) -> bool:
    """Whether a word ends as the names of image files do."""
    return word.lower().endswith(IMG_EXTENSIONS)


def column_order(
    found: Sequence[str], wanted: AttributeSchema, source: str
) -> list[int]:
    """Where in the file each attribute of the wanted schema stands.

    Raises:
        ValueError: The file lacks one, or has one more.
    """
    missing = [name for name in wanted.names if name not in found]
    unknown = [name for name in found if name not in wanted.names]
    if missing or unknown:
        raise ValueError(
            f"{source} and the schema {wanted.title!r} name different attributes: the "
            f"file lacks {missing}, the schema lacks {unknown}. Leave out the argument "
            "schema to take the attributes from the file"
        )
    return [found.index(name) for name in wanted.names]


def schema_of(names: Sequence[str], source: str, **more: object) -> AttributeSchema:
    """A schema from the names in a file; errors name the file."""
    try:
        return AttributeSchema(tuple(names), title=source, **more)  # type: ignore
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


_NEWLINE, _TAB, _BLANK, _HASH, _COMMA, _ZERO = b"\n\t #,0"
_BACKSLASH, _DELETE = b"\\\x7f"
_ENDS = np.frombuffer(b",;|:", np.uint8)
"""What a path does not end in; see ``TextList``."""


class PlainLines(NamedTuple):
    """Rows of a block of lines."""

    paths: np.ndarray
    """All paths after one another, uint8."""
    ends: np.ndarray
    """Where each ends, int64, shape (N,)."""
    labels: np.ndarray
    """int8, shape (N, A)."""


def plain_lines(
    block: bytes, num_attributes: int, shortest_path: int
) -> PlainLines | None:
    """The rows of whole lines, if all are plain; ``None`` says that one is not.

    A plain line is a path of visible ASCII without backslashes, then labels that are 0
    or 1, one blank or tab before each; or a comma before each but the first, in all
    lines of the block, and none in the paths. It does not begin with ``#`` or ``./#``.

    Args:
        block: Lines, not empty.
        num_attributes: Labels of a line.
        shortest_path: Shorter paths, in bytes, are not plain.
    """
    data = np.frombuffer(block, np.uint8)
    stops = np.flatnonzero(data == _NEWLINE)
    if data[-1] != _NEWLINE:
        stops = np.append(stops, len(data))
    starts = np.concatenate(([0], stops[:-1] + 1))
    path_stops = stops - 2 * num_attributes
    lengths = path_stops - starts
    if (lengths < shortest_path).any() or (data[starts] == _HASH).any():
        return None
    if block.startswith(b"./#") or b"\n./#" in block:
        return None
    tails = data[path_stops[:, None] + np.arange(2 * num_attributes)]
    gaps, words = tails[:, 0::2], tails[:, 1::2]
    labels = words - _ZERO  # wraps around below 0
    blank = (gaps == _BLANK) | (gaps == _TAB)
    by_commas = bool((gaps[:, 1:] == _COMMA).all()) and num_attributes > 1
    if (labels > 1).any() or not (blank[:, 0] if by_commas else blank).all():
        return None
    borders = np.zeros(len(data) + 1, np.int8)
    borders[starts] = 1
    borders[path_stops] = -1
    paths = data[np.cumsum(borders[:-1], dtype=np.int8).view(bool)]
    special = (paths <= _BLANK) | (paths >= _DELETE) | (paths == _BACKSLASH)
    if special.any() or (by_commas and (paths == _COMMA).any()):
        return None
    if np.isin(data[path_stops - 1], _ENDS).any():
        return None
    return PlainLines(paths, np.cumsum(lengths), labels.astype(np.int8))


_BYTES_AT_A_TIME = 1 << 20
_BETWEEN = ",;|:"
_BRACKETS = "[](){}"
_FORMS = "'a.jpg 0 1 1', or 'a.jpg 0,1,1' with a blank or a tab after the path"


class TextList:
    """A text list.

    The last A fields of a line are its labels, separated by blanks or tabs as in ALM's
    lists, or by commas, one of which may follow the last (PP-Human and PaddleClas:
    github.com/PaddlePaddle/PaddleDetection,
    docs/advanced_tutorials/customization/pphuman_attribute.md). What stands before them
    is the path, which may itself contain blanks. In a list for prediction no line has
    labels: each is the path of an image, with its ending.

    Blank lines are skipped, and so are those that begin with ``#``; the log says how
    many. An image whose name begins so is listed as ``./#name.jpg``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not UTF-8.
    """

    schema: AttributeSchema | None = None

    def __init__(self, path: str) -> None:
        self.path = path
        self.content = read_utf8_bytes(path)

    def read(
        self, schema: AttributeSchema, label_map: LabelMap | None = None
    ) -> AnnotationTable:
        """All rows, labels in the order of the file, which is that of ``schema``.

        Args:
            schema: The attributes.
            label_map: As in :func:`label_codes`.

        Raises:
            ValueError: A line has another number of labels, or a label that is none, or
                some lines have labels and others have none.
        """
        reader = _LineReader(self.path, schema, label_codes(label_map))
        paths, ends, labels = bytearray(), array("q"), array("b")
        for rows in self._blocks(reader):
            ends.frombytes((rows.ends + len(paths)).tobytes())
            paths += rows.paths.tobytes()
            labels.frombytes(rows.labels.tobytes())
        reader.report()
        return AnnotationTable(
            PackedStrings(np.array(paths, np.uint8), np.array(ends, np.int64)),
            np.array(labels, np.int8).reshape(-1, len(schema)),
        )

    def _blocks(self, reader: _LineReader) -> Iterator[PlainLines]:
        """A megabyte at a time: plain lines at once, others one by one."""
        start, number = 0, 1
        while start < len(self.content):
            stop = self.content.find(b"\n", start + _BYTES_AT_A_TIME) + 1
            block = self.content[start : stop or len(self.content)]
            yield reader.rows(block, number)
            start += len(block)
            number += block.count(b"\n")


class _LineReader:
    """Reads the lines of one list, and remembers what to say of them.

    Args:
        path: The file, for errors.
        schema: The attributes.
        codes: Word to label, as of :func:`label_codes`.
    """

    def __init__(
        self, path: str, schema: AttributeSchema, codes: Mapping[Any, int]
    ) -> None:
        self._path = path
        self._schema = schema
        self._codes = {w: code for w, code in codes.items() if isinstance(w, str) and w}
        self._zero_one = np.array([codes["0"], codes["1"]], np.int8)
        # A shorter one might be a label too many.
        self._shortest_path = 1 + max(map(len, self._codes))
        self._labelled: tuple[bool, int] | None = None
        self._comments = 0
        self._like_samples: list[str] = []

    def rows(self, block: bytes, first: int) -> PlainLines:
        """The rows of whole lines, of which the first has this number."""
        plain = plain_lines(block, len(self._schema), self._shortest_path)
        if plain is None:
            rows = self._one_by_one(block.decode("utf-8"), first)
            table = AnnotationTable.from_rows(rows, len(self._schema))
            return PlainLines(table.paths.buffer, table.paths.ends, table.labels)
        self._expect_labels(True, first)
        if self._zero_one.tolist() == [0, 1]:
            return plain
        return plain._replace(labels=self._zero_one[plain.labels])

    def report(self) -> None:
        """Log what has been left out, and whether labels are there."""
        if self._labelled and not self._labelled[0]:
            self._say("no line has labels: all are unknown, for prediction only")
        if self._comments:
            self._say(f"lines that begin with # and are comments: {self._comments}")
        if self._like_samples:
            self._say(
                f"of these have the form of a sample: {len(self._like_samples)}, first "
                f"{self._like_samples[0]}. They are left out; if the name of an image "
                "begins with #, write ./# for it",
                WARNING,
            )

    def _say(self, message: str, level: int = INFO) -> None:
        print_log(f"{self._path}: {message}", "current", level)

    def _one_by_one(self, text: str, first: int) -> Iterator[tuple[str, list[int]]]:
        for number, line in enumerate(text.split("\n"), start=first):
            line = line.strip()
            if line.startswith("#"):
                self._skip(line, number)
            elif line:
                sample = self._sample(line)
                if sample is None:
                    raise self._fault(line, f"{self._path}, line {number}")
                path, labels = sample
                self._expect_labels(bool(labels), number)
                path = portable_path(path)
                path = path[2:] if path.startswith("./#") else path
                yield path, labels or [UNKNOWN] * len(self._schema)

    def _skip(self, line: str, number: int) -> None:
        self._comments += 1
        sample = self._sample(line)
        if sample is not None and (sample[1] or len(line.split()) == 1):
            self._like_samples.append(f"line {number}: {line!r}")

    def _sample(self, line: str) -> tuple[str, list[int]] | None:
        """Path and labels, none of them where there are none; ``None`` for a fault."""
        count = len(self._schema)
        for path, words in (_by_blanks(line, count), _by_commas(line, count)):
            try:
                labels = [self._codes[word] for word in words]
            except KeyError:
                continue
            if len(labels) == count and not self._goes_on(path):
                return path, labels
        return (line, []) if is_image_name(line) else None

    def _goes_on(self, path: str) -> bool:
        """Whether a path ends in a comma or a label, so that there are too many."""
        return path[-1:] in ("", *_BETWEEN) or path.rsplit(None, 1)[-1] in self._codes

    def _expect_labels(self, there_are: bool, number: int) -> None:
        if self._labelled is None:
            self._labelled = (there_are, number)
        elif self._labelled[0] != there_are:
            one, other = sorted([self._labelled, (there_are, number)])
            raise ValueError(
                f"{self._path}, line {one[1]}: found 0 labels, expected "
                f"{len(self._schema)} as in line {other[1]}; a list for prediction has "
                "labels in no line"
            )

    def _fault(self, line: str, where: str) -> ValueError:
        """What is wrong with a line that is no sample."""
        count = len(self._schema)
        found, marks = self._labels_at_the_end(line)
        if self._labelled is None and found == 0 and self._is_header(line):
            return ValueError(
                f"{where}: found {line!r}; a .txt list has no header, its labels stand "
                f"in the order of the schema, {list(self._schema.names)}. Take the "
                "line out, or make a .csv list of it"
            )
        by_commas = "," in line.rsplit(None, 1)[-1]
        _, words = (_by_commas if by_commas else _by_blanks)(line, count)
        odd = next((i for i, word in enumerate(words) if word not in self._codes), None)
        if len(words) == count and odd is not None and _is_plain(words[odd]):
            fault = wrong_label(where, self._schema.names[odd], words[odd])
            return ValueError(
                f"{fault}. The last {count} fields of a line are its labels"
            )
        if marks:
            return ValueError(
                f"{where}: found {' '.join(marks)} after the path, around the labels "
                f"or between them, expected {_FORMS}"
            )
        return ValueError(
            f"{where}: found {found} labels, expected {count}, one for each attribute "
            f"of {self._schema.title!r}"
        )

    def _is_header(self, line: str) -> bool:
        words = re.split(r"[\s,;]+", line.strip(",;"))
        return len(words) > 1 and not any(
            word in self._codes or is_image_name(word) for word in words
        )

    def _labels_at_the_end(self, line: str) -> tuple[int, list[str]]:
        """How many labels a line ends in, and what separates them but should not."""
        longest_first = sorted(self._codes, key=len, reverse=True)
        word = f"(?:{'|'.join(map(re.escape, longest_first))})"
        mark = rf"[\s{re.escape(_BETWEEN + _BRACKETS)}]"
        tail = re.search(rf"(?:{mark}+{word}(?={mark}|$))+{mark}*$", line)
        if tail is None:
            return 0, []
        labels = re.findall(rf"{word}(?={mark}|$)", tail.group())
        marks = sorted(set(tail.group()) & set(_BETWEEN + _BRACKETS))
        after_blank = not tail.group().lstrip().startswith(",")
        if marks == [","] and after_blank and len(labels) != len(self._schema):
            marks = []  # a comma list, as it should be, of too few or too many
        return len(labels), marks


def _is_plain(word: str) -> bool:
    """Whether a word may be meant as a label, not a path or several labels."""
    return not is_image_name(word) and not set(word) & set(_BETWEEN + _BRACKETS)


def _by_blanks(line: str, count: int) -> tuple[str, list[str]]:
    path, *words = line.rsplit(None, count)
    return path, words


def _by_commas(line: str, count: int) -> tuple[str, list[str]]:
    if line.endswith(","):
        line = line[:-1].rstrip()
    first, *words = line.rsplit(",", count - 1)
    path, *word = first.rsplit(None, 1) or [""]
    return path, [one.strip() for one in (*word, *words)]


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


class CSVList(NamedList):
    """A CSV list.

    The first column holds the path, whatever its name; for the others see
    :class:`NamedList`. An empty cell is an unknown label. Blank rows are skipped.

    Args:
        path: The file.
        one_hot: Columns of classes.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not UTF-8, has no header, or a quotation mark in it
            that is not closed.
    """

    def __init__(self, path: str, one_hot: Sequence[str] = ()) -> None:
        self.path = path
        self._text = read_utf8(path)
        _, first = next(self._cells(), (1, []))
        header = [name.strip() for name in first]
        _check_header(header, path)
        super().__init__(path, header[1:], one_hot=one_hot)

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        """Number of its first line, and cells, of every row, the header too."""
        # newline='' leaves line ends to the csv module, as quoted cells may hold some.
        reader = csv.reader(io.StringIO(self._text, newline=""), strict=True)
        while True:
            number = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise ValueError(
                    f"{self.path}, line {number}: {error}; a quotation mark that is "
                    "opened there is not closed, or something follows the closing one. "
                    'A cell with one in it is written "so ""quoted"" here"'
                ) from error
            yield number, cells

    def rows(self) -> Iterator[Row]:
        rows = self._cells()
        next(rows)
        for number, cells in rows:
            if any(cell.strip() for cell in cells):
                where = f"{self.path}, line {number}"
                words = [cell.strip() for cell in cells[1:]]
                if len(words) != len(self.columns):
                    raise ValueError(
                        f"{where}: found {len(words)} labels, expected "
                        f"{len(self.columns)}, one for each column of the header: "
                        f"{self.columns}"
                    )
                if not cells[0].strip():
                    raise ValueError(
                        f"{where}: the path, in the first column, is empty"
                    )
                yield Row(where, portable_path(cells[0]), words)


def _check_header(header: list[str], path: str) -> None:
    """Raise unless a row names columns.

    Raises:
        ValueError: It is empty, a sample, or separated otherwise.
    """
    like = "a header such as path,Hat,Boots"
    if not header or header == [""]:
        raise ValueError(f"{path}: the first line is the header; it is empty")
    codes = label_codes()
    labels = [name for name in header[1:] if name and name in codes]
    if labels or is_image_name(header[0]):
        raise ValueError(
            f"{path}: line 1 holds labels or an image, {header}, and a .csv list "
            f"begins with {like}: write one above it"
        )
    separators = [one for one in ";\t|" if len(header) == 1 and one in header[0]]
    if separators:
        raise ValueError(
            f"{path}: line 1 is separated by {separators[0]!r}, expected commas: {like}"
        )
    if header[0] == "" and len(header) > 1:
        raise ValueError(
            f"{path}: the first column, which holds the path, has no name in the "
            f"header {header}; pandas writes its row numbers there unless told "
            "to_csv(index=False)"
        )
    if not all(header):
        raise ValueError(
            f"{path}: the first line is the header, and none of its columns is empty; "
            f"got {header}"
        )
