"""Heads: from features to attribute logits."""

from mmpar.models.heads.linear_par_head import LinearPARHead
from mmpar.models.heads.par_head import PARHead
from mmpar.models.heads.sspnet_head import SSPNetHead

__all__ = ["LinearPARHead", "PARHead", "SSPNetHead"]
