"""Necks: from backbone features to region features."""

from mmpar.models.necks.sspnet_neck import SSPNetNeck

__all__ = ["SSPNetNeck"]
