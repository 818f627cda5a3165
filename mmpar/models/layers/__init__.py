"""The arithmetic of the models, without registries."""

from mmpar.models.layers.attribute_localization import (
    AttributeLocalization,
    Regions,
    region_boxes,
    region_weights,
)
from mmpar.models.layers.concatenating_pyramid import Lateral, pool_levels, read_levels
from mmpar.models.layers.feature_pyramid import FeaturePyramid
from mmpar.models.layers.prior_location_extraction import PriorLocationExtraction
from mmpar.models.layers.pyramid_pooling import max_pyramid_pool

__all__ = [
    "AttributeLocalization",
    "FeaturePyramid",
    "Lateral",
    "PriorLocationExtraction",
    "Regions",
    "max_pyramid_pool",
    "pool_levels",
    "read_levels",
    "region_boxes",
    "region_weights",
]
