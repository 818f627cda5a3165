"""A random crop that moves boxes and keypoints along."""

from __future__ import annotations

import math

import mmcv
import numpy as np
from mmpretrain.datasets.transforms import RandomCrop as ImageRandomCrop

from mmpar.registry import TRANSFORMS
from mmpar.structures.boxes import clip_boxes
from mmpar.structures.keypoints import keypoints_inside


@TRANSFORMS.register_module()
class RandomCrop(ImageRandomCrop):
    """mmpretrain's ``RandomCrop``, which moves boxes and keypoints as well.

    The same arguments, the same draws, the same images. ``gt_bboxes``, ``(A, 4)``, xyxy
    in pixels, are clipped to the crop; a box outside it becomes NaN, as that of an
    attribute without one. ``gt_keypoints``, ``(1, K, 3)``, get visibility 0 outside it.
    """

    def transform(self, results: dict) -> dict:
        padded, left, top = self._pad(results["img"])
        y, x, height, width = self.rand_crop_params(padded)
        image = padded[y : y + height, x : x + width]
        results["img"], results["img_shape"] = image, image.shape
        shift = np.array((left - x, top - y), np.float32)
        if "gt_bboxes" in results:
            moved = results["gt_bboxes"] + np.tile(shift, 2)
            results["gt_bboxes"] = clip_boxes(moved, width, height)
        if "gt_keypoints" in results:
            moved = results["gt_keypoints"].copy()
            moved[..., :2] += shift
            moved[..., 2] *= keypoints_inside(moved, width, height)
            results["gt_keypoints"] = moved
        return results

    def _pad(self, image: np.ndarray) -> tuple[np.ndarray, int, int]:
        """The image as the parent pads it, and the pixels added left and on top."""
        left = top = 0
        if self.padding is not None:
            image = mmcv.impad(image, padding=self.padding, pad_val=self.pad_val)
            both = isinstance(self.padding, int)
            left, top = (self.padding,) * 2 if both else self.padding[:2]
        if self.pad_if_needed:
            missing = np.array(self.crop_size) - image.shape[:2]
            y, x = (math.ceil(max(0, side) / 2) for side in missing)
            image = mmcv.impad(
                image,
                padding=(x, y, x, y),
                pad_val=self.pad_val,
                padding_mode=self.padding_mode,
            )
            left, top = left + x, top + y
        return image, left, top
