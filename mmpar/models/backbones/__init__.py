"""Backbones that mmpretrain lacks."""

from mmpar.models.backbones.bn_inception import BNInception
from mmpar.models.backbones.open_clip_tower import CachedFeatures, OpenCLIPTower

__all__ = ["BNInception", "CachedFeatures", "OpenCLIPTower"]
