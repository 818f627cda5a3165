"""Boxes of tracked or detected persons, as MOTChallenge writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple, Optional

import numpy as np

from mmpar.datasets.formats.files import read_utf8, shown
from mmpar.structures.boxes import xywh_to_xyxy

_FIELDS = "frame, id, left, top, width, height"
_NO_ID = -1
"""The id of a detection."""
_GROUND_TRUTH = 9
"""Columns of the ground truth since MOT16: the eighth is the class."""
_PERSONS = (1, 2, 7)
"""Pedestrian, person on vehicle, static person; the others are no persons."""


Persons = list[tuple[list[float], Optional[int]]]
"""Box and id of the persons of an image."""


class PersonBoxes(NamedTuple):
    """The persons of N images."""

    boxes: list[np.ndarray]
    """(M, 4) of each image, xyxy in pixels."""
    ids: list[list[int | None]]
    """M ids of each image: of the track or the annotation."""
    notes: list[str]
    """What of the file was not used."""

    @classmethod
    def of(cls, persons: list[Persons], notes: list[str]) -> PersonBoxes:
        """From (left, top, width, height) and id of each person of each image."""
        boxes = [np.array([box for box, _ in one]).reshape(-1, 4) for one in persons]
        ids = [[key for _, key in one] for one in persons]
        return cls([xywh_to_xyxy(one) for one in boxes], ids, notes)


def read_mot_boxes(file: str, paths: Sequence[str]) -> PersonBoxes:
    """Boxes of the frames of one video, in the order of the file.

    Lines are ``frame, id, left, top, width, height, ...`` with frames from 1 on, as in
    ``gt.txt``, ``det.txt`` and the results of trackers. A ground truth since MOT16 (9
    columns) has classes, of which those of persons are kept.

    Args:
        file: The text file.
        paths: The frames. The number at the end of a file's name is that of the frame:
            ``img1/000001.jpg`` or ``frame_1.png``.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: A line is of another form, its frame has no image, or the images are
            not the frames of one video.
    """
    rows = _frame_numbers(paths)
    found: list[Persons] = [[] for _ in paths]
    others = 0
    for number, line in enumerate(read_utf8(file).splitlines(), 1):
        if not line.strip():
            continue
        where = f"{file}, line {number}"
        values = _values(line, where)
        if len(values) == _GROUND_TRUTH and values[7] not in _PERSONS:
            others += 1
            continue
        frame, track = int(values[0]), int(values[1])
        if frame not in rows:
            raise ValueError(
                f"{where}: frame {frame} is not among the {len(paths)} images, whose "
                f"numbers are {min(rows)} to {max(rows)}; give the folder with all "
                "frames of this video"
            )
        found[rows[frame]].append((values[2:6], None if track == _NO_ID else track))
    left_out = f"{file}: left out {others} boxes of classes that are no persons"
    return PersonBoxes.of(found, [left_out] if others else [])


def _frame_numbers(paths: Sequence[str]) -> dict[int, int]:
    """Number of a frame to the position of its image."""
    rows: dict[int, int] = {}
    for row, path in enumerate(paths):
        number = re.search(r"(\d+)(?:\.\w+)?$", path)
        if number is None or int(number[1]) == 0:
            raise ValueError(
                f"{path} is no frame of a video: its name does not end in a number, "
                "from 1 on, as MOTChallenge counts frames"
            )
        frame = int(number[1])
        if frame in rows:
            raise ValueError(
                f"{paths[rows[frame]]} and {path} are both frame {frame}; give the "
                "frames of one video"
            )
        rows[frame] = row
    return rows


def _values(line: str, where: str) -> list[float]:
    try:
        values = [float(value) for value in line.split(",")]
    except ValueError:
        values = []
    whole = all(value % 1 == 0 for value in values[:2])
    if len(values) < 6 or not (whole and all(map(math.isfinite, values))):
        raise ValueError(
            f"{where}: expected {_FIELDS} as numbers with commas between them; found "
            f"{shown(line)}"
        )
    if not (values[4] > 0 and values[5] > 0):
        raise ValueError(f"{where}: the box {values[2:6]} has no area")
    return values
