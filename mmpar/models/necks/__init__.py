"""Necks: from backbone features to what the heads read."""

from mmpar.models.necks.alm_neck import ALMNeck
from mmpar.models.necks.sspnet_neck import SSPNetNeck

__all__ = ["ALMNeck", "SSPNetNeck"]
