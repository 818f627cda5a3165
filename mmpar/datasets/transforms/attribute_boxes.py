"""Ground-truth attribute boxes from an annotation file of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmpar.datasets.formats.coco import COCOBoxes
from mmpar.registry import TRANSFORMS
from mmpar.structures import AttributeSchema, build_schema


@TRANSFORMS.register_module()
class LoadAttributeBoxes(BaseTransform):
    """Add the true boxes of an image's attributes, to evaluate localization.

    It comes after the image is loaded and before it is resized. Adds ``gt_bboxes``:
    float32, ``(A, 4)``, xyxy in pixels of the original image, NaN where an attribute
    has no box; all NaN for an image that the file does not list. Resizing and flipping
    move them. The file is read once, into arrays that forked workers share.

    Args:
        ann_file: COCO JSON, see :class:`COCOBoxes`; categories are attributes.
        schema: Attributes of the dataset, as :func:`build_schema` takes them.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is faulty, or an image does not have the size it gives.
    """

    def __init__(
        self, ann_file: str, schema: str | Mapping[str, Any] | AttributeSchema
    ) -> None:
        self.annotation = COCOBoxes(ann_file, build_schema(schema))

    def transform(self, results: dict) -> dict:
        if "ori_shape" not in results:
            raise KeyError(
                "the sample has no 'ori_shape'; LoadAttributeBoxes comes after the "
                "transform that loads the image"
            )
        annotation = self.annotation
        row = annotation.find(results["img_path"])
        if row is None:
            shape = annotation.boxes.shape[1:]
            results["gt_bboxes"] = np.full(shape, np.nan, np.float32)
            return results
        size = tuple(int(value) for value in annotation.sizes[row])
        if size != tuple(results["ori_shape"][:2]):
            raise ValueError(
                f"{annotation.path}: {results['img_path']} is listed as {size[1]} wide "
                f"and {size[0]} high, but is {results['ori_shape'][1]} x "
                f"{results['ori_shape'][0]}; the boxes belong to other images"
            )
        # A copy, as mmcv's transforms modify boxes in place.
        results["gt_bboxes"] = annotation.boxes[row].copy()
        return results
