"""Max pyramid pooling: the maxima of a feature map over grids of several sizes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def max_pyramid_pool(features: Tensor, grid_sizes: Sequence[int]) -> Tensor:
    """Concatenate the maxima over an n x n grid of cells, for each n.

    On maps that n does not divide, neighbouring cells overlap by a row or column, as in
    :func:`torch.nn.functional.adaptive_max_pool2d`. (The released SSPNet pads such maps
    with zeros instead, which lets a padded zero win over negative features. At 256x192
    both are the same.)

    Args:
        features: Feature map, ``(B, C, H, W)``.
        grid_sizes: Cells a side, one number a pyramid level.

    Returns:
        ``(B, C * sum(n * n))``: for each n the channels in order, for each channel the
        cells row by row.
    """
    pooled = [
        features.amax(dim=(2, 3))
        if n == 1
        else F.adaptive_max_pool2d(features, n).flatten(1)
        for n in grid_sizes
    ]
    return torch.cat(pooled, dim=1)
