"""Random flip that knows a left wrist from a right one."""

from __future__ import annotations

from mmcv.transforms import RandomFlip as ImageRandomFlip

from mmpar.registry import TRANSFORMS
from mmpar.structures import COCO_FLIP_ORDER, COCO_KEYPOINTS


@TRANSFORMS.register_module()
class RandomFlip(ImageRandomFlip):
    """mmcv's ``RandomFlip``, which swaps left and right keypoints as well.

    In a mirrored picture the left wrist looks like a right one. So after a horizontal
    or a vertical flip the rows of ``gt_keypoints``, shape (*, 17, 3) in COCO's order,
    change places with their mirror image; not after a diagonal one, which turns the
    picture by 180 degrees. The visibility goes with its row, and stays as it is.

    Places are continuous, as everywhere in mmpar: pixel i covers [i, i + 1), so x goes
    to w - x, for keypoints as for the edges of boxes. Boxes that are NaN stay NaN.

    Raises:
        ValueError: ``gt_keypoints`` are not COCO's 17.
    """

    def transform(self, results: dict) -> dict:
        results = super().transform(results)
        keypoints = results.get("gt_keypoints")
        if keypoints is None or results["flip_direction"] in (None, "diagonal"):
            return results
        if keypoints.ndim < 2 or keypoints.shape[-2] != len(COCO_KEYPOINTS):
            raise ValueError(
                f"gt_keypoints has the shape {keypoints.shape}; RandomFlip swaps left "
                f"and right of COCO's {len(COCO_KEYPOINTS)} keypoints, (*, 17, 3)"
            )
        results["gt_keypoints"] = keypoints[..., COCO_FLIP_ORDER, :]
        return results
