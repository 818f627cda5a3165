"""Losses for many labels at once."""

from mmpar.models.losses.alm_loss import ALMLoss
from mmpar.models.losses.weighted_bce import (
    MultiLabelLoss,
    WeightedBCELoss,
    WeightedLoss,
)

__all__ = ["ALMLoss", "MultiLabelLoss", "WeightedBCELoss", "WeightedLoss"]
