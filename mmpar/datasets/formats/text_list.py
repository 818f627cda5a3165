"""Text lists: one picture a line, ``path 0 1 ...`` or ``path<TAB>0,1,...``."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping
from logging import INFO, WARNING
from typing import Any

import numpy as np
from mmengine.logging import print_log

from mmpar.datasets.formats.attribute_lists import is_image_name
from mmpar.datasets.formats.files import portable_path, read_utf8_bytes
from mmpar.datasets.formats.labels import LabelMap, label_codes, wrong_label
from mmpar.datasets.formats.plain_lines import PlainLines, plain_lines
from mmpar.datasets.formats.table import UNKNOWN, AnnotationTable, PackedStrings
from mmpar.structures import AttributeSchema

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
