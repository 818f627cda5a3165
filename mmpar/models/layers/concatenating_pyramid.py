"""A top-down pyramid by concatenation, read without ever building its levels.

Level l of ALM's pyramid is ``concat(upsample(level l + 1), lateral_l)``, the coarsest
its lateral alone. Weighted sums over a level's positions and channels are linear in the
laterals, so each lateral is read at its own resolution: instead of the maps, the short
vectors of weights along the rows and columns are carried down, by the transpose of the
bilinear upsampling. With maps of 16x8 instead of 32x16 positions and no copies this is
a fraction of the work and memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def upsampling_matrix(coarse: int, fine: int, like: Tensor) -> Tensor:
    """``(fine, coarse)``: one axis of ``interpolate(mode='bilinear')``.

    Pixel edges are aligned (``align_corners=False``), as in the published model,
    whatever the convention of its sampling grid.
    """
    identity = torch.eye(coarse, dtype=like.dtype, device=like.device)
    upsampled = F.interpolate(
        identity.unsqueeze(0), size=fine, mode="linear", align_corners=False
    )
    return upsampled[0].T


def _carry_down(weights: Tensor, sizes: Sequence[int]) -> list[Tensor]:
    """Weights ``(*, sizes[0])`` of a level as weights on each coarser lateral."""
    carried = [weights]
    for fine, coarse in zip(sizes, sizes[1:]):
        carried.append(carried[-1] @ upsampling_matrix(coarse, fine, weights))
    return carried


def pool_levels(laterals: Sequence[Tensor]) -> list[Tensor]:
    """The mean of every level over its positions.

    Args:
        laterals: Per level ``(B, C, H_l, W_l)``, finest first.

    Returns:
        Per level ``(B, (L - l) C)``, channels of the coarsest lateral first.
    """
    pooled = []
    for level in range(len(laterals)):
        read = laterals[level:]
        heights, widths = ([m.shape[axis] for m in read] for axis in (2, 3))
        rows, columns = (
            _carry_down(read[0].new_full((sizes[0],), 1 / sizes[0]), sizes)
            for sizes in (heights, widths)
        )
        parts = [
            lateral.flatten(2) @ torch.outer(y, x).flatten()
            for lateral, y, x in zip(read, rows, columns)
        ]
        pooled.append(torch.cat(parts[::-1], dim=1))
    return pooled


def read_levels(
    laterals: Sequence[Tensor],
    channel_weights: Sequence[Tensor],
    row_weights: Sequence[Tensor],
    column_weights: Sequence[Tensor],
) -> list[Tensor]:
    """Per level and attribute ``sum_yxc row[y] column[x] channel[c] level[c, y, x]``.

    Args:
        laterals: Per level ``(B, C, H_l, W_l)``, finest first.
        channel_weights: Per level ``(B, A, (L - l) C)``, coarsest lateral first.
        row_weights: Per level ``(B, A, H_l)``.
        column_weights: Per level ``(B, A, W_l)``.

    Returns:
        Per level ``(B, A)``.
    """
    heights, widths = ([m.shape[axis] for m in laterals] for axis in (2, 3))
    totals: list[Tensor | None] = [None] * len(laterals)
    channels = [
        weights.chunk(len(laterals) - level, dim=-1)[::-1]
        for level, weights in enumerate(channel_weights)
    ]
    rows = [_carry_down(w, heights[level:]) for level, w in enumerate(row_weights)]
    columns = [_carry_down(w, widths[level:]) for level, w in enumerate(column_weights)]
    for source, lateral in enumerate(laterals):
        # All levels that read this lateral at once: levels 0 to source.
        readers = range(source + 1)
        stacked = [
            torch.cat([part[level][source - level] for level in readers], dim=1)
            for part in (channels, rows, columns)
        ]
        values = _read(lateral, *stacked).chunk(len(readers), dim=1)
        for level, value in zip(readers, values):
            known = totals[level]
            totals[level] = value if known is None else known + value
    return [total for total in totals if total is not None]


def _read(lateral: Tensor, channel: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """``(B, A)`` from ``(B, C, H, W)`` and weights ``(B, A, C | H | W)``."""
    maps = (channel @ lateral.flatten(2)).unflatten(2, lateral.shape[2:])
    return ((maps * column.unsqueeze(2)).sum(-1) * row).sum(-1)
