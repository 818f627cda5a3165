"""What the parts of mmpar hand to each other."""

from mmpar.structures.attribute_schema import AttributeSchema, SchemaMismatchError
from mmpar.structures.decision import (
    Calibration,
    Conformal,
    DecisionRule,
    SetSoftmax,
    exclusive_set_names,
)
from mmpar.structures.image_quality import ImageQuality, measure_image_quality
from mmpar.structures.keypoints import COCO_FLIP_ORDER, COCO_KEYPOINTS
from mmpar.structures.model_card import ModelCard
from mmpar.structures.ontology import Transfer, infer, meanings_of, relation
from mmpar.structures.preprocessing import Preprocessing
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
    "Calibration",
    "Conformal",
    "DecisionRule",
    "ImageQuality",
    "ModelCard",
    "Preprocessing",
    "Region",
    "SchemaMismatchError",
    "SetSoftmax",
    "Threshold",
    "Transfer",
    "assign_attributes",
    "build_regions",
    "build_schema",
    "build_thresholds",
    "describe_thresholds",
    "exclusive_set_names",
    "infer",
    "meanings_of",
    "measure_image_quality",
    "relation",
]
