"""WIDER-Attribute: 57,524 persons in 13,789 images of thirty kinds of scene.

Boxes of persons in scenes, from JSON; or crops of persons, from text lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine import fileio

from mmpar.datasets.base import PARDataset
from mmpar.datasets.formats import files
from mmpar.datasets.formats.annotation import (
    UNKNOWN,
    Annotation,
    LabelMap,
    as_written,
    pack_paths,
)
from mmpar.datasets.formats.files import entry, numbers, portable_path, read_utf8
from mmpar.datasets.formats.lists import read_text
from mmpar.datasets.formats.openmmlab_json import annotation_of
from mmpar.registry import DATASETS
from mmpar.structures.boxes import xywh_to_xyxy

SPLITS = ("train", "val", "test")
_CROPS = re.compile(r"(trainval|test)_(?:gt_label|name)\.txt$")
_CODING: LabelMap = {-1.0: 0, 0.0: UNKNOWN}


def read_wider(content: Any, path: str) -> Annotation:
    """The annotation of one of the two files; each box of a person becomes a row.

    ::

        {"images": [{"file_name": "train/0--Parade/a.jpg", "scene_id": 0,
                     "targets": [{"bbox": [x, y, width, height],
                                  "attribute": [1, -1, 0, ...]}]}],
         "attribute_id_map": {"0": "Male", ...}, "scene_id_map": {"0": "Parade", ...}}

    A value of ``attribute`` is 1 present, -1 absent, 0 unspecified, which is unknown
    here. The first folder of ``file_name`` is the split. The release has the further
    column ``bbox``: float64, (N, 4), xyxy in pixels of the scene.

    Raises:
        ValueError: It is not of that form.
    """
    attributes = _attributes(entry(content, "attribute_id_map", dict, path), path)
    images: list[str] = []
    labels: list[list[Any]] = []
    boxes: list[list[float]] = []
    for i, image in enumerate(entry(content, "images", list, path)):
        where = f"{path}, images[{i}]"
        name = portable_path(entry(image, "file_name", str, where))
        for k, target in enumerate(entry(image, "targets", list, where)):
            place = f"{where} ({name}), targets[{k}]"
            images.append(name)
            labels.append(numbers(target, "attribute", len(attributes), place))
            boxes.append(_corners(numbers(target, "bbox", 4, place), place))
    raw = np.array(labels, np.float64).reshape(-1, len(attributes))
    return Annotation(
        source=path,
        attributes=attributes,
        images=pack_paths(images),
        labels=raw,
        partitions=_partitions(images, path),
        columns={"bbox": np.array(boxes, np.float64).reshape(-1, 4)},
        label_map=_CODING,
    )


def crops_part(path: str) -> str:
    """``'trainval'`` or ``'test'`` for a list of crops, else ``''``."""
    match = _CROPS.match(path.rpartition("/")[2])
    return match.group(1) if match else ""


def read_crops(path: str, part: str) -> Annotation:
    """Read OpenPAR's lists of persons that are already cropped.

    One folder has ``{part}_name.txt``, one image per line; ``{part}_gt_label.txt``, the
    labels of one image per line, ``[1, -1, 0, ...]``; and ``attr_name.txt``, one
    attribute per line (as read by github.com/Event-AHU/OpenPAR,
    ``KGPAR/dataset/preprocess/wider.py``). A label is as in :func:`read_wider`; in a
    file without any -1, 0 is absent.

    Args:
        path: One of the first two files.
        part: ``'trainval'`` or ``'test'``, which of them it is.

    Raises:
        FileNotFoundError: One of the three is missing.
        ValueError: They differ in length, or a label is not a number.
    """
    folder = path[: -len(path.rpartition("/")[2])]
    label_file = f"{folder}{part}_gt_label.txt"
    attributes = _lines(f"{folder}attr_name.txt")
    images = _lines(f"{folder}{part}_name.txt")
    rows = _lines(label_file)
    if len(images) != len(rows):
        raise ValueError(
            f"{label_file} has {len(rows)} lines and {part}_name.txt beside it "
            f"{len(images)}; they should agree"
        )
    labels = [
        _crop_labels(row, len(attributes), f"{label_file}, line {i}")
        for i, row in enumerate(rows, start=1)
    ]
    raw = np.array(labels, np.float64).reshape(-1, len(attributes))
    return Annotation(
        source=label_file,
        attributes=attributes,
        images=pack_paths(images),
        labels=raw,
        partitions={part: {0: np.arange(len(images))}},
        label_map=_CODING if (raw == -1).any() else {},
    )


def _lines(path: str) -> list[str]:
    lines = [line.strip() for line in read_utf8(path).split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _crop_labels(line: str, count: int, where: str) -> list[float]:
    words = line.strip("[]").replace(",", " ").split()
    values = [value for value in map(as_written, words) if isinstance(value, float)]
    if not len(words) == len(values) == count:
        raise ValueError(
            f"{where}: found {line[:80]!r}, expected the labels of {count} attributes "
            "(attr_name.txt) as [1, -1, 0, ...]"
        )
    return values


def _attributes(id_map: Mapping[str, Any], path: str) -> list[str]:
    """Names in the order of their numbers, which begin at 0."""
    expected = {str(i) for i in range(len(id_map))}
    if set(id_map) != expected:
        raise ValueError(
            f"{path}: attribute_id_map has the keys {sorted(id_map)}, expected the "
            f"numbers from '0' to '{len(id_map) - 1}'"
        )
    where = f"{path}, attribute_id_map"
    return [entry(id_map, str(i), str, where) for i in range(len(id_map))]


def _corners(box: list[float], where: str) -> list[float]:
    if box[2] <= 0 or box[3] <= 0:
        raise ValueError(
            f"{where}: the box [x, y, width, height] = {box} has no area; repair it "
            "or take the target out"
        )
    return xywh_to_xyxy(np.array(box, np.float64)).tolist()


def _partitions(images: list[str], path: str) -> dict[str, dict[int, np.ndarray]]:
    splits = np.array([name.split("/", 1)[0] for name in images], dtype=str)
    odd = np.flatnonzero(~np.isin(splits, SPLITS))
    if odd.size:
        raise ValueError(
            f"{path}: file_name {images[odd[0]]!r} does not begin with the folder of a "
            f"split, one of {list(SPLITS)}; this concerns {odd.size} boxes"
        )
    found = (split for split in SPLITS if (splits == split).any())
    return {split: {0: np.flatnonzero(splits == split)} for split in found}


def read_json(path: str) -> Annotation:
    """Read WIDER-Attribute's own file, or an OpenMMLab 2.0 annotation file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is neither.
    """
    content = files.read_json(path)
    is_openmmlab = isinstance(content, dict) and "metainfo" in content
    return (annotation_of if is_openmmlab else read_wider)(content, path)


def read_txt(path: str) -> Annotation:
    """Read OpenPAR's lists of crops, or a text list."""
    part = crops_part(path)
    return read_crops(path, part) if part else read_text(path)


