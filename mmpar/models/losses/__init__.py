"""Losses for many labels at once."""

from mmpar.models.losses.weighted_bce import WeightedBCELoss

__all__ = ["WeightedBCELoss"]
