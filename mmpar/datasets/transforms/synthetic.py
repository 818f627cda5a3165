"""The picture of a SyntheticPAR sample."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform

from mmpar.registry import TRANSFORMS


@TRANSFORMS.register_module()
class DrawSyntheticPerson(BaseTransform):
    """Draws the person of a ``SyntheticPAR`` sample, or takes it from the cache.

    It stands where other pipelines load a file, and adds

    - ``img``: uint8, (H, W, 3), BGR as mmcv loads it; ``img_shape``, ``ori_shape``;
    - ``gt_bboxes``: float32, (A, 4), xyxy in pixels, the box of each attribute; NaN
      where it has none;
    - ``gt_keypoints``: float32, (1, 17, 3): x, y, visibility as in COCO.
    """

    def transform(self, results: dict) -> dict:
        if "draw" not in results:
            raise KeyError(
                "the sample has no entry 'draw'; DrawSyntheticPerson works with "
                "SyntheticPAR only, other data sets need LoadPersonImage"
            )
        person = results.pop("draw")()
        results["img"] = np.ascontiguousarray(person.image[..., ::-1])
        results["img_shape"] = results["ori_shape"] = results["img"].shape[:2]
        # Copies, as mmcv's transforms change places in place.
        results["gt_bboxes"] = person.attribute_boxes.copy()
        results["gt_keypoints"] = person.keypoints[None].copy()
        return results
