"""Backbones that mmpretrain lacks."""

from mmpar.models.backbones.bn_inception import BNInception

__all__ = ["BNInception"]
