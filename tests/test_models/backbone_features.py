"""Random features of the size that a backbone gives."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

STRIDES = (4, 8, 16, 32)


def backbone_features(
    channels: Sequence[int], height: int, width: int, batch: int = 2
) -> list[Tensor]:
    """Stages ``(B, C_l, H_l, W_l)``, finest first; odd sizes are rounded up."""
    generator = torch.Generator().manual_seed(1)
    shapes = [
        (batch, c, -(-height // stride), -(-width // stride))
        for c, stride in zip(channels, STRIDES)
    ]
    return [
        torch.randn(shape, dtype=torch.float64, generator=generator) for shape in shapes
    ]
