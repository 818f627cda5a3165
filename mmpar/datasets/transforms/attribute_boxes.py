"""Where attributes are: boxes of an annotation file, or zones of the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmpar.datasets.formats.coco import COCOBoxes
from mmpar.registry import TRANSFORMS
from mmpar.structures import AttributeSchema, build_schema
from mmpar.structures.body_zones import ZONES, body_zones, zones_of_attributes


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


@TRANSFORMS.register_module()
class LoadBodyZones(BaseTransform):
    """Add the body zone of each attribute as its true box, from keypoints.

    With it, localization is evaluated on images without annotated boxes: whether the
    maximum of a map lies on the head for a hat, below the knees for shoes. It comes
    after the image is loaded and before it is resized. Adds ``gt_bboxes`` as
    :class:`LoadAttributeBoxes` does, NaN for an attribute without a zone and where
    keypoints are missing, see :func:`mmpar.structures.body_zones.body_zones`.

    Args:
        schema: Attributes of the dataset, as :func:`build_schema` takes them. An
            attribute's body-region group is its zone: head, upper, lower or foot.

    Raises:
        ValueError: No attribute has a zone, or a sample has no keypoints.
    """

    def __init__(self, schema: str | Mapping[str, Any] | AttributeSchema) -> None:
        attributes = build_schema(schema)
        self.zones = zones_of_attributes(attributes.names, attributes.groups)
        if (self.zones < 0).all():
            raise ValueError(
                f"no attribute of {attributes.title!r} has a body zone; its groups are "
                f"{list(attributes.groups)}, and zones are those called {list(ZONES)}"
            )

    def transform(self, results: dict) -> dict:
        if "gt_keypoints" not in results:
            raise ValueError(
                f"{results.get('img_path')} has no keypoints, from which body zones "
                "follow; write them with tools/dataset_converters/add_keypoints.py and "
                "give the dataset keypoints='keypoints.npy'"
            )
        height, width = results["ori_shape"][:2]
        found = body_zones(results["gt_keypoints"][0], width, height)
        boxes = np.full((len(self.zones), 4), np.nan, np.float32)
        known = self.zones >= 0
        boxes[known] = found[self.zones[known]]
        results["gt_bboxes"] = boxes
        return results
