"""What the learned kinds of PLE share: offsets and weights of K sampling points."""

from __future__ import annotations

import torch
from mmengine.model import kaiming_init, normal_init
from torch import Tensor, nn

from mmpar.models.layers.point_sampling import SamplingPoints


class LearnedPoints(nn.Module):
    """Base of the kinds of PLE whose sampling points move.

    1x1 convolutions give the projected features, and from the features at a position K
    offsets (x, y) in pixels of the map and K scores, whose softmax weights the samples.

    Args:
        channels: C, of input and output.
        num_points: K, the sampling points a position, at least 1.

    Raises:
        ValueError: There are less.
    """

    needs_keypoints = False

    def __init__(self, channels: int, num_points: int = 3) -> None:
        super().__init__()
        if num_points < 1:
            raise ValueError(f"the num_points of PLE is at least 1, got {num_points}")
        self.num_points = num_points
        self.projection = nn.Conv2d(channels, channels, 1)
        self.offset = nn.Conv2d(channels, 2 * num_points, 1)
        self.weight = nn.Conv2d(channels, num_points, 1)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fan-out normal as published, offsets within a fraction of a pixel."""
        for conv in (self.projection, self.weight):
            kaiming_init(conv)
        normal_init(self.offset, std=1e-3)

    def points_around(self, here: Tensor, xs: Tensor, ys: Tensor) -> SamplingPoints:
        """The sampling points of some positions.

        Args:
            here: Features at the positions, ``(B, C, H, W)``.
            xs: Where they lie, in pixels, to be broadcast to ``(B, K, H, W)``.
            ys: As ``xs``.
        """
        batch, _, height, width = here.shape
        offsets = self.offset(here).view(batch, self.num_points, 2, height, width)
        offsets = offsets.to(working_dtype(offsets))
        points = torch.stack((offsets[:, :, 0] + xs, offsets[:, :, 1] + ys), -1)
        return SamplingPoints(points, self.weight(here).softmax(dim=1))


def working_dtype(values: Tensor) -> torch.dtype:
    """The type for positions: half precision is a tenth of a pixel off."""
    half = values.dtype in (torch.float16, torch.bfloat16)
    return torch.float32 if half else values.dtype


def pixel_positions(features: Tensor) -> tuple[Tensor, Tensor]:
    """Columns ``(W,)`` and rows ``(H, 1)`` of a map, in pixels."""
    height, width = features.shape[2:]
    device, dtype = features.device, working_dtype(features)
    xs = torch.arange(width, device=device, dtype=dtype)
    ys = torch.arange(height, device=device, dtype=dtype)
    return xs, ys[:, None]
