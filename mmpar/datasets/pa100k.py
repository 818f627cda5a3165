"""PA-100K: 100,000 pedestrians with 26 attributes, read from its own release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mmpar.datasets.formats import matlab
from mmpar.datasets.formats.annotation import LabelMap, Release, checked_labels
from mmpar.datasets.release import ReleaseDataset
from mmpar.registry import DATASETS
from mmpar.structures import build_schema


@DATASETS.register_module()
class PA100K(ReleaseDataset):
    """PA-100K (Liu et al., "HydraPlus-Net", ICCV 2017), as its authors release it.

    ::

        data_root/
            annotation.mat           (or annotation/annotation.mat)
            data/000001.jpg ...      (or release_data/release_data/000001.jpg ...)

    Args:
        data_root: The folder above.
        split: ``'train'`` (80,000), ``'val'`` (10,000), ``'test'`` (10,000) or
            ``'trainval'``.
        ann_file: Another place of ``annotation.mat``.
        data_prefix: Folder of the pictures; by default whichever of the known ones
            there is.
        kwargs: As for :class:`ReleaseDataset`; there are no partitions.
    """

    METAINFO = dict(dataset_name="PA-100K")
    SCHEMA = "pa100k"
    SPLITS = ("train", "val", "test", "trainval")
    SIZES = dict(train=80_000, val=10_000, test=10_000, trainval=90_000)
    ANN_FILE = "annotation.mat"
    ANN_FOLDERS = ("annotation",)
    PICTURE_FOLDERS = ("data", "release_data/release_data", "release_data")

    def _splits_in_file(self) -> dict[str, list[int]]:
        if self._ending() != ".mat":
            return super()._splits_in_file()
        return {part: [0] for part in parts_of(self.ann_file)}

    def read_release(self) -> Release:
        parts = ("train", "val") if self.split == "trainval" else (self.split,)
        found = read_pa100k(self.ann_file, parts, self.label_map)
        expected = build_schema("pa100k")
        if tuple(found.attributes) != expected.names:
            raise ValueError(
                f"{self.ann_file} has the attributes {found.attributes}, but the "
                f"schema {expected.title!r} has {list(expected.names)}; the "
                "release's own file has the latter, in that order"
            )
        return Release(
            source=self.ann_file,
            attributes=found.attributes,
            images=found.images,
            labels=found.labels,
            partitions={self.split: [np.arange(len(found.images))]},
        )


class PA100KAnnotation(NamedTuple):
    """What the release says about N pictures."""

    attributes: list[str]
    images: list[str]
    labels: np.ndarray
    """int8, shape (N, A)."""


def parts_of(path: str) -> list[str]:
    """Which of the parts ``'train'``, ``'val'``, ``'test'`` a file has."""
    fields = matlab.read_mat(path)
    return [part for part in ("train", "val", "test") if f"{part}_label" in fields]


def read_pa100k(
    path: str, parts: Sequence[str], label_map: LabelMap | None = None
) -> PA100KAnnotation:
    """Read some of the parts ``'train'``, ``'val'``, ``'test'``, one after another.

    The fields are ``attributes``, and for each part ``{part}_images_name`` (N x 1 cells
    of cells) and ``{part}_label`` (N x 26).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A field is missing or is not as the release has it.
    """
    fields = matlab.read_mat(path)
    cells = matlab.field(fields, "attributes", path)
    attributes = matlab.strings(cells, f"{path}, attributes")
    images: list[str] = []
    labels = []
    for part in parts:
        names, rows = _read_part(fields, part, path, attributes, label_map)
        images += names
        labels.append(rows)
    return PA100KAnnotation(attributes, images, np.concatenate(labels))


def _read_part(
    fields: Mapping[str, Any],
    part: str,
    path: str,
    attributes: Sequence[str],
    label_map: LabelMap | None,
) -> tuple[list[str], np.ndarray]:
    name_field, label_field = f"{part}_images_name", f"{part}_label"
    cells = matlab.field(fields, name_field, path)
    images = matlab.strings(cells, f"{path}, {name_field}")
    labels = matlab.field(fields, label_field, path)
    if len(images) != len(labels):
        raise ValueError(
            f"{path}: {name_field} has {len(images)} pictures and {label_field} has "
            f"{len(labels)} rows; they should agree"
        )
    where = f"{path}, {label_field}"
    return images, checked_labels(labels, attributes, where, images, label_map)
