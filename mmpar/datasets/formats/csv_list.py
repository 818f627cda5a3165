"""CSV lists: a header ``path,Hat,...``, then one picture a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from mmpar.datasets.formats.attribute_lists import is_image_name
from mmpar.datasets.formats.files import portable_path, read_utf8
from mmpar.datasets.formats.labels import label_codes
from mmpar.datasets.formats.named_list import NamedList, Row


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
