"""CSV lists: a header ``path,Hat,...``, then one picture a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from mmpar.datasets.annotations.attribute_lists import (
    LABEL_WORDS,
    column_order,
    schema_of,
    wrong_label,
)
from mmpar.datasets.annotations.files import portable_path, read_utf8
from mmpar.datasets.annotations.table import AnnotationTable
from mmpar.structures import AttributeSchema


class CSVList:
    """A CSV list.

    The first column holds the path, whatever its name; each other column is an
    attribute. An empty cell is an unknown label. Blank rows are skipped.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not UTF-8, or its header names no attributes.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.text = read_utf8(path)
        header = [name.strip() for name in next(self._reader(), [])]
        if len(header) < 2 or not all(header[1:]):
            raise ValueError(
                f"{path}: the first line is the header, the path and at least one "
                f"attribute, separated by commas and none of them empty; got {header}"
            )
        self.schema = schema_of(header[1:], path)

    def _reader(self) -> Any:
        # newline='' leaves line ends to the csv module, as quoted cells may hold some.
        return csv.reader(io.StringIO(self.text, newline=""))

    def read(self, schema: AttributeSchema) -> AnnotationTable:
        """All rows, labels in the order of ``schema``, matched by name.

        Raises:
            ValueError: The columns are not the attributes of ``schema``, a row has
                another number of labels, or a label that is none.
        """
        order = column_order(self.schema, schema, self.path)
        return AnnotationTable.from_rows(self._rows(order), len(schema))

    def _rows(self, order: Sequence[int]) -> Iterator[tuple[str, list[int]]]:
        reader = self._reader()
        next(reader)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                labels = self._labels(cells, f"{self.path}, line {reader.line_num}")
                yield portable_path(cells[0]), [labels[i] for i in order]

    def _labels(self, cells: list[str], where: str) -> list[int]:
        names = self.schema.names
        words = [cell.strip() for cell in cells[1:]]
        if len(words) != len(names):
            raise ValueError(
                f"{where}: found {len(words)} labels, expected {len(names)}, one for "
                "each attribute of the header"
            )
        for name, word in zip(names, words):
            if word not in LABEL_WORDS:
                raise wrong_label(where, name, word)
        if not cells[0].strip():
            raise ValueError(f"{where}: the path, in the first column, is empty")
        return [LABEL_WORDS[word] for word in words]
