"""Weighted sums of feature samples at given points: the arithmetic of every PLE."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SamplingPoints(NamedTuple):
    """Where each output position looks, and how much each place counts.

    Args:
        points: (x, y) in pixels of the map, 0 the centre of the first pixel,
            ``(B, K, H, W, 2)``.
        weights: Not negative, summing to 1 over K (to 0 where a position looks
            nowhere), ``(B, K, H, W)``.
    """

    points: Tensor
    weights: Tensor


def sample(values: Tensor, points: Tensor) -> Tensor:
    """Sample a map bilinearly, zero outside.

    Args:
        values: ``(B, C, H_map, W_map)``.
        points: (x, y) in pixels of the map, ``(B, H, W, 2)``.

    Returns:
        ``(B, C, H, W)``.
    """
    height, width = values.shape[2:]
    size = points.new_tensor((width, height))
    grid = (points + 0.5) * (2 / size) - 1
    sampled = F.grid_sample(values.to(points.dtype), grid, align_corners=False)
    return sampled.to(values.dtype)


def weighted_samples(values: Tensor, sampling: SamplingPoints) -> Tensor:
    """``(B, C, H_map, W_map)`` to ``(B, C, H, W)``; one call samples all points."""
    points = sampling.points
    weights = sampling.weights.to(values.dtype)  # autocast has softmax in float32
    batch, num_points, height, width, _ = points.shape
    sampled = sample(values, points.reshape(batch, num_points * height, width, 2))
    sampled = sampled.view(batch, values.shape[1], num_points, height, width)
    out = sampled[:, :, 0] * weights[:, None, 0]
    for k in range(1, num_points):  # a fused sum: no B x C x K product
        out = torch.addcmul(out, sampled[:, :, k], weights[:, None, k])
    return out


def projected_samples(
    features: Tensor, projection: nn.Conv2d, sampling: SamplingPoints
) -> Tensor:
    """``weighted_samples(projection(features), sampling)``, projected last.

    Sampling and the 1x1 convolution commute, but for the bias, which counts as much as
    the samples lie inside the map. Cheaper where there are fewer positions than pixels.
    """
    gathered = weighted_samples(features, sampling)
    # Expanded, so without memory of its own; len() would fix the batch size in ONNX.
    ones = features.new_ones(1).expand(features.shape[0], 1, *features.shape[2:])
    inside = weighted_samples(ones, sampling)
    assert projection.bias is not None
    projected = F.conv2d(gathered, projection.weight)
    bias = inside * projection.bias[:, None, None]
    return projected + bias.to(projected.dtype)  # autocast's type, as the block form's
