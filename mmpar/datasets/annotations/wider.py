"""WIDER-Attribute's JSON files: boxes of persons in pictures of scenes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from mmpar.datasets.annotations.files import portable_path, read_utf8
from mmpar.datasets.annotations.labels import LabelMap
from mmpar.datasets.annotations.release import Release
from mmpar.datasets.annotations.table import UNKNOWN

SPLITS = ("train", "val", "test")
_CODING: LabelMap = {-1.0: 0, 0.0: UNKNOWN}


def read_wider(path: str) -> Release:
    """Read one of the two files; each box of a person becomes a row.

    ::

        {"images": [{"file_name": "train/0--Parade/a.jpg", "scene_id": 0,
                     "targets": [{"bbox": [x, y, width, height],
                                  "attribute": [1, -1, 0, ...]}]}],
         "attribute_id_map": {"0": "Male", ...}, "scene_id_map": {"0": "Parade", ...}}

    A value of ``attribute`` is 1 present, -1 absent, 0 unspecified, which is unknown
    here. The first folder of ``file_name`` is the split. The release has the further
    column ``person_box``: float64, (N, 4), xyxy in pixels of the scene.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not of that form.
    """
    try:
        content = json.loads(read_utf8(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    attributes = _attributes(_entry(content, "attribute_id_map", dict, path), path)
    images: list[str] = []
    labels: list[list[Any]] = []
    boxes: list[list[float]] = []
    for i, image in enumerate(_entry(content, "images", list, path)):
        where = f"{path}, images[{i}]"
        name = portable_path(_entry(image, "file_name", str, where))
        for k, target in enumerate(_entry(image, "targets", list, where)):
            place = f"{where} ({name}), targets[{k}]"
            images.append(name)
            labels.append(_numbers(target, "attribute", len(attributes), place))
            boxes.append(_corners(_numbers(target, "bbox", 4, place), place))
    raw = np.array(labels, np.float64).reshape(-1, len(attributes))
    return Release(
        source=path,
        attributes=attributes,
        images=images,
        labels=raw,
        partitions=_partitions(images, path),
        columns={"person_box": np.array(boxes, np.float64).reshape(-1, 4)},
        coding=_CODING,
    )


def _entry(found: Any, name: str, kind: type, where: str) -> Any:
    value = found.get(name) if isinstance(found, dict) else None
    if not isinstance(value, kind):
        raise ValueError(
            f"{where}: {name!r} should be a {kind.__name__}, found {value!r}"
        )
    return value


def _attributes(id_map: Mapping[str, str], path: str) -> list[str]:
    """Names in the order of their numbers, which begin at 0."""
    expected = {str(i) for i in range(len(id_map))}
    if set(id_map) != expected:
        raise ValueError(
            f"{path}: attribute_id_map has the keys {sorted(id_map)}, expected the "
            f"numbers from '0' to '{len(id_map) - 1}'"
        )
    return [id_map[str(i)] for i in range(len(id_map))]


def _numbers(target: Any, name: str, count: int, where: str) -> list[float]:
    values = _entry(target, name, list, where)
    right = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    if len(values) != count or not right:
        raise ValueError(f"{where}: {name!r} is {values}, expected {count} numbers")
    return values


def _corners(box: list[float], where: str) -> list[float]:
    x, y, width, height = box
    if width <= 0 or height <= 0:
        raise ValueError(
            f"{where}: the box [x, y, width, height] = {box} has no area; repair it "
            "or take the target out"
        )
    return [x, y, x + width, y + height]


def _partitions(images: list[str], path: str) -> dict[str, list[np.ndarray]]:
    splits = np.array([name.split("/", 1)[0] for name in images], dtype=str)
    odd = np.flatnonzero(~np.isin(splits, SPLITS))
    if odd.size:
        raise ValueError(
            f"{path}: file_name {images[odd[0]]!r} does not begin with the folder of a "
            f"split, one of {list(SPLITS)}; {odd.size} boxes are like that"
        )
    found = (split for split in SPLITS if (splits == split).any())
    return {split: [np.flatnonzero(splits == split)] for split in found}
