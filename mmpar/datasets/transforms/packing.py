"""From the results of a pipeline to what a model is given."""

from __future__ import annotations

import numpy as np
import torch
from mmpretrain.datasets.transforms import PackInputs

from mmpar.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackPARInputs(PackInputs):
    """mmpretrain's ``PackInputs`` with what is known about places in the picture.

    The data sample gets ``gt_score``, the meta keys of ``PackInputs``, and if they are
    there

    - ``gt_attribute_boxes`` from ``gt_bboxes``: float32, shape (A, 4), xyxy in pixels
      of the input, NaN where the attribute has no box;
    - ``gt_keypoints``: float32, in pixels of the input;
    - ``domain``, ``person_id`` and ``camera`` of the annotation, as meta information.
    """

    def transform(self, results: dict) -> dict:
        packed = super().transform(results)
        sample = packed["data_samples"]
        if "gt_bboxes" in results:
            sample.set_field(_floats(results["gt_bboxes"]), "gt_attribute_boxes")
        if "gt_keypoints" in results:
            sample.set_field(_floats(results["gt_keypoints"]), "gt_keypoints")
        for name in ("domain", "person_id", "camera"):
            if name in results:
                value = results[name]
                value = value.item() if isinstance(value, np.generic) else value
                sample.set_field(value, name, field_type="metainfo")
        return packed


def _floats(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
