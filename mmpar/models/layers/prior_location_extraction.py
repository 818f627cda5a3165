"""Prior location extraction (PLE): where inside a region an attribute shows."""

from __future__ import annotations

from torch import Tensor

from mmpar.models.layers.learned_points import LearnedPoints, pixel_positions
from mmpar.models.layers.point_sampling import SamplingPoints, weighted_samples

PIXEL_CENTRE = "pixel_centre"
OFFICIAL = "official"
GRID_CONVENTIONS = (PIXEL_CENTRE, OFFICIAL)


class PriorLocationExtraction(LearnedPoints):
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
        grid_convention: str = PIXEL_CENTRE,
    ) -> None:
        if grid_convention not in GRID_CONVENTIONS:
            raise ValueError(
                f"grid_convention is one of {GRID_CONVENTIONS}, got {grid_convention!r}"
            )
        super().__init__(channels, num_points)
        self.grid_convention = grid_convention

    def forward(self, features: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, C, H, W)``; one sampling call for all points."""
        return weighted_samples(
            self.projection(features), self.sampling_points(features)
        )

    def sampling_points(self, features: Tensor) -> SamplingPoints:
        """Where each position samples: K points for each of H x W positions."""
        points, weights = self.points_around(features, *pixel_positions(features))
        if self.grid_convention == OFFICIAL:
            points = _official_places(points, *features.shape[2:])
        return SamplingPoints(points, weights)


def _official_places(points: Tensor, height: int, width: int) -> Tensor:
    """Where the released code samples when it means ``points``, both in pixels.

    It normalises p to ``2 p / (size - 1) - 1``, which grid_sample takes as the pixel
    ``p size / (size - 1) - 0.5``.
    """
    stretch = [size / max(size - 1, 1) for size in (width, height)]
    return points * points.new_tensor(stretch) - 0.5
