"""Necks: from backbone stages to what a head reads."""

from mmpar.models.necks.global_max_pooling import GlobalMaxPooling
from mmpar.models.necks.sspnet_neck import SSPNetNeck

__all__ = ["GlobalMaxPooling", "SSPNetNeck"]
