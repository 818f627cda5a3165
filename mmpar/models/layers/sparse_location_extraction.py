"""The sparse form of PLE: learned points around a regular sub-grid of positions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmpar.models.layers.learned_points import LearnedPoints, working_dtype
from mmpar.models.layers.point_sampling import SamplingPoints, projected_samples


class SparseLocationExtraction(LearnedPoints):
    """As the block form, but only every ``ratio``-th row and column has an output.

    The map is cut into cells of ``ratio x ratio`` pixels, smaller ones at the lower and
    right edge. A position is the centre of a cell; its offsets and weights are
    predicted from the cell's mean features. With a ratio of 1 this is the block form.

    Source: SSPNet, arXiv 2312.06049, "sparse sampling points", of which the paper gives
    no details: these are ours. The released code thins out the block form's output
    instead, see ``keep`` of :class:`PriorLocationExtraction`.

    Args:
        channels: C, of input and output.
        num_points: K, the sampling points a position.
        ratio: Pixels between neighbouring positions, at least 1.
    """

    def __init__(self, channels: int, num_points: int = 3, ratio: int = 2) -> None:
        if ratio < 1:
            raise ValueError(f"the ratio of sparse PLE is at least 1, got {ratio}")
        super().__init__(channels, num_points)
        self.ratio = ratio

    def forward(self, features: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, C, ceil(H / ratio), ceil(W / ratio))``."""
        sampling = self.sampling_points(features)
        return projected_samples(features, self.projection, sampling)

    def sampling_points(self, features: Tensor) -> SamplingPoints:
        """Where each position samples: K points for each of the cells."""
        cells = F.avg_pool2d(features, self.ratio, ceil_mode=True)
        height, width = features.shape[2:]
        return self.points_around(
            cells,
            self._centres(width, features),
            self._centres(height, features)[:, None],
        )

    def _centres(self, size: int, like: Tensor) -> Tensor:
        first = torch.arange(
            0, size, self.ratio, device=like.device, dtype=working_dtype(like)
        )
        last = (first + self.ratio - 1).clamp(max=size - 1)
        return (first + last) / 2
