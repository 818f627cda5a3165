"""Random crop that takes boxes along."""

from __future__ import annotations

import math

import numpy as np
from mmcv.transforms.utils import cache_random_params
from mmpretrain.datasets.transforms import RandomCrop as ImageRandomCrop

from mmpar.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomCrop(ImageRandomCrop):
    """mmpretrain's ``RandomCrop``, which moves boxes and keypoints as well.

    ``gt_bboxes``, shape (A, 4), xyxy in pixels, are clipped to the crop; one that lies
    outside becomes NaN, as that of an attribute that is not in the picture.
    ``gt_keypoints``, shape (1, K, 3), x, y in pixels and visibility, get visibility 0
    outside the crop.
    """

    def transform(self, results: dict) -> dict:
        left, top = self._padded_before(*results["img"].shape[:2])
        with cache_random_params(self):
            results = super().transform(results)
            # The draw of the line above, from the cache.
            offset_y, offset_x, _, _ = self.rand_crop_params(results["img"])
        shift = np.array([left - offset_x, top - offset_y], np.float32)
        size = results["img"].shape[:2]
        if "gt_bboxes" in results:
            moved = results["gt_bboxes"] + np.tile(shift, 2)
            results["gt_bboxes"] = clip_boxes(moved, *size)
        if "gt_keypoints" in results:
            results["gt_keypoints"] = _moved(results["gt_keypoints"], shift, *size)
        return results

    def _padded_before(self, height: int, width: int) -> tuple[int, int]:
        """Pixels padded on the left and on top of a picture of this size."""
        padding = self.padding or 0
        if isinstance(padding, int):
            padding = (padding, padding)
        left, top = padding[:2]
        right, bottom = padding[-2:]
        if self.pad_if_needed:
            missing_y = self.crop_size[0] - (height + top + bottom)
            missing_x = self.crop_size[1] - (width + left + right)
            top += math.ceil(max(0, missing_y) / 2)
            left += math.ceil(max(0, missing_x) / 2)
        return left, top


def clip_boxes(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Boxes, (A, 4) xyxy, cut to a picture; NaN where nothing is left."""
    limits = np.array([width, height] * 2, boxes.dtype)
    clipped = np.clip(boxes, 0, limits)
    empty = (clipped[:, 0] >= clipped[:, 2]) | (clipped[:, 1] >= clipped[:, 3])
    clipped[empty] = np.nan
    return clipped


def _moved(
    keypoints: np.ndarray, shift: np.ndarray, height: int, width: int
) -> np.ndarray:
    moved = keypoints.copy()
    moved[..., :2] += shift
    x, y = moved[..., 0], moved[..., 1]
    moved[..., 2] *= (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return moved
