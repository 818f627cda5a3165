"""Prior location extraction (PLE): where inside a region an attribute shows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmengine.model import kaiming_init, normal_init
from torch import Tensor, nn

GRID_CONVENTIONS = ("pixel_centre", "official")


class PriorLocationExtraction(nn.Module):
    """Every position gathers features from K learned places around it.

    From the features at a position, 1x1 convolutions predict K offsets (x, y) in pixels
    of the feature map and K weights that sum to 1. The output there is the weighted sum
    of the projected features, sampled bilinearly at position + offset, zero outside the
    map.

    Source: SSPNet, arXiv 2312.06049, the block form that the released code trains. Two
    deliberate departures from that code:

    - It turns pixels into grid_sample's coordinates by dividing by ``size - 1`` but
      samples with ``align_corners=False``, so an offset of zero does not return the
      position itself. Here it does; ``grid_convention='official'`` restores theirs,
      which its weights need.
    - Its fan-out initialisation of the offset convolutions throws the sampling points
      15 pixels apart at the start, mostly outside the region. Offsets start near zero
      here, and the module as a plain 1x1 convolution.

    Args:
        channels: C, of input and output.
        num_points: K, the sampling points a position.
        grid_convention: ``'pixel_centre'`` or ``'official'``.
    """

    def __init__(
        self,
        channels: int,
        num_points: int = 3,
        grid_convention: str = "pixel_centre",
    ) -> None:
        super().__init__()
        if grid_convention not in GRID_CONVENTIONS:
            raise ValueError(
                f"grid_convention is one of {GRID_CONVENTIONS}, got {grid_convention!r}"
            )
        self.num_points = num_points
        self.grid_convention = grid_convention
        self.projection = nn.Conv2d(channels, channels, 1)
        self.offset = nn.Conv2d(channels, 2 * num_points, 1)
        self.weight = nn.Conv2d(channels, num_points, 1)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fan-out normal as published, offsets within a fraction of a pixel."""
        for conv in (self.projection, self.weight):
            kaiming_init(conv)
        normal_init(self.offset, std=1e-3)

    def forward(self, features: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, C, H, W)``; one sampling call for all points."""
        batch, channels, height, width = features.shape
        points = self.sampling_points(features)
        values = self.projection(features)
        sampled = F.grid_sample(
            values.to(points.dtype),
            self._normalise(points.reshape(batch, -1, width, 2), height, width),
            mode="bilinear",
            padding_mode="zeros",
            align_corners=False,
        ).to(values.dtype)
        sampled = sampled.view(batch, channels, self.num_points, height, width)
        weights = self.weight(features).softmax(dim=1)
        out = sampled[:, :, 0] * weights[:, None, 0]
        for k in range(1, self.num_points):  # a fused sum: no B x C x K product
            out = torch.addcmul(out, sampled[:, :, k], weights[:, None, k])
        return out

    def sampling_points(self, features: Tensor) -> Tensor:
        """Where each position samples: ``(B, K, H, W, 2)``, (x, y) in map pixels."""
        batch, _, height, width = features.shape
        offsets = self.offset(features).view(batch, self.num_points, 2, height, width)
        if offsets.dtype in (torch.float16, torch.bfloat16):
            offsets = offsets.float()  # half precision is a tenth of a pixel off
        ys = torch.arange(height, device=features.device, dtype=offsets.dtype)
        xs = torch.arange(width, device=features.device, dtype=offsets.dtype)
        return torch.stack((offsets[:, :, 0] + xs, offsets[:, :, 1] + ys[:, None]), -1)

    def _normalise(self, points: Tensor, height: int, width: int) -> Tensor:
        size = points.new_tensor((width, height))
        if self.grid_convention == "official":
            return points * (2 / (size - 1).clamp(min=1)) - 1
        return (points + 0.5) * (2 / size) - 1
