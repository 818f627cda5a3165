"""The arithmetic of the models, without registries."""

from mmpar.models.layers.feature_pyramid import FeaturePyramid
from mmpar.models.layers.prior_location_extraction import PriorLocationExtraction
from mmpar.models.layers.pyramid_pooling import max_pyramid_pool

__all__ = ["FeaturePyramid", "PriorLocationExtraction", "max_pyramid_pool"]
