"""Max pyramid pooling, one cell at a time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def max_pyramid_pool(features: Tensor, grid_sizes: Sequence[int]) -> Tensor:
    """``(B, C, H, W)`` to ``(B, C * sum(n * n))``; cells round outwards."""
    _, channels, height, width = features.shape
    rows = []
    for picture in features:
        values = []
        for n in grid_sizes:
            for c in range(channels):
                for i in range(n):
                    for j in range(n):
                        top, bottom = i * height // n, -(-(i + 1) * height // n)
                        left, right = j * width // n, -(-(j + 1) * width // n)
                        values.append(picture[c, top:bottom, left:right].max())
        rows.append(torch.stack(values))
    return torch.stack(rows)
