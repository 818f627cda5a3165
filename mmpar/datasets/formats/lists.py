"""A user's own lists: text, and those whose columns have names, such as CSV."""

from __future__ import annotations

import csv
import io
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from logging import INFO, WARNING
from typing import Any, NamedTuple

import numpy as np
from mmengine.logging import print_log

from mmpar.datasets.formats.annotation import (
    COLUMNS,
    UNKNOWN,
    Annotation,
    AnnotationTable,
    LabelMap,
    PackedStrings,
    Words,
    is_image_name,
    label_codes,
    wrong_label,
)
from mmpar.datasets.formats.files import (
    log_once,
    portable_path,
    read_utf8,
    read_utf8_bytes,
)
from mmpar.structures import AttributeSchema
from mmpar.structures.attribute_schema import composed
from mmpar.structures.persons import UNKNOWN_PERSON
from mmpar.utils.repeats import repeated

# --- text -----------------------------------------------------------------------------

_NEWLINE, _TAB, _BLANK, _HASH, _COMMA, _ZERO = b"\n\t #,0"
_BACKSLASH, _DELETE = b"\\\x7f"
_ENDS = np.frombuffer(b",;|:", np.uint8)
"""What a path does not end in; see :func:`read_text`."""


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


def read_text(path: str) -> TextList:
    """Read a text list, one image per line: ``path 0 1 ...`` or ``path<TAB>0,1,...``.

    The last A fields of a line are its labels, separated by blanks or tabs as in ALM's
    lists, or by commas, one of which may follow the last (PP-Human and PaddleClas:
    github.com/PaddlePaddle/PaddleDetection,
    docs/advanced_tutorials/customization/pphuman_attribute.md). What is before them is
    the path, which may itself contain blanks. In a list for prediction no line has
    labels: each is the path of an image, with its ending.

    Blank lines are skipped, and so are those that begin with ``#``; the log says how
    many. An image whose name begins so is listed as ``./#name.jpg``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not UTF-8.
    """
    content = read_utf8_bytes(path)
    none = PackedStrings.pack(())
    return TextList(path, None, none, np.empty((0, 0), np.int8), content=content)


