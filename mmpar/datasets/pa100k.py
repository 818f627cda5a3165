"""PA-100K: 100,000 pedestrians with 26 attributes, read from its own release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine import fileio

from mmpar.datasets.annotations import AnnotationTable
from mmpar.datasets.annotations.files import portable_path
from mmpar.datasets.annotations.pa100k import read_pa100k
from mmpar.datasets.base import PARDataset
from mmpar.datasets.image_files import is_local
from mmpar.registry import DATASETS


@DATASETS.register_module()
class PA100K(PARDataset):
    """PA-100K (Liu et al., "HydraPlus-Net", ICCV 2017), as its authors release it.

    ::

        data_root/
            annotation.mat
            data/000001.jpg ...      (or release_data/release_data/000001.jpg ...)

    Args:
        data_root: The folder above.
        split: ``'train'`` (80,000), ``'val'`` (10,000), ``'test'`` (10,000) or
            ``'trainval'``.
        ann_file: Another place of ``annotation.mat``.
        data_prefix: Folder of the pictures; by default whichever of the known ones
            there is.
        kwargs: As for :class:`PARDataset`.
    """

    METAINFO = dict(dataset_name="PA-100K")
    SCHEMA = "pa100k"
    SPLITS = ("train", "val", "test", "trainval")
    PICTURE_FOLDERS = ("data", "release_data/release_data", "release_data")
    """Where the release's archive and its copies put the pictures."""

    def __init__(
        self,
        *,
        ann_file: str = "annotation.mat",
        data_prefix: str | Mapping[str, str] = "",
        **kwargs: Any,
    ) -> None:
        self._find_pictures = not data_prefix
        super().__init__(ann_file=ann_file, data_prefix=data_prefix, **kwargs)

    def load_annotations(self) -> AnnotationTable:
        parts = ("train", "val") if self.split == "trainval" else (self.split,)
        found = read_pa100k(self.ann_file, parts)
        if tuple(found.attributes) != self.schema.names:
            raise ValueError(
                f"{self.ann_file} has the attributes {found.attributes}, but the "
                f"schema {self.schema.title!r} has {list(self.schema.names)}; the "
                "release's own file has the latter, in that order"
            )
        if self._find_pictures:
            self.data_prefix["img_path"] = self._picture_folder()
        return AnnotationTable.of(map(portable_path, found.images), found.labels)

    def _picture_folder(self) -> str:
        folders = [
            fileio.join_path(self.data_root, name) for name in self.PICTURE_FOLDERS
        ]
        if not is_local(self.data_root, self.backend_args):
            return folders[0]
        for folder in folders:
            if fileio.isdir(folder):
                return folder
        raise FileNotFoundError(
            f"found none of the picture folders {folders}; unpack the release there or "
            "give the folder as data_prefix"
        )
