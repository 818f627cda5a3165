"""Text lists as ALM's: one picture a line, ``path 0 1 ...``."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np

from mmpar.datasets.annotations.attribute_lists import LABEL_WORDS, wrong_label
from mmpar.datasets.annotations.files import portable_path, read_utf8_bytes
from mmpar.datasets.annotations.plain_lines import PlainLines, plain_lines
from mmpar.datasets.annotations.table import AnnotationTable, PackedStrings
from mmpar.structures import AttributeSchema

_BYTES_AT_A_TIME = 1 << 20
_SHORTEST_PATH = 1 + max(map(len, LABEL_WORDS))
"""A shorter one might be a label too many."""


class TextList:
    """A text list.

    The last A fields of a line, separated by blanks or tabs, are its labels; what
    stands before them is the path, which may itself contain blanks. Blank lines, and
    lines that begin with ``#``, are skipped.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not UTF-8.
    """

    schema: AttributeSchema | None = None

    def __init__(self, path: str) -> None:
        self.path = path
        self.content = read_utf8_bytes(path)

    def read(self, schema: AttributeSchema) -> AnnotationTable:
        """All rows, labels in the order of the file, which is that of ``schema``.

        Raises:
            ValueError: A line has another number of labels, or a label that is none.
        """
        paths, ends, labels = bytearray(), array("q"), array("b")
        for rows in self._blocks(schema):
            ends.frombytes((rows.ends + len(paths)).tobytes())
            paths += rows.paths.tobytes()
            labels.frombytes(rows.labels.tobytes())
        return AnnotationTable(
            PackedStrings(np.array(paths, np.uint8), np.array(ends, np.int64)),
            np.array(labels, np.int8).reshape(-1, len(schema)),
        )

    def _blocks(self, schema: AttributeSchema) -> Iterator[PlainLines]:
        """A megabyte at a time: plain lines at once, others one by one."""
        start, number = 0, 1
        while start < len(self.content):
            stop = self.content.find(b"\n", start + _BYTES_AT_A_TIME) + 1
            block = self.content[start : stop or len(self.content)]
            rows = plain_lines(block, len(schema), _SHORTEST_PATH)
            yield rows if rows is not None else self._one_by_one(block, number, schema)
            start += len(block)
            number += block.count(b"\n")

    def _one_by_one(
        self, block: bytes, first: int, schema: AttributeSchema
    ) -> PlainLines:
        table = AnnotationTable.from_rows(
            self._rows(block.decode("utf-8"), first, schema), len(schema)
        )
        return PlainLines(table.paths.buffer, table.paths.ends, table.labels)

    def _rows(
        self, text: str, first: int, schema: AttributeSchema
    ) -> Iterator[tuple[str, list[int]]]:
        for number, line in enumerate(text.split("\n"), start=first):
            line = line.strip()
            if line and not line.startswith("#"):
                yield self._row(line, f"{self.path}, line {number}", schema)

    @staticmethod
    def _row(line: str, where: str, schema: AttributeSchema) -> tuple[str, list[int]]:
        path, *words = line.rsplit(None, len(schema))
        # A path that ends in a label means that the line has too many of them.
        if len(words) < len(schema) or path.rsplit(None, 1)[-1] in LABEL_WORDS:
            fields = line.split()
            raise ValueError(
                f"{where}: found {len(fields) - 1} labels, expected {len(schema)}, one "
                f"for each attribute of {schema.title!r}"
            )
        for name, word in zip(schema.names, words):
            if word not in LABEL_WORDS:
                raise ValueError(
                    f"{wrong_label(where, name, word)}. The last {len(schema)} fields "
                    "of a line are its labels"
                )
        return portable_path(path), [LABEL_WORDS[word] for word in words]