@dataclass(frozen=True)
class TextList(Annotation):
    """A text list, whose lines can be read once the number of labels is known."""

    content: bytes = b""

    def select(
        self,
        schema: AttributeSchema,
        split: str = "",
        partition: int = 0,
        label_map: LabelMap | None = None,
        trainval: Sequence[str] = (),
    ) -> AnnotationTable:
        """All rows; labels are in the order of the file, which is that of ``schema``.

        Raises:
            ValueError: A line does not have the expected number of labels, or has an
                invalid one, or some lines have labels and others have none.
        """
        self.rows(split, partition)
        reader = _LineReader(self.source, schema, label_codes(label_map))
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
        codes: Word to label, see :func:`label_codes`.
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
        """Log what was skipped, and whether labels are there."""
        if self._labelled and not self._labelled[0]:
            self._say("no line has labels: all are unknown, for prediction only")
        if self._comments:
            self._say(f"{self._comments} lines begin with # and are comments")
        if self._like_samples:
            self._say(
                f"of these, {len(self._like_samples)} look like samples, first "
                f"{self._like_samples[0]}. They are skipped; if the name of an image "
                "begins with #, write ./#name.jpg",
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
        """Path and labels (empty if the line has none); ``None`` if it is faulty."""
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
        return path[-1:] in ("", *_BETWEEN) or path.split()[-1] in self._codes

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
        """What is wrong with a line that is not a sample."""
        count = len(self._schema)
        alone = re.findall(r"[^\s,]+", line)
        if all(word in self._codes for word in alone):
            return ValueError(
                f"{where}: found labels alone ({len(alone)}; the schema has {count} "
                f"attributes) and no path before them, expected {_FORMS}"
            )
        found, marks = self._labels_at_the_end(line)
        if self._labelled is None and found == 0 and self._is_header(line):
            return ValueError(
                f"{where}: found {line!r}; a .txt list has no header, its labels are "
                f"in the order of the schema, {list(self._schema.names)}. Take the "
                "line out, or make a .csv list of it"
            )
        by_commas = "," in line.split()[-1]
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
        """How many labels a line ends in, and what separates them wrongly."""
        word = f"(?:{'|'.join(map(re.escape, self._codes))})"
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


# --- columns with names ---------------------------------------------------------------

_WHOLE_NUMBER = re.compile(r"-?\d{1,18}(\.0*)?")
"""Of 64 bits; longer ones stay text."""


class Row(NamedTuple):
    """One image of a list."""

    line: int
    path: str
    cells: Sequence[Any]
    """What is in each of the columns."""


def named_columns(
    source: str,
    columns: Sequence[str],
    rows: Iterable[Row],
    attributes: Sequence[str] = (),
    **fields: Any,
) -> Annotation:
    """The annotation of a list that names its columns.

    A column of ``COLUMNS`` becomes one of the annotation: numbers if all of it are
    whole numbers, else text, where an empty cell is ``''`` (an unnamed person among
    numbers is -1). Each other column is an attribute.

    Args:
        source: The file.
        columns: Names of all its columns but the path.
        rows: Each with a cell for every column.
        attributes: Columns that are attributes even if named in ``COLUMNS``.
        fields: Further fields of the annotation.

    Raises:
        ValueError: A column is there twice.
    """
    names = [composed(name) for name in columns]
    twice = sorted(repeated(names))
    if twice:
        raise ValueError(
            f"{source} repeats the columns {twice}; give each a name of its own"
        )
    forced = {composed(name) for name in attributes}
    further = {n: [] for n in names if n in COLUMNS and n not in forced}  # type: dict
    labelled = [name for name in names if name not in further]
    place_of = {name: place for place, name in enumerate(names)}
    label_places = [place_of[name] for name in labelled]
    places = [(found, place_of[name]) for name, found in further.items()]
    words, labels, lines = Words(), array("B"), array("I")

    def paths() -> Iterator[str]:
        nonlocal labels
        for row in rows:
            try:
                found = [words[row.cells[i]] for i in label_places]
            except TypeError:  # not hashable, such as a list
                odd = next(i for i in label_places if row.cells[i].__hash__ is None)
                where = f"{source}, row {row.line} ({row.path})"
                raise wrong_label(where, names[odd], row.cells[odd]) from None
            if len(words) > 256 and labels.typecode == "B":
                labels = array("I", labels)
            labels.extend(found)
            lines.append(row.line)
            for values, place in places:
                values.append(row.cells[place])
            yield row.path

    images = PackedStrings.pack(paths())
    if further:
        log_once(f"{source}: {[*further]} are not read as attributes")
    if not labelled:
        log_once(
            f"{source} has no column of labels: all are unknown, so it is for "
            "prediction only"
        )
    found = {name: column_of(name, values) for name, values in further.items()}
    return Annotation(
        source,
        labelled,
        images,
        np.array(labels).reshape(len(images), len(labelled)),
        columns=found,
        words=list(words),
        **{"lines": np.array(lines), "partitions": partitions_of(found), **fields},
    )


def partitions_of(
    columns: Mapping[str, np.ndarray], numbers: np.ndarray | None = None
) -> dict[str, dict[int, np.ndarray]] | None:
    """The rows of each split, in the order of the file.

    Args:
        columns: With ``split``; without it, the result is ``None``.
        numbers: Partition of each row; by default all are of 0.
    """
    if "split" not in columns:
        return None
    splits = columns["split"]
    numbers = np.zeros(len(splits), np.int64) if numbers is None else numbers
    found: dict[str, dict[int, np.ndarray]] = {}
    for split in dict.fromkeys(splits.tolist()):
        here = np.flatnonzero(splits == split)
        for number in dict.fromkeys(numbers[here].tolist()):
            found.setdefault(split, {})[number] = here[numbers[here] == number]
    return found


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


# --- CSV ------------------------------------------------------------------------------


def read_csv(path: str) -> Annotation:
    """Read a CSV list: a header ``path,Hat,...``, then one image per row.

    The first column holds the path, whatever its name; for the others see
    :func:`named_columns`. An empty cell is an unknown label. Blank rows are skipped.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not UTF-8, has no header, or a quotation mark in it
            that is not closed; a row has too few or too many labels, or no path.
    """
    cells = _csv_cells(path)
    _, first = next(cells, (1, []))
    header = [name.strip() for name in first]
    _check_header(header, path)
    return named_columns(path, header[1:], _csv_rows(cells, header[1:], path))


def _csv_cells(path: str) -> Iterator[tuple[int, list[str]]]:
    """Number of its first line, and cells, of every row, the header too."""
    # newline='' leaves line ends to the csv module, as quoted cells may hold some.
    reader = csv.reader(io.StringIO(read_utf8(path), newline=""), strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(
                f"{path}, line {number}: {error}; a quotation mark that is opened "
                "there is not closed, or something follows the closing one. A cell "
                'with one in it is written "so ""quoted"" here"'
            ) from error
        yield number, cells


def _csv_rows(
    rows: Iterator[tuple[int, list[str]]], columns: Sequence[str], path: str
) -> Iterator[Row]:
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        where = f"{path}, line {number}"
        words = [cell.strip() for cell in cells[1:]]
        if len(words) != len(columns):
            raise ValueError(
                f"{where}: found {len(words)} labels, expected {len(columns)}, one for "
                f"each column of the header: {list(columns)}"
            )
        if not cells[0].strip():
            raise ValueError(f"{where}: the path, in the first column, is empty")
        yield Row(number, portable_path(cells[0]), words)


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
    if header[0] == "":
        raise ValueError(
            f"{path}: the first column, which holds the path, has no name in the "
            f"header {header}; pandas writes its row numbers there unless called "
            "as to_csv(index=False)"
        )
    if not all(header):
        raise ValueError(
            f"{path}: the first line is the header, and none of its columns is empty; "
            f"got {header}"
        )
