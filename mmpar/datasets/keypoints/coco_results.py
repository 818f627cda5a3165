"""Keypoints from what a detector wrote in COCO's format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmpar.datasets.formats.files import Number, entry, read_json
from mmpar.datasets.keypoints.picture_names import PictureNames
from mmpar.structures import COCO_KEYPOINTS

_NUMBERS = 3 * len(COCO_KEYPOINTS)
_PIXEL_CENTRE = 0.5
"""COCO's keypoints are pixel numbers, 0 for 0.5, which is how Detectron2 reads them."""
_FARTHEST = 2.0**31
"""No picture is so large, and float32 goes farther."""
_ID = (*Number, str)


class Found(NamedTuple):
    """What a file says about N pictures."""

    values: np.ndarray
    """float32, (N, 17, 3), as in ``KeypointArray``; zeros where nobody was found."""
    without: int
    """Number of pictures in which nobody was found."""
    unknown: list[str]
    """Names of further pictures, which are not among the N."""


def read_coco_keypoints(
    file: str | Path, paths: Sequence[str], images_file: str | Path | None = None
) -> Found:
    """Keypoints of the main person of each picture, by score times area.

    The file is COCO's list of results, as detectors write it: ``[{"image_id": ...,
    "keypoints": [x, y, score, ...], "score": ...}]``; or COCO's annotation:
    ``{"images": [...], "annotations": [...]}``, where the third number is 0 not
    labelled, 1 hidden, 2 visible. Area is ``area``, or that of ``bbox``, or of the box
    around the keypoints; ``score`` is 1 where there is none.

    Args:
        file: The JSON file.
        paths: The pictures, as the data set lists them.
        images_file: A COCO file whose ``images`` say which ``image_id`` is which
            picture. Not needed where ``image_id``, or ``file_name`` of the entry, is
            the picture's name.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is of another format, an entry has no 51 finite numbers, or an
            ``image_id`` or a file name cannot be resolved.
    """
    content = _parsed(file)
    images = _parsed(images_file) if images_file else content
    name_of = _image_names(images, images_file or file)
    pictures = PictureNames(paths)
    values = np.zeros((len(paths), len(COCO_KEYPOINTS), 3), np.float32)
    weights = np.zeros(len(paths))
    unknown: dict[str, None] = {}
    for where, person, points in _people(content, file):
        name = _picture_of(person, name_of, where)
        row = pictures.find(name)
        if row is None:
            unknown[name] = None
            continue
        weight = _weight(person, points, where)
        if weight > weights[row]:
            weights[row], values[row] = weight, points
    return Found(values, int((weights == 0).sum()), list(unknown))


def _parsed(file: str | Path) -> Any:
    try:
        return read_json(str(file))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"no file {str(file)!r} of keypoints") from error


def _image_names(content: Any, file: str | Path) -> dict[Any, str]:
    if not isinstance(content, Mapping):
        return {}
    where = f"{file}, COCO's 'images'"
    return {
        entry(image, "id", _ID, where): entry(image, "file_name", str, where)
        for image in entry(content, "images", list, str(file))
    }


def _people(
    content: Any, file: str | Path
) -> Iterator[tuple[str, Mapping[str, Any], np.ndarray]]:
    """Where it stands, person, and keypoints of all who have any."""
    labelled = isinstance(content, Mapping)
    entries = content.get("annotations") if labelled else content
    if not isinstance(entries, list):
        raise ValueError(
            f"{file} is neither a list of results nor has it COCO's 'annotations'"
        )
    for i, person in enumerate(entries):
        where = f"{file}, entry {i}"
        points = _points(person, where, labelled)
        if (points[:, 2] > 0).any():
            yield where, person, points


def _points(person: Any, where: str, labelled: bool) -> np.ndarray:
    numbers = person.get("keypoints") if isinstance(person, Mapping) else None
    try:
        points = np.array(numbers, np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.shape != (_NUMBERS,) or not (np.abs(points) < _FARTHEST).all():
        raise ValueError(
            f"{where}: 'keypoints' are {_NUMBERS} finite numbers, x, y and score of "
            f"COCO's {len(COCO_KEYPOINTS)}; found {str(numbers)[:60]}"
        )
    points = points.reshape(-1, 3)
    points[:, :2] += _PIXEL_CENTRE
    # Labelled by hand: 0, 1, 2. A detector's scores may pass 1 by a little.
    flags = labelled and np.isin(points[:, 2], (0, 1, 2)).all()
    points[:, 2] = points[:, 2] / 2 if flags else np.clip(points[:, 2], 0, 1)
    points[points[:, 2] == 0] = 0
    return points


def _picture_of(
    person: Mapping[str, Any], name_of: Mapping[Any, str], where: str
) -> str:
    if "file_name" in person:
        return entry(person, "file_name", str, where)
    number = entry(person, "image_id", _ID, where)
    if number in name_of:
        return name_of[number]
    if isinstance(number, str):
        return number
    raise ValueError(
        f"{where}: nothing says which picture image_id={number!r} is; give the COCO "
        "file with these 'images' that the detector was given (--images)"
    )


def _weight(person: Mapping[str, Any], points: np.ndarray, where: str) -> float:
    """Score times area, above 0."""
    area, box, score = (person.get(name) for name in ("area", "bbox", "score"))
    try:
        if area is None:
            size = box[2:4] if box else np.ptp(points[points[:, 2] > 0, :2], axis=0)
            area = float(size[0]) * float(size[1])
        weight = float(area) * float(1 if score is None else score)
    except (TypeError, ValueError, IndexError, KeyError):
        weight = np.nan
    if not np.isfinite(weight):
        raise ValueError(
            f"{where}: 'area' and 'score' are numbers and 'bbox' is x, y, width, "
            f"height; found area={area!r}, score={score!r}, bbox={box!r}"
        )
    return max(weight, np.finfo(np.float64).tiny)
