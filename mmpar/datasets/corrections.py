"""Labels that a person corrects in a spreadsheet: written, read back, applied."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmpar.datasets.base import PARDataset
from mmpar.datasets.doctor.label_errors import Suspect
from mmpar.datasets.formats.annotation import WRITTEN, AnnotationTable, as_written
from mmpar.datasets.formats.files import match_images, read_utf8
from mmpar.utils.atomic import write_atomically

COLUMNS = ("image", "attribute", "given", "probability", "suggested", "new")


def write_review(file: str | Path, suspects: Iterable[Suspect]) -> None:
    """Write a list of labels to look at, one row each, most doubtful first.

    ``given`` and ``suggested`` are labels, ``probability`` is the model's of present.
    ``new`` is empty: a person writes 1, 0, or -1 for unknown there, and leaves it empty
    where the label is right. UTF-8 with a byte order mark, as Excel needs it.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for one in suspects:
        label = (one.image, one.attribute, one.given)
        writer.writerow([*label, f"{one.probability:.4f}", one.suggested, ""])
    write_atomically(file, text.getvalue().encode("utf-8-sig"))


@dataclass(frozen=True)
class Correction:
    """A row of a review that gives a new label.

    Args:
        line: In the file, from 1.
        given: The label that it had.
        new: 1, 0 or -1.
    """

    line: int
    image: str
    attribute: str
    given: int
    new: int


class Corrections:
    """The new labels of a review.

    Args:
        file: As :func:`write_review` wrote it and a person, or a spreadsheet, changed
            it. Rows whose ``new`` is empty are left out, columns are found by name.

    Raises:
        ValueError: A column is missing, a label is none, or one is corrected twice.
    """

    def __init__(self, file: str | Path) -> None:
        self.file = file
        self.corrections = self._read()
        self._applied: set[int] = set()

    def _read(self) -> list[Correction]:
        text = io.StringIO(read_utf8(str(self.file)), newline="")
        reader = csv.DictReader(text)
        columns = reader.fieldnames or []
        lacking = {"image", "attribute", "given", "new"} - set(columns)
        if lacking:
            raise ValueError(
                f"{self.file} lacks the columns {sorted(lacking)}, it has {columns}; "
                "they are those of check_dataset.py --review, with commas between them"
            )
        found: dict[tuple[str, str], Correction] = {}
        for row in reader:
            if not (row["new"] or "").strip():
                continue
            line = reader.line_num
            given, new = (self._label(row[name], line) for name in ("given", "new"))
            one = Correction(line, row["image"], row["attribute"], given, new)
            before = found.setdefault((one.image, one.attribute), one)
            if before is not one:
                raise ValueError(
                    f"{self.file}: lines {before.line} and {line} both correct "
                    f"{one.attribute} of {one.image}; keep one"
                )
        return list(found.values())

    def _label(self, written: str | None, line: int) -> int:
        label = WRITTEN.get(as_written(written))
        if label is None:
            raise ValueError(
                f"{self.file}, line {line}: found the label {written!r}, expected 1 "
                "(present), 0 (absent) or -1 (unknown)"
            )
        return label

    def apply(self, dataset: PARDataset) -> AnnotationTable:
        """The table of a dataset with its labels corrected.

        Rows of images that it does not have are for other splits.

        Raises:
            ValueError: It lacks an attribute, or a label is not the one that was given.
        """
        table, names = dataset.table, dataset.schema.names
        labels = table.labels.copy()
        images = [one.image for one in self.corrections]
        rows = match_images(images, list(table.paths))
        for number in np.flatnonzero(rows >= 0).tolist():
            one, row = self.corrections[number], rows[number]
            where = f"{self.file}, line {one.line}"
            if one.attribute not in names:
                raise ValueError(
                    f"{where}: {dataset.display_name} has no attribute "
                    f"{one.attribute!r}; it has {list(names)}"
                )
            column = names.index(one.attribute)
            if table.labels[row, column] != one.given:
                raise ValueError(
                    f"{where}: {one.attribute} of {one.image} is labelled "
                    f"{table.labels[row, column]} in {dataset.display_name}, not "
                    f"{one.given}; the review was made of other labels"
                )
            labels[row, column] = one.new
            self._applied.add(number)
        return AnnotationTable(table.paths, labels, table.columns)

    def require_all_applied(self) -> None:
        """Refuse to leave a correction out.

        Raises:
            ValueError: No dataset had the image of one.
        """
        left = [one for i, one in enumerate(self.corrections) if i not in self._applied]
        if left:
            raise ValueError(
                f"{self.file}: {len(left)} of {len(self.corrections)} corrections are "
                f"of images that are not written, first: line {left[0].line}, "
                f"{left[0].image}"
            )
