"""What the parts of mmpar hand to each other."""

from mmpar.structures.attribute_schema import AttributeSchema, SchemaMismatchError
from mmpar.structures.keypoints import COCO_FLIP_ORDER, COCO_KEYPOINTS
from mmpar.structures.region import Region, assign_attributes, build_regions
from mmpar.structures.schemas import SCHEMAS, build_schema
from mmpar.structures.thresholds import (
    Threshold,
    build_thresholds,
    describe_thresholds,
)

__all__ = [
    "COCO_FLIP_ORDER",
    "COCO_KEYPOINTS",
    "SCHEMAS",
    "AttributeSchema",
    "Region",
    "SchemaMismatchError",
    "Threshold",
    "assign_attributes",
    "build_regions",
    "build_schema",
    "build_thresholds",
    "describe_thresholds",
]
