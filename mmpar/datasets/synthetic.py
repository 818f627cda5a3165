"""SyntheticPAR: drawn pedestrians with PA-100K's attributes, nothing to download."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from mmengine.dataset import force_full_init

from mmpar.datasets.annotations import AnnotationTable
from mmpar.datasets.base import PARDataset
from mmpar.datasets.drawing import PersonSource, labels_of_person
from mmpar.registry import DATASETS


@DATASETS.register_module()
class SyntheticPAR(PARDataset):
    """Pedestrians drawn when they are needed, with true boxes and keypoints.

    Labels are sampled without drawing, so that the data set starts at once. The first
    step of the pipeline is ``DrawSyntheticPerson``. A sample has the entries of
    :class:`PARDataset` and ``draw``, which that transform uses up; ``img_path`` is a
    name only, there is no such file.

    Args:
        num_samples: How many people the split has.
        split: ``'train'``, ``'val'`` or ``'test'``; they share nobody.
        seed: Another seed gives other people.
        image_size: Width and height of the pictures in pixels.
        cache: ``None`` draws on the fly; ``'memory'`` or a folder keeps the pictures
            (see :class:`PersonSource`).
        kwargs: As for :class:`PARDataset`; nothing is written, so no ``label_map``.

    Raises:
        ValueError: Unknown split, ``label_map``, or a number of samples that a split
            cannot have.
    """

    METAINFO = dict(dataset_name="SyntheticPAR")
    SCHEMA = "pa100k"
    SPLITS = ("train", "val", "test")
    PEOPLE_PER_SPLIT = 10**9

    def __init__(
        self,
        *,
        num_samples: int,
        split: str,
        seed: int = 0,
        image_size: tuple[int, int] = (96, 192),
        cache: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not 0 < num_samples <= self.PEOPLE_PER_SPLIT:
            raise ValueError(
                f"num_samples of a split is 1 to {self.PEOPLE_PER_SPLIT}, "
                f"got {num_samples}"
            )
        if kwargs.get("label_map"):
            raise ValueError(
                f"label_map={kwargs['label_map']} has no effect on SyntheticPAR, whose "
                "labels are drawn; leave it out"
            )
        self.num_samples = num_samples
        self.seed = seed
        self._source = PersonSource(seed, (image_size[0], image_size[1]), cache)
        super().__init__(split=split, **kwargs)

    def load_annotations(self) -> AnnotationTable:
        first = self.SPLITS.index(self.split) * self.PEOPLE_PER_SPLIT
        people = np.arange(first, first + self.num_samples)
        labels = np.stack([labels_of_person(self.seed, int(i)) for i in people])
        names = (f"synthetic/{self.seed}/{i}" for i in people)
        return AnnotationTable.of(names, labels, dict(person=people))

    def find_missing(self, table: AnnotationTable) -> np.ndarray:
        """No row: pictures are drawn."""
        return np.empty(0, np.int64)

    @force_full_init
    def get_data_info(self, idx: int) -> dict[str, Any]:
        info = super().get_data_info(idx)
        info["draw"] = partial(self._source, int(info.pop("person")))
        return info
