"""Text lists as ALM's: one picture a line, ``path 0 1 ...``."""

from __future__ import annotations

from collections.abc import Iterator

from mmpar.datasets.annotations.attribute_lists import LABEL_WORDS, wrong_label
from mmpar.datasets.annotations.files import portable_path, read_utf8
from mmpar.datasets.annotations.table import AnnotationTable
from mmpar.structures import AttributeSchema


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
        self.text = read_utf8(path)

    def read(self, schema: AttributeSchema) -> AnnotationTable:
        """All rows, labels in the order of the file, which is that of ``schema``.

        Raises:
            ValueError: A line has another number of labels, or a label that is none.
        """
        return AnnotationTable.from_rows(self._rows(schema), len(schema))

    def _rows(self, schema: AttributeSchema) -> Iterator[tuple[str, list[int]]]:
        for number, line in enumerate(self.text.split("\n"), start=1):
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
