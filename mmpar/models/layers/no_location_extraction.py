"""No place prior: the region's features as they are, for the ablation."""

from __future__ import annotations

from torch import Tensor, nn

from mmpar.models.layers.learned_points import pixel_positions
from mmpar.models.layers.point_sampling import SamplingPoints


class NoLocationExtraction(nn.Module):
    """The identity, with the interface of PLE and without parameters."""

    needs_keypoints = False

    def forward(self, features: Tensor) -> Tensor:
        """``(B, C, H, W)`` as it came."""
        return features

    def sampling_points(self, features: Tensor) -> SamplingPoints:
        """One point a position: itself, with the weight 1."""
        batch, _, height, width = features.shape
        xs, ys = pixel_positions(features)
        points = xs.new_empty(batch, 1, height, width, 2)
        points[..., 0], points[..., 1] = xs, ys
        return SamplingPoints(points, points.new_ones(batch, 1, height, width))
