"""The keypoint form of PLE: learned points around the body's keypoints."""

from __future__ import annotations

import torch
from torch import Tensor

from mmpar.models.layers.learned_points import LearnedPoints, working_dtype
from mmpar.models.layers.point_sampling import (
    SamplingPoints,
    projected_samples,
    sample,
)
from mmpar.models.layers.prior_location_extraction import (
    PIXEL_CENTRE,
    checked_convention,
    sampling_places,
)


class KeypointLocationExtraction(LearnedPoints):
    """One output a keypoint, gathered from K learned places around it.

    Offsets and weights are predicted from the features sampled at the keypoint. A
    keypoint that is missing (visibility 0, not finite) or lies outside the region gets
    the mean of the region's projected features instead: zeros would win the max pooling
    over negative features.

    Source: SSPNet, arXiv 2312.06049, "human pose keypoint". The released code's form
    (``PLEk``, which its classifier does not use) is the block form's output at the
    pixels that keypoints lie in, without a rule for missing ones:
    ``positions='pixel'`` and ``grid_convention='official'``. Here a keypoint is a place
    between pixels, unless told otherwise.

    Args:
        channels: C, of input and output.
        num_points: K, the sampling points a keypoint.
        positions: ``'exact'``, or ``'pixel'`` for the centre of the pixel that the
            keypoint lies in.
        grid_convention: See :class:`PriorLocationExtraction`.
    """

    needs_keypoints = True

    def __init__(
        self,
        channels: int,
        num_points: int = 3,
        positions: str = "exact",
        grid_convention: str = PIXEL_CENTRE,
    ) -> None:
        if positions not in ("exact", "pixel"):
            raise ValueError(f"positions is 'exact' or 'pixel', got {positions!r}")
        super().__init__(channels, num_points)
        self.positions = positions
        self.grid_convention = checked_convention(grid_convention)

    def forward(self, features: Tensor, keypoints: Tensor) -> Tensor:
        """Features of keypoints.

        Args:
            features: The region, ``(B, C, H, W)``.
            keypoints: x, y in pixels of the region's map and visibility,
                ``(B, N, 3)``.

        Returns:
            ``(B, C, N, 1)``, in the order of the keypoints.
        """
        found = _found(features, keypoints)
        sampling = self._sampling(features, keypoints, found)
        tokens = projected_samples(features, self.projection, sampling)
        fallback = self.projection(features.mean(dim=(2, 3), keepdim=True))
        return torch.where(found[:, None], tokens, fallback.to(tokens.dtype))

    def sampling_points(self, features: Tensor, keypoints: Tensor) -> SamplingPoints:
        """Where each keypoint samples: ``(B, K, N, 1, 2)`` and ``(B, K, N, 1)``.

        A keypoint that is not found has its points about the region's centre, with
        weights of 0.
        """
        found = _found(features, keypoints)
        points, weights = self._sampling(features, keypoints, found)
        return SamplingPoints(points, weights * found[:, None])

    def _sampling(
        self, features: Tensor, keypoints: Tensor, found: Tensor
    ) -> SamplingPoints:
        height, width = features.shape[2:]
        centre = keypoints.new_tensor(((width - 1) / 2, (height - 1) / 2))
        positions = torch.where(found, keypoints[..., :2], centre)[:, :, None]
        positions = positions.to(working_dtype(features))
        if self.positions == "pixel":
            # A keypoint on the right or lower border still lies in the last pixel.
            last = positions.new_tensor((width - 1, height - 1))
            positions = torch.minimum((positions + 0.5).floor(), last)
        here = sample(features, positions)
        points, weights = self.points_around(
            here, positions[:, None, ..., 0], positions[:, None, ..., 1]
        )
        points = sampling_places(points, features, self.grid_convention)
        return SamplingPoints(points, weights)


def _found(features: Tensor, keypoints: Tensor) -> Tensor:
    """Bool, ``(B, N, 1)``: whether a keypoint is known and inside the region."""
    height, width = features.shape[2:]
    x, y, visibility = keypoints.unbind(dim=-1)
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return (inside & (visibility > 0))[..., None]
