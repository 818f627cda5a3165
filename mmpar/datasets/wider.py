"""WIDER-Attribute: 57,524 persons in 13,789 pictures of thirty kinds of scene."""

from __future__ import annotations

from typing import Any

from mmengine import fileio

from mmpar.datasets.formats.release import Release
from mmpar.datasets.formats.wider import (
    cut_out_part,
    read_cut_outs,
    read_wider,
)
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
