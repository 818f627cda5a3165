"""WIDER-Attribute: 57,524 persons in 13,789 pictures of thirty kinds of scene."""

from __future__ import annotations

from typing import Any

from mmpar.datasets.annotations.release import Release
from mmpar.datasets.annotations.wider import read_wider
from mmpar.datasets.release import ReleaseDataset
from mmpar.registry import DATASETS


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

    Layout and counts: mmlab.ie.cuhk.edu.hk/projects/WIDERAttribute.html; the format in
    words by github.com/yunpengn/MultiAttrCNN, the folders by
    github.com/Face-Human-Bench/face-human-bench.

    Args:
        split: ``'train'`` and ``'val'`` are told apart by the pictures' folder;
            ``'trainval'`` is both.
        ann_file: By default the file of the split.
        kwargs: As for :class:`ReleaseDataset`.
    """

    METAINFO = dict(dataset_name="WIDER-Attribute")
    SCHEMA = "wider"
    SPLITS = ("train", "val", "test", "trainval")
    ANN_FOLDER = "wider_attribute_annotation"
    PICTURE_FOLDERS = ("Image",)

    def __init__(self, *, split: str = "", ann_file: str = "", **kwargs: Any) -> None:
        part = "test" if split == "test" else "trainval"
        own = f"wider_attribute_{part}.json"
        super().__init__(split=split, ann_file=ann_file or own, **kwargs)

    def read_release(self) -> Release:
        if self._ending() != ".json":
            return super().read_release()
        return read_wider(self.annotation_file())
