"""SyntheticPAR: drawn pedestrians with PA-100K's attributes, nothing to download."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.dataset import force_full_init

from mmpar.datasets.base import PARDataset
from mmpar.datasets.formats import AnnotationTable
from mmpar.registry import DATASETS, TRANSFORMS
from mmpar.synthetic import DrawnPerson, draw_person, labels_of_person


@DATASETS.register_module()
class SyntheticPAR(PARDataset):
    """Pedestrians drawn when they are needed, with true boxes and keypoints.

    Labels are sampled without drawing, so that the dataset starts at once. The first
    step of the pipeline is :class:`DrawSyntheticPerson`. A sample has the entries of
    :class:`PARDataset` and what that transform draws it from: ``seed``, ``person`` and
    ``image_size``. ``img_path`` is a name only, there is no such file.

    Args:
        num_samples: How many people the split has.
        split: ``'train'``, ``'val'`` or ``'test'``; they share nobody.
        seed: Another seed gives other people.
        image_size: Width and height of the images in pixels.
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
        self.image_size = (image_size[0], image_size[1])
        super().__init__(split=split, **kwargs)

    def load_annotations(self) -> AnnotationTable:
        first = self.SPLITS.index(self.split) * self.PEOPLE_PER_SPLIT
        people = np.arange(first, first + self.num_samples)
        labels = np.stack([labels_of_person(self.seed, int(i)) for i in people])
        names = (f"synthetic/{self.seed}/{i}" for i in people)
        return AnnotationTable.of(names, labels, dict(person=people))

    def find_missing(self, table: AnnotationTable) -> np.ndarray:
        """No row: images are drawn."""
        return np.empty(0, np.int64)

    @force_full_init
    def get_data_info(self, idx: int) -> dict[str, Any]:
        info = super().get_data_info(idx)
        info.update(seed=self.seed, image_size=self.image_size)
        return info


@TRANSFORMS.register_module()
class DrawSyntheticPerson(BaseTransform):
    """Draws the person of a :class:`SyntheticPAR` sample.

    It comes where other pipelines load a file, and adds

    - ``img``: uint8, (H, W, 3), BGR as mmcv loads it; ``img_shape``, ``ori_shape``;
    - ``gt_bboxes``: float32, (A, 4), xyxy in pixels, the box of each attribute; NaN
      where it has none;
    - ``gt_keypoints``: float32, (1, 17, 3): x, y, and 1 for a keypoint in the image,
      seen or hidden by something, 0 outside it.

    Args:
        keep: Keep what was drawn in memory, in each data loader worker for itself,
            instead of drawing it anew each epoch.

    Raises:
        KeyError: The sample is not one of ``SyntheticPAR``.
    """

    def __init__(self, keep: bool = False) -> None:
        self.keep = keep
        self._drawn: dict[tuple, DrawnPerson] = {}

    def transform(self, results: dict) -> dict:
        if not {"seed", "person", "image_size"} <= results.keys():
            raise KeyError(
                "the sample has no 'seed', 'person' and 'image_size': "
                "DrawSyntheticPerson works with SyntheticPAR only, other datasets "
                "need LoadPersonImage"
            )
        seed, index = results.pop("seed"), int(results.pop("person"))
        person = self._person(seed, index, results.pop("image_size"))
        results["img"] = np.ascontiguousarray(person.image[..., ::-1])
        results["img_shape"] = results["ori_shape"] = results["img"].shape[:2]
        # Copies, as mmcv's transforms change boxes and keypoints in place.
        results["gt_bboxes"] = person.attribute_boxes.copy()
        keypoints = person.keypoints[None].copy()
        # Hidden ones (1) are as usable as visible ones (2): their places are true.
        keypoints[..., 2] = keypoints[..., 2] > 0
        results["gt_keypoints"] = keypoints
        return results

    def _person(self, *drawn_from: Any) -> DrawnPerson:
        if not self.keep:
            return draw_person(*drawn_from)
        if drawn_from not in self._drawn:
            self._drawn[drawn_from] = draw_person(*drawn_from)
        return self._drawn[drawn_from]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(keep={self.keep})"
