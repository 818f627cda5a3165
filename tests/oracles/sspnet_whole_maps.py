"""SSPNet's neck as one would write it at first: whole levels, then their regions.

Fast enough for the size of real images, and so what the fast form is timed against.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmpar.models import SSPNetNeck
from mmpar.models.layers import BlockPLE, FeaturePyramid


def sspnet_neck(neck: SSPNetNeck, stages: list[Tensor]) -> dict[str, Tensor]:
    """Whole levels smoothed, regions cut out of them, then PLE."""
    levels = feature_pyramid(neck.pyramid, stages)
    outputs = {}
    for region in neck.regions:
        level = levels[region.level - 1]
        start, stop = region.row_range(level.shape[2])
        outputs[region.name] = block_ple(neck.ple, level[:, :, start:stop])
    return outputs


def feature_pyramid(pyramid: FeaturePyramid, stages: list[Tensor]) -> list[Tensor]:
    """Every level, whole; the coarsest is not smoothed."""
    merged = [lateral(x) for lateral, x in zip(pyramid.laterals, stages)]
    for i in reversed(range(len(merged) - 1)):
        size = merged[i].shape[2:]
        merged[i] = merged[i] + F.interpolate(merged[i + 1], size, mode="bilinear")
    smoothed = [smooth(x) for smooth, x in zip(pyramid.smooths, merged)]
    return [*smoothed, merged[-1]]


def block_ple(ple: BlockPLE, region: Tensor) -> Tensor:
    """One call of grid_sample for each sampling point."""
    height, width = region.shape[2:]
    values = ple.projection(region)
    offsets = ple.offset(region)
    weights = ple.weight(region).softmax(dim=1)
    y, x = torch.meshgrid(
        torch.arange(height, device=region.device),
        torch.arange(width, device=region.device),
        indexing="ij",
    )
    output = torch.zeros_like(values)
    for k in range(ple.num_points):
        at_x = (2 * (x + offsets[:, 2 * k]) + 1) / width - 1
        at_y = (2 * (y + offsets[:, 2 * k + 1]) + 1) / height - 1
        grid = torch.stack((at_x, at_y), dim=-1)
        sampled = F.grid_sample(values, grid, align_corners=False)
        output = output + weights[:, k : k + 1] * sampled
    return output
