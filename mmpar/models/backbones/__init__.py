"""Backbones that mmpretrain lacks."""

from mmpar.models.backbones.bn_inception import BNInception
from mmpar.models.backbones.open_clip_tower import CachedFeatures, OpenCLIPTower
from mmpar.models.backbones.resnet_ibn import ResNetIBN
from mmpar.models.backbones.timm_features import TimmFeatures
from mmpar.models.backbones.vit_pyramid import ViTPyramid

__all__ = [
    "BNInception",
    "CachedFeatures",
    "OpenCLIPTower",
    "ResNetIBN",
    "TimmFeatures",
    "ViTPyramid",
]
