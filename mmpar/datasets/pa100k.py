"""PA-100K: 100,000 pedestrians with 26 attributes, read from its own release."""

from __future__ import annotations

import numpy as np

from mmpar.datasets.formats.pa100k import parts_of, read_pa100k
from mmpar.datasets.formats.release import Release
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
