"""From the results of a pipeline to the inputs of a model."""

from __future__ import annotations

import numpy as np
import torch
from mmpretrain.datasets.transforms import PackInputs

from mmpar.registry import TRANSFORMS
from mmpar.structures.keypoints import check_visibility


@TRANSFORMS.register_module()
class PackPARInputs(PackInputs):
    """mmpretrain's ``PackInputs`` with boxes and keypoints.

    The data sample gets ``gt_score``, the meta keys of ``PackInputs`` and, where the
    results have them,

    - ``gt_attribute_boxes`` from ``gt_bboxes``: float32, ``(A, 4)``, xyxy in pixels of
      the input, NaN where the attribute has no box;
    - ``gt_keypoints``: float32, ``(1, K, 3)``, x, y in pixels of the input, visibility
      1 (usable) or 0 (missing);
    - ``domain``, ``person_id`` and ``camera`` of the annotation, as meta information.

    Raises:
        ValueError: A keypoint has another visibility, such as a score.
    """

    def transform(self, results: dict) -> dict:
        packed = super().transform(results)
        sample = packed["data_samples"]
        if "gt_bboxes" in results:
            sample.set_field(_to_float32(results["gt_bboxes"]), "gt_attribute_boxes")
        if "gt_keypoints" in results:
            check_visibility(results["gt_keypoints"], str(results.get("img_path")))
            sample.set_field(_to_float32(results["gt_keypoints"]), "gt_keypoints")
        for name in ("domain", "person_id", "camera"):
            if name in results:
                value = results[name]
                value = value.item() if isinstance(value, np.generic) else value
                sample.set_field(value, name, field_type="metainfo")
        return packed


def _to_float32(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
