"""A random flip that knows a left wrist from a right one."""

from __future__ import annotations

from mmcv.transforms import RandomFlip as ImageRandomFlip

from mmpar.registry import TRANSFORMS
from mmpar.structures.keypoints import COCO_FLIP_ORDER, NUM_KEYPOINTS


@TRANSFORMS.register_module()
class RandomFlip(ImageRandomFlip):
    """mmcv's ``RandomFlip``, which swaps left and right keypoints as well.

    In a mirrored image the left wrist looks like a right one. So after a horizontal or
    a vertical flip the rows of ``gt_keypoints``, ``(*, 17, 3)`` in COCO's order, swap
    with their mirror images; not after a diagonal flip, which rotates the image by 180
    degrees. The visibility moves with its row.

    Coordinates are continuous, as everywhere in mmpar: pixel i covers [i, i + 1), so x
    becomes w - x, for keypoints as for the edges of boxes. NaN boxes stay NaN.

    Raises:
        ValueError: ``gt_keypoints`` are not COCO's 17.
    """

    def transform(self, results: dict) -> dict:
        results = super().transform(results)
        keypoints = results.get("gt_keypoints")
        if keypoints is None or results["flip_direction"] in (None, "diagonal"):
            return results
        if keypoints.ndim < 2 or keypoints.shape[-2] != NUM_KEYPOINTS:
            raise ValueError(
                f"gt_keypoints has the shape {keypoints.shape}; RandomFlip swaps left "
                f"and right of COCO's {NUM_KEYPOINTS} keypoints, (*, 17, 3)"
            )
        results["gt_keypoints"] = keypoints[..., COCO_FLIP_ORDER, :]
        return results
