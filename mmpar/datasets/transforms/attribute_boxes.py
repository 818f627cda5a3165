"""True attribute boxes from an annotation file beside the labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmpar.datasets.formats.coco_boxes import COCOBoxes
from mmpar.registry import TRANSFORMS
from mmpar.structures import AttributeSchema, build_schema


@TRANSFORMS.register_module()
class LoadAttributeBoxes(BaseTransform):
    """Add the boxes of a picture's attributes, to judge localization by.

    Stands after the picture is loaded and before it is resized. Adds ``gt_bboxes``:
    float32, (A, 4), (x1, y1, x2, y2) in pixels of the original picture, NaN where an
    attribute has no box; all NaN for a picture that the file does not list. Resizing
    and flipping move them. The file is read at once, into arrays that forked workers
    share.

    Args:
        ann_file: COCO JSON, see :class:`COCOBoxes`; categories are attributes.
        schema: Attributes of the data set, as :func:`build_schema` takes them.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is faulty, or a picture has another size than it says.
    """

    def __init__(
        self, ann_file: str, schema: str | Mapping[str, Any] | AttributeSchema
    ) -> None:
        self.annotation = COCOBoxes(ann_file, build_schema(schema))

    def transform(self, results: dict) -> dict:
        if "ori_shape" not in results:
            raise KeyError(
                "the sample has no 'ori_shape'; LoadAttributeBoxes stands after the "
                "transform that loads the picture"
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
                f"{annotation.path}: {results['img_path']} is given as {size[1]} wide "
                f"and {size[0]} high, but is {results['ori_shape'][1]} x "
                f"{results['ori_shape'][0]}; the boxes belong to other pictures"
            )
        # A copy, as mmcv's transforms change places in place.
        results["gt_bboxes"] = annotation.boxes[row].copy()
        return results