@DATASETS.register_module()
class WIDERAttribute(PARDataset):
    """WIDER-Attribute (Li et al., ECCV 2016), as its authors release it.

    ::

        data_root/
            wider_attribute_trainval.json    (or in wider_attribute_annotation/)
            wider_attribute_test.json
            Image/train/0--Parade/...jpg, Image/val/..., Image/test/...

    Each box of a person is a sample, with ``bbox``, float64, (4,), xyxy in pixels
    of the image; ``LoadPersonImage`` crops it. Labels that the release leaves
    unspecified are unknown.

    The crops that OpenPAR offers are read too, where the files above are not there::

        data_root/
            Annotations/trainval_gt_label.txt, trainval_name.txt, attr_name.txt
            Annotations/test_gt_label.txt, test_name.txt
            split_image/...

    They do not tell train from val; persons whose box could not be cropped are missing.

    Layout and counts: mmlab.ie.cuhk.edu.hk/projects/WIDERAttribute.html; the format in
    words by github.com/yunpengn/MultiAttrCNN, the folders by
    github.com/Face-Human-Bench/face-human-bench.

    Args:
        split: ``'train'`` and ``'val'`` are distinguished by the images' folder;
            ``'trainval'`` is both.
        ann_file: By default the file of the split; for crops the ``_gt_label.txt``.
        kwargs: As for :class:`PARDataset`.
    """

    METAINFO = dict(dataset_name="WIDER-Attribute")
    SCHEMA = "wider"
    SPLITS = ("train", "val", "test", "trainval")
    FORMATS = {**PARDataset.FORMATS, ".json": read_json, ".txt": read_txt}
    ANN_FILE = "wider_attribute_{part}.json"
    ANN_DIRS: tuple[str, ...] = ("wider_attribute_annotation",)
    IMAGE_DIRS = ("Image",)

    def __init__(self, *, split: str = "", ann_file: str = "", **kwargs: Any) -> None:
        self._part = "" if ann_file else "test" if split == "test" else "trainval"
        super().__init__(split=split, ann_file=ann_file, **kwargs)

    def _other_places(self) -> list[str]:
        places = super()._other_places()
        if self._part:
            crops = f"Annotations/{self._part}_gt_label.txt"
            places.append(fileio.join_path(self.data_root, crops))
        return places

    def _image_dir(self) -> str:
        if crops_part(self.ann_file):
            self.IMAGE_DIRS = ("split_image",)
        return super()._image_dir()
