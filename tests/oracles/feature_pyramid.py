"""The feature pyramid, every level whole."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def resampling(size: int, new_size: int) -> Tensor:
    """Linear interpolation between pixel centres as a matrix ``(new_size, size)``."""
    matrix = torch.zeros(new_size, size, dtype=torch.float64)
    for i in range(new_size):
        position = min(max((i + 0.5) * size / new_size - 0.5, 0), size - 1)
        below = math.floor(position)
        matrix[i, below] += 1 - (position - below)
        if position > below:
            matrix[i, below + 1] += position - below
    return matrix


def feature_pyramid(pyramid, stages: Sequence[Tensor]) -> list[Tensor]:
    """All levels ``(B, C, H_l, W_l)``, finest first."""
    summed: list[Tensor] = []
    for lateral, stage in zip(reversed(pyramid.laterals), reversed(stages)):
        level = F.conv2d(stage, lateral.weight, lateral.bias)
        if summed:
            coarser = summed[0]
            rows = resampling(coarser.shape[2], level.shape[2])
            columns = resampling(coarser.shape[3], level.shape[3])
            level = level + rows @ coarser @ columns.T
        summed.insert(0, level)
    smoothed = [
        F.conv2d(level, smooth.weight, smooth.bias, padding=1)
        for level, smooth in zip(summed, pyramid.smooths)
    ]
    return [*smoothed, summed[-1]]
