"""Models: what mmpretrain lacks for PAR; its backbones are used as they are."""

from mmpar.models.heads import LinearPARHead, PARHead, SSPNetHead
from mmpar.models.losses import WeightedBCELoss
from mmpar.models.necks import SSPNetNeck

__all__ = ["LinearPARHead", "PARHead", "SSPNetHead", "SSPNetNeck", "WeightedBCELoss"]
