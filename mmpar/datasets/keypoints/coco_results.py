"""Keypoints from what a detector wrote in COCO's format."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmpar.datasets.annotations.files import read_utf8
from mmpar.datasets.keypoints.picture_names import PictureNames
from mmpar.structures import COCO_KEYPOINTS

_NUMBERS = 3 * len(COCO_KEYPOINTS)
_PIXEL_CENTRE = 0.5
"""COCO's keypoints are pixel numbers, 0 for 0.5, which is how Detectron2 reads them."""


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
    for where, entry, points in _people(content, file):
        name = _picture_of(entry, name_of, where)
        row = pictures.find(name)
        if row is None:
            unknown[name] = None
            continue
        weight = _weight(entry, points, where)
        if weight > weights[row]:
            weights[row], values[row] = weight, points
    return Found(values, int((weights == 0).sum()), list(unknown))


def _parsed(file: str | Path) -> Any:
    try:
        content = read_utf8(str(file))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"no file {str(file)!r} of keypoints") from error
    try:
        return json.loads(content)
    except ValueError as error:
        raise ValueError(f"{file} is not JSON: {error}") from error


def _image_names(content: Any, file: str | Path) -> dict[Any, str]:
    if not isinstance(content, Mapping):
        return {}
    try:
        return {image["id"]: image["file_name"] for image in content["images"]}
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{file} has no COCO 'images', a list of "
            f"{{'id': ..., 'file_name': ...}}: {error!r}"
        ) from error


def _people(
    content: Any, file: str | Path
) -> Iterator[tuple[str, Mapping[str, Any], np.ndarray]]:
    """Where it stands, entry, and keypoints of all who have any."""
    labelled = isinstance(content, Mapping)
    entries = content.get("annotations") if labelled else content
    if not isinstance(entries, list):
        raise ValueError(
            f"{file} is neither a list of results nor has it COCO's 'annotations'"
        )
    for i, entry in enumerate(entries):
        where = f"{file}, entry {i}"
        points = _points(entry, where, labelled)
        if (points[:, 2] > 0).any():
            yield where, entry, points


def _points(entry: Any, where: str, labelled: bool) -> np.ndarray:
    numbers = entry.get("keypoints") if isinstance(entry, Mapping) else None
    try:
        points = np.array(numbers, np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.shape != (_NUMBERS,) or not np.isfinite(points).all():
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
    entry: Mapping[str, Any], name_of: Mapping[Any, str], where: str
) -> str:
    if "file_name" in entry:
        return str(entry["file_name"])
    number = entry.get("image_id")
    if number in name_of:
        return name_of[number]
    if isinstance(number, str):
        return number
    raise ValueError(
        f"{where}: nothing says which picture image_id={number!r} is; give the COCO "
        "file with these 'images' that the detector was given (--images)"
    )


def _weight(entry: Mapping[str, Any], points: np.ndarray, where: str) -> float:
    """Score times area, above 0."""
    area, box, score = (entry.get(name) for name in ("area", "bbox", "score"))
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
