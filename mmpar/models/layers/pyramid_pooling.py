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
    the two are equal.)

    Args:
        features: Feature map, ``(B, C, H, W)``.
        grid_sizes: Cells per side, one number per pyramid level.

    Returns:
        ``(B, C * sum(n * n))``: for each n the channels in order, for each channel the
        cells row by row.
    """
    return torch.cat([_grid_maxima(features, n) for n in grid_sizes], dim=1)


def _grid_maxima(features: Tensor, n: int) -> Tensor:
    if n == 1:
        return features.amax(dim=(2, 3))
    if torch.onnx.is_in_onnx_export():
        return _cell_by_cell(features, n)
    return F.adaptive_max_pool2d(features, n).flatten(1)


def _cell_by_cell(features: Tensor, n: int) -> Tensor:
    """The same from slices, in an operator that ONNX has; training would be slower."""
    height, width = (int(size) for size in features.shape[2:])
    rows, columns = _cell_slices(height, n), _cell_slices(width, n)
    cells = [features[:, :, r, c].amax(dim=(2, 3)) for r in rows for c in columns]
    return torch.stack(cells, dim=2).flatten(1)


def _cell_slices(size: int, n: int) -> list[slice]:
    return [slice(i * size // n, -(-(i + 1) * size // n)) for i in range(n)]
