"""The weighted loss, one label at a time."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def label_weight(label: float, ratio: float, weighting: str | None) -> float:
    """Weight of one known label of an attribute with this share of positives."""
    if weighting is None:
        return 1.0
    if weighting == "exponential":
        return math.exp(1 - ratio) if label == 1 else math.exp(ratio)
    ratio = min(max(ratio, 1e-4), 1 - 1e-4)
    if weighting == "strong_baseline_square_root":
        ratio = math.sqrt(ratio)
    return math.sqrt(1 / (2 * ratio if label == 1 else 2 * (1 - ratio)))


def weighted_bce(
    logits: Tensor, target: Tensor, ratios: Tensor, weighting: str | None
) -> Tensor:
    """Sum over known labels, divided by the number of images."""
    total = torch.zeros((), dtype=logits.dtype)
    for b in range(logits.shape[0]):
        for a in range(logits.shape[1]):
            label = float(target[b, a])
            if label == -1:
                continue
            probability = 1 / (1 + (-logits[b, a]).exp())
            chance = probability if label == 1 else 1 - probability
            weight = label_weight(label, float(ratios[a]), weighting)
            total = total - weight * chance.log()
    return total / logits.shape[0]
