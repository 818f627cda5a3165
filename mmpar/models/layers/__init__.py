"""The arithmetic of the models; of these, configs name the forms of PLE alone."""

from mmpar.models.layers.attribute_localization import (
    AffineRegions,
    AttributeLocalization,
    region_boxes,
    region_weights,
)
from mmpar.models.layers.calibration import CalibratedScores
from mmpar.models.layers.cell_grid import CellGrid, cell_grids
from mmpar.models.layers.concatenating_pyramid import (
    LateralMap,
    PointwiseConv,
    pool_levels,
    pool_regions,
)
from mmpar.models.layers.exclusive_softmax import (
    ExclusiveLogOdds,
    exclusive_set_losses,
)
from mmpar.models.layers.feature_pyramid import FeaturePyramid
from mmpar.models.layers.lora import add_lora, fit_lora
from mmpar.models.layers.point_sampling import SamplingPoints
from mmpar.models.layers.prior_location_extraction import (
    BlockPLE,
    IdentityPLE,
    KeypointPLE,
    LearnedPLE,
    SparsePLE,
)
from mmpar.models.layers.pyramid_pooling import max_pyramid_pool
from mmpar.models.layers.region_modules import modules_by_region
from mmpar.models.layers.scale_selection import (
    LevelMixture,
    RegionFeatures,
    ScaleSelection,
    name_scales,
)

__all__ = [
    "AffineRegions",
    "AttributeLocalization",
    "BlockPLE",
    "CalibratedScores",
    "CellGrid",
    "ExclusiveLogOdds",
    "FeaturePyramid",
    "IdentityPLE",
    "KeypointPLE",
    "LateralMap",
    "LearnedPLE",
    "LevelMixture",
    "PointwiseConv",
    "RegionFeatures",
    "SamplingPoints",
    "ScaleSelection",
    "SparsePLE",
    "add_lora",
    "cell_grids",
    "exclusive_set_losses",
    "fit_lora",
    "max_pyramid_pool",
    "modules_by_region",
    "name_scales",
    "pool_levels",
    "pool_regions",
    "region_boxes",
    "region_weights",
]
