"""A top-down pyramid by concatenation, read without ever building its levels.

Level l of ALM's pyramid is ``concat(upsample(level l + 1), lateral_l)``, the coarsest
its lateral alone, and a lateral is a 1x1 convolution of a backbone stage. Means over a
level's positions are linear in all of this, so a stage is read at its own resolution:
instead of maps, the short vectors of weights along rows and columns are carried down,
by the transpose of the bilinear upsampling, and where there are fewer regions than
positions the convolution is run on the means instead of the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PointwiseConv(nn.Conv2d):
    """A 1x1 convolution of a map, or of vectors, for which a product is faster.

    Args:
        in_channels: C_in.
        out_channels: C.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Maps ``(B, C_in, H, W)`` or vectors ``(B, R, C_in)``, to C channels."""
        if features.ndim == 4:
            return super().forward(features)
        return F.linear(features, self.weight.flatten(1), self.bias)


class LateralMap(NamedTuple):
    """What a lateral gives, or a stage whose lateral is still to be run on its means.

    Args:
        features: ``(B, C, H, W)``, or the stage ``(B, C_in, H, W)``.
        pending: The lateral, if it has not been run.
    """

    features: Tensor
    pending: PointwiseConv | None = None

    @classmethod
    def of(cls, lateral: nn.Module, stage: Tensor, num_means: int) -> LateralMap:
        """Run a lateral on the stage, or later on ``num_means`` means if it is cheaper.

        Means commute with a 1x1 convolution, but not with what may stand in for it, and
        a hook expects the map: only a bare convolution waits.
        """
        hooks = (lateral._forward_hooks, lateral._forward_pre_hooks)
        if type(lateral) is PointwiseConv and not any(hooks):
            inputs, outputs = lateral.in_channels, lateral.out_channels
            positions = stage.shape[2] * stage.shape[3]
            now = positions * outputs * (inputs + num_means)
            later = num_means * inputs * (positions + outputs)
            if later < now:
                return cls(stage, lateral)
        return cls(lateral(stage))

    def means(self, positions: Tensor) -> Tensor:
        """Weighted means over the positions.

        Args:
            positions: Weights that sum to 1 over the last axis, ``(R, H W)`` or
                ``(B, R, H W)``.

        Returns:
            ``(B, R, C)``.
        """
        flat = self.features.flatten(2).transpose(1, 2)
        means = positions.to(flat.dtype) @ flat
        return means if self.pending is None else self.pending(means)


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


def _carry_down(weights: Sequence[Tensor], sizes: Sequence[int]) -> list[list[Tensor]]:
    """Per source lateral, the weights ``(*, size)`` of the levels that read it.

    Args:
        weights: Per level ``(*, sizes[level])``, finest first.
        sizes: Of one axis, per level.
    """
    per_source: list[list[Tensor]] = []
    for source, weight in enumerate(weights):
        carried = []
        if source:
            matrix = upsampling_matrix(sizes[source], sizes[source - 1], weight)
            carried = [finer @ matrix for finer in per_source[-1]]
        per_source.append([*carried, weight])
    return per_source


def _positions(
    laterals: Sequence[LateralMap], rows: Sequence[Tensor], columns: Sequence[Tensor]
) -> list[Tensor]:
    """Per source ``(*, reads, H W)``: weights of all levels that read it, finest first.

    Args:
        laterals: L of them, finest first.
        rows: Per level ``(*, reads, H_l)``.
        columns: Per level ``(*, reads, W_l)``.
    """
    heights, widths = ([m.features.shape[axis] for m in laterals] for axis in (2, 3))
    return [
        (
            torch.cat(y, dim=-2).unsqueeze(-1) * torch.cat(x, dim=-2).unsqueeze(-2)
        ).flatten(-2)
        for y, x in zip(_carry_down(rows, heights), _carry_down(columns, widths))
    ]


def pool_levels(laterals: Sequence[LateralMap]) -> list[Tensor]:
    """The mean of every level over its positions.

    Args:
        laterals: Per level C channels, finest first.

    Returns:
        Per level ``(B, (L - l) C)``, channels of the coarsest lateral first.
    """
    like = laterals[0].features
    dtype = torch.promote_types(like.dtype, torch.float32)
    rows, columns = (
        [
            like.new_full((1, size), 1 / size, dtype=dtype)
            for size in (lateral.features.shape[axis] for lateral in laterals)
        ]
        for axis in (2, 3)
    )
    means = [
        lateral.means(positions)
        for lateral, positions in zip(laterals, _positions(laterals, rows, columns))
    ]
    return [
        torch.cat([mean[:, level] for mean in reversed(means[level:])], dim=1)
        for level in range(len(laterals))
    ]


def pool_regions(
    laterals: Sequence[LateralMap],
    channels: Sequence[Tensor],
    rows: Sequence[Tensor],
    columns: Sequence[Tensor],
) -> list[Tensor]:
    """Per level and attribute ``sum_yxc row[y] column[x] channel[c] level[c, y, x]``.

    Args:
        laterals: Per level C channels, finest first.
        channels: Weights per level ``(B, A, (L - l) C)``, coarsest lateral first.
        rows: Weights per level ``(B, A, H_l)``, summing to 1.
        columns: Weights per level ``(B, A, W_l)``, summing to 1.

    Returns:
        Per level ``(B, A)``.
    """
    count = len(laterals)
    # Per level the part of each lateral, the level's own first.
    parts = [w.chunk(count - level, -1)[::-1] for level, w in enumerate(channels)]
    totals: list[list[Tensor]] = [[] for _ in laterals]
    for source, positions in enumerate(_positions(laterals, rows, columns)):
        means = laterals[source].means(positions).chunk(source + 1, dim=1)
        for level, mean in enumerate(means):
            totals[level].append((mean * parts[level][source - level]).sum(-1))
    return [torch.stack(values).sum(0) for values in totals]
