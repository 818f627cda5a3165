"""Prior location extraction (PLE): where inside a region an attribute shows."""

from __future__ import annotations

import torch
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

    Source: SSPNet, arXiv 2312.06049, the block form that the released code trains. Its
    sparse form (``tools/PLE.py``; its classifier calls it with a ratio of 1) thins out
    the rows and columns of this form's output: ``keep`` is that ratio. Two deliberate
    departures from that code:

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
        keep: Share of the rows, and of the columns, that have an output, in (0, 1]:
            ``int(keep * H)`` rows at even distances, the first and the last among
            them, and one at least.
    """

    def __init__(
        self,
        channels: int,
        num_points: int = 3,
        grid_convention: str = PIXEL_CENTRE,
        keep: float = 1.0,
    ) -> None:
        if not 0 < keep <= 1:
            raise ValueError(f"keep, a share of rows, is in (0, 1], got {keep}")
        super().__init__(channels, num_points)
        self.grid_convention = checked_convention(grid_convention)
        self.keep = keep

    def forward(self, features: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, C, H, W)``, or the rows and columns that are kept.

        One sampling call for all points.
        """
        return weighted_samples(
            self.projection(features), self.sampling_points(features)
        )

    def sampling_points(self, features: Tensor) -> SamplingPoints:
        """Where each position samples: K points for each of H x W positions."""
        here = features
        xs, ys = pixel_positions(features)
        if self.keep < 1:
            rows, columns = (self._kept(size, features) for size in features.shape[2:])
            here = features[:, :, rows][..., columns]
            xs, ys = xs[columns], ys[rows]
        points, weights = self.points_around(here, xs, ys)
        points = sampling_places(points, features, self.grid_convention)
        return SamplingPoints(points, weights)

    def _kept(self, size: int, like: Tensor) -> Tensor:
        """Indices of the rows or columns that have an output."""
        count = max(1, int(size * self.keep))
        return torch.linspace(0, size - 1, count).round().long().to(like.device)


def checked_convention(name: str) -> str:
    """The name of a grid convention, or a ValueError."""
    if name not in GRID_CONVENTIONS:
        raise ValueError(f"grid_convention is one of {GRID_CONVENTIONS}, got {name!r}")
    return name


def sampling_places(points: Tensor, features: Tensor, convention: str) -> Tensor:
    """Where a convention samples a map when it means ``points``, both in pixels.

    The released code normalises p to ``2 p / (size - 1) - 1``, which grid_sample takes
    as the pixel ``p size / (size - 1) - 0.5``.
    """
    if convention == PIXEL_CENTRE:
        return points
    height, width = features.shape[2:]
    stretch = [size / max(size - 1, 1) for size in (width, height)]
    return points * points.new_tensor(stretch) - 0.5
