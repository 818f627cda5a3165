"""The arithmetic of the models, without registries."""

from mmpar.models.layers.attribute_localization import (
    AttributeLocalization,
    Regions,
    region_boxes,
    region_weights,
)
from mmpar.models.layers.concatenating_pyramid import Lateral, pool_levels, read_levels
from mmpar.models.layers.feature_pyramid import FeaturePyramid
from mmpar.models.layers.keypoint_location_extraction import KeypointLocationExtraction
from mmpar.models.layers.location_extraction import build_location_extraction
from mmpar.models.layers.no_location_extraction import NoLocationExtraction
from mmpar.models.layers.point_sampling import SamplingPoints
from mmpar.models.layers.prior_location_extraction import PriorLocationExtraction
from mmpar.models.layers.pyramid_pooling import max_pyramid_pool
from mmpar.models.layers.region_modules import modules_by_region
from mmpar.models.layers.scale_selection import (
    LevelMixture,
    RegionFeatures,
    ScaleSelection,
    name_scales,
)
from mmpar.models.layers.sparse_location_extraction import SparseLocationExtraction

__all__ = [
    "AttributeLocalization",
    "FeaturePyramid",
    "KeypointLocationExtraction",
    "Lateral",
    "LevelMixture",
    "NoLocationExtraction",
    "PriorLocationExtraction",
    "RegionFeatures",
    "Regions",
    "SamplingPoints",
    "ScaleSelection",
    "SparseLocationExtraction",
    "build_location_extraction",
    "max_pyramid_pool",
    "modules_by_region",
    "name_scales",
    "pool_levels",
    "read_levels",
    "region_boxes",
    "region_weights",
]
