"""WIDER-Attribute: 57,524 persons in 13,789 pictures of thirty kinds of scene."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine import fileio

from mmpar.datasets.formats.annotation import UNKNOWN, LabelMap, Release, as_written
from mmpar.datasets.formats.files import (
    entry,
    numbers,
    portable_path,
    read_json,
    read_utf8,
)
from mmpar.datasets.release import ReleaseDataset
from mmpar.registry import DATASETS
from mmpar.structures.boxes import xywh_to_xyxy


@DATASETS.register_module()
class WIDERAttribute(ReleaseDataset):
    """WIDER-Attribute (Li et al., ECCV 2016), as its authors release it.

    ::

        data_root/
            wider_attribute_trainval.json    (or in wider_attribute_annotation/)
            wider_attribute_test.json
            Image/train/0--Parade/...jpg, Image/val/..., Image/test/...

    Each box of a person is a sample, with ``person_box``, float64, (4,), xyxy in pixels
    of the picture; ``LoadPersonImage`` cuts it out. Labels that the release leaves
    unspecified are unknown.

    The cut-outs that OpenPAR offers are read too, where the files above are not there::

        data_root/
            Annotations/trainval_gt_label.txt, trainval_name.txt, attr_name.txt
            Annotations/test_gt_label.txt, test_name.txt
            split_image/...

    They do not tell train from val; persons whose box could not be cut out are missing.

    Layout and counts: mmlab.ie.cuhk.edu.hk/projects/WIDERAttribute.html; the format in
    words by github.com/yunpengn/MultiAttrCNN, the folders by
    github.com/Face-Human-Bench/face-human-bench.

    Args:
        split: ``'train'`` and ``'val'`` are told apart by the pictures' folder;
            ``'trainval'`` is both.
        ann_file: By default the file of the split; for cut-outs the ``_gt_label.txt``.
        kwargs: As for :class:`ReleaseDataset`.
    """

    METAINFO = dict(dataset_name="WIDER-Attribute")
    SCHEMA = "wider"
    SPLITS = ("train", "val", "test", "trainval")
    ANN_FILE = "wider_attribute_trainval.json"
    ANN_FOLDERS = ("wider_attribute_annotation",)
    PICTURE_FOLDERS = ("Image",)
    CUT_OUT_FOLDERS = ("split_image",)

    def __init__(self, *, split: str = "", ann_file: str = "", **kwargs: Any) -> None:
        self._part = "test" if split == "test" else "trainval"
        self._default_file = not ann_file
        ann_file = ann_file or f"wider_attribute_{self._part}.json"
        super().__init__(split=split, ann_file=ann_file, **kwargs)

    @classmethod
    def holds_one_split(cls, ann_file: str) -> bool:
        return super().holds_one_split(ann_file) and not cut_out_part(ann_file)

    @classmethod
    def available_splits(cls, **kwargs: Any) -> dict[str, list[int]]:
        """As of :class:`ReleaseDataset`; without ``ann_file`` of both files."""
        if kwargs.get("ann_file"):
            return super().available_splits(**kwargs)
        held: dict[str, list[int]] = {}
        for split in ("train", "test"):
            dataset = cls(lazy_init=True, **{**kwargs, "split": split})
            held.update(dataset._with_trainval(dataset._splits_in_file()))
        return held

    def _join_prefix(self) -> None:
        super()._join_prefix()
        if cut_out_part(self.ann_file):
            self.PICTURE_FOLDERS = self.CUT_OUT_FOLDERS

    def _other_places(self) -> list[str]:
        cut_outs = f"Annotations/{self._part}_gt_label.txt"
        places = super()._other_places()
        if self._default_file:
            places.append(fileio.join_path(self.data_root, cut_outs))
        return places

    def _ending(self) -> str:
        # The cut-outs' lists are of a form of their own, not ALM's .txt.
        return "" if cut_out_part(self.ann_file) else super()._ending()

    def _opened(self) -> Release:
        part = cut_out_part(self.ann_file)
        return read_cut_outs(self.ann_file, part) if part else super()._opened()

    def read_release(self) -> Release:
        return read_wider(self.ann_file)


SPLITS = ("train", "val", "test")
_CUT_OUTS = re.compile(r"(trainval|test)_(?:gt_label|name)\.txt$")
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
    content = read_json(path)
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
    return Release(
        source=path,
        attributes=attributes,
        images=images,
        labels=raw,
        partitions=_partitions(images, path),
        columns={"person_box": np.array(boxes, np.float64).reshape(-1, 4)},
        coding=_CODING,
    )


def cut_out_part(path: str) -> str:
    """``'trainval'`` or ``'test'`` for a list of cut-outs, else ``''``."""
    name = path.rpartition("/")[2]
    match = _CUT_OUTS.match(name)
    return match.group(1) if match else ""


def read_cut_outs(path: str, part: str) -> Release:
    """Read OpenPAR's lists of persons that are already cut out.

    One folder has ``{part}_name.txt``, an image a line; ``{part}_gt_label.txt``, the
    labels of an image a line, ``[1, -1, 0, ...]``; and ``attr_name.txt``, an attribute
    a line (as read by github.com/Event-AHU/OpenPAR, ``KGPAR/dataset/preprocess/
    wider.py``). A label is as in :func:`read_wider`; in a file without any -1, 0 is
    absent.

    Args:
        path: One of the first two files.
        part: ``'trainval'`` or ``'test'``, which of them it is.

    Raises:
        FileNotFoundError: One of the three is missing.
        ValueError: They differ in length, or a label is no number.
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
        _cut_out_labels(row, len(attributes), f"{label_file}, line {i}")
        for i, row in enumerate(rows, start=1)
    ]
    raw = np.array(labels, np.float64).reshape(-1, len(attributes))
    return Release(
        source=label_file,
        attributes=attributes,
        images=images,
        labels=raw,
        partitions={part: [np.arange(len(images))]},
        coding=_CODING if (raw == -1).any() else {},
    )


def _lines(path: str) -> list[str]:
    lines = [line.strip() for line in read_utf8(path).split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _cut_out_labels(line: str, count: int, where: str) -> list[float]:
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
