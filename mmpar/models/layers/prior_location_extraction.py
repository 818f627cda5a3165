"""Prior location extraction (PLE): where inside a region an attribute shows.

All forms have one interface: ``ple(features)``, or ``ple(features, keypoints)`` where
``needs_keypoints``, and ``sampling_points`` with the same arguments. A config names one
by ``ple=dict(type="BlockPLE", num_points=3)``.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmengine.model import kaiming_init, normal_init
from torch import Tensor, nn

from mmpar.models.layers.point_sampling import (
    SamplingPoints,
    projected_samples,
    sample,
    weighted_samples,
)
from mmpar.registry import MODELS

PIXEL_CENTRE = "pixel_centre"
OFFICIAL = "official"
GRID_CONVENTIONS = (PIXEL_CENTRE, OFFICIAL)


class LearnedPLE(nn.Module):
    """Base of the forms whose sampling points move.

    1x1 convolutions give the projected features, and from the features at a position K
    offsets (x, y) in pixels of the map and K scores, whose softmax weights the samples.

    Args:
        channels: C, of input and output.
        num_points: K, the sampling points per position, at least 1.

    Raises:
        ValueError: ``num_points`` is below 1.
    """

    needs_keypoints = False

    def __init__(self, channels: int, num_points: int) -> None:
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
            xs: Their columns in pixels, broadcast to ``(B, K, H, W)``.
            ys: Their rows, as ``xs``.
        """
        batch, _, height, width = here.shape
        offsets = self.offset(here).view(batch, self.num_points, 2, height, width)
        offsets = offsets.to(_position_dtype(offsets))
        points = torch.stack((offsets[:, :, 0] + xs, offsets[:, :, 1] + ys), -1)
        return SamplingPoints(points, self.weight(here).softmax(dim=1))


@MODELS.register_module()
class BlockPLE(LearnedPLE):
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
        num_points: K, the sampling points per position.
        grid_convention: ``'pixel_centre'`` or ``'official'``.
        keep: Share of the rows, and of the columns, that have an output, in (0, 1]:
            ``int(keep * H)`` evenly spaced rows, the first and the last among them, and
            at least one.

    Raises:
        ValueError: ``keep``, ``num_points`` or the convention is out of range.
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
        self.grid_convention = _check_convention(grid_convention)
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
        xs, ys = _pixel_positions(features)
        if self.keep < 1:
            rows, columns = (self._kept(size, features) for size in features.shape[2:])
            here = features[:, :, rows][..., columns]
            xs, ys = xs[columns], ys[rows]
        points, weights = self.points_around(here, xs, ys)
        points = _sampled_places(points, features, self.grid_convention)
        return SamplingPoints(points, weights)

    def _kept(self, size: int, like: Tensor) -> Tensor:
        """Indices of the rows or columns that have an output."""
        count = max(1, int(size * self.keep))
        return torch.linspace(0, size - 1, count).round().long().to(like.device)


@MODELS.register_module()
class SparsePLE(LearnedPLE):
    """As the block form, but only every ``ratio``-th row and column has an output.

    The map is cut into cells of ``ratio x ratio`` pixels, smaller ones at the lower and
    right edge. A position is the centre of a cell; its offsets and weights are
    predicted from the cell's mean features. With a ratio of 1 this is the block form.

    Source: SSPNet, arXiv 2312.06049, "sparse sampling points", of which the paper gives
    no details: these are ours. The released code thins out the block form's output
    instead, see ``keep`` of :class:`BlockPLE`.

    Args:
        channels: C, of input and output.
        num_points: K, the sampling points per position.
        ratio: Pixels between neighbouring positions, at least 1.

    Raises:
        ValueError: ``ratio`` or ``num_points`` is below 1.
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
            0, size, self.ratio, device=like.device, dtype=_position_dtype(like)
        )
        last = (first + self.ratio - 1).clamp(max=size - 1)
        return (first + last) / 2


@MODELS.register_module()
class KeypointPLE(LearnedPLE):
    """One output per keypoint, gathered from K learned places around it.

    Offsets and weights are predicted from the features sampled at the keypoint. A
    keypoint that is missing (visibility 0, not finite) or outside the region gets the
    mean of the region's projected features instead: zeros would win the max pooling
    over negative features.

    Source: SSPNet, arXiv 2312.06049, "human pose keypoint". The released code's form
    (``PLEk``, which its classifier does not use) is the block form's output at the
    pixels that contain keypoints, without a rule for missing ones:
    ``positions='pixel'`` and ``grid_convention='official'``. Here a keypoint is a place
    between pixels unless configured otherwise.

    Args:
        channels: C, of input and output.
        num_points: K, the sampling points per keypoint.
        positions: ``'exact'``, or ``'pixel'`` for the centre of the pixel that contains
            the keypoint.
        grid_convention: See :class:`BlockPLE`.

    Raises:
        ValueError: ``positions``, ``num_points`` or the convention is out of range.
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
        self.grid_convention = _check_convention(grid_convention)

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
        positions = positions.to(_position_dtype(features))
        if self.positions == "pixel":
            # A keypoint on the right or lower border is still in the last pixel.
            last = positions.new_tensor((width - 1, height - 1))
            positions = torch.minimum((positions + 0.5).floor(), last)
        here = sample(features, positions)
        points, weights = self.points_around(
            here, positions[:, None, ..., 0], positions[:, None, ..., 1]
        )
        points = _sampled_places(points, features, self.grid_convention)
        return SamplingPoints(points, weights)


@MODELS.register_module()
class IdentityPLE(nn.Module):
    """No place prior: the region's features as they are, for the ablation.

    Args:
        channels: As for the other forms; not used, since there are no parameters.
    """

    needs_keypoints = False

    def __init__(self, channels: int) -> None:
        super().__init__()

    def forward(self, features: Tensor) -> Tensor:
        """``(B, C, H, W)``, unchanged."""
        return features

    def sampling_points(self, features: Tensor) -> SamplingPoints:
        """One point per position: itself, with weight 1."""
        batch, _, height, width = features.shape
        xs, ys = _pixel_positions(features)
        points = xs.new_empty(batch, 1, height, width, 2)
        points[..., 0], points[..., 1] = xs, ys
        return SamplingPoints(points, points.new_ones(batch, 1, height, width))


def _check_convention(name: str) -> str:
    if name not in GRID_CONVENTIONS:
        raise ValueError(f"grid_convention is one of {GRID_CONVENTIONS}, got {name!r}")
    return name


def _position_dtype(values: Tensor) -> torch.dtype:
    """The type for positions: half precision is a tenth of a pixel off."""
    half = values.dtype in (torch.float16, torch.bfloat16)
    return torch.float32 if half else values.dtype


def _pixel_positions(features: Tensor) -> tuple[Tensor, Tensor]:
    """Columns ``(W,)`` and rows ``(H, 1)`` of a map, in pixels."""
    ys, xs = (
        torch.arange(size, device=features.device, dtype=_position_dtype(features))
        for size in features.shape[2:]
    )
    return xs, ys[:, None]


def _sampled_places(points: Tensor, features: Tensor, convention: str) -> Tensor:
    """Where a convention samples a map when it means ``points``, both in pixels.

    The released code normalises p to ``2 p / (size - 1) - 1``, which grid_sample takes
    as the pixel ``p size / (size - 1) - 0.5``.
    """
    if convention == PIXEL_CENTRE:
        return points
    height, width = features.shape[2:]
    stretch = [size / max(size - 1, 1) for size in (width, height)]
    return points * points.new_tensor(stretch) - 0.5


def _found(features: Tensor, keypoints: Tensor) -> Tensor:
    """Bool, ``(B, N, 1)``: whether a keypoint is known and inside the region."""
    height, width = features.shape[2:]
    x, y, visibility = keypoints.unbind(dim=-1)
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return (inside & (visibility > 0))[..., None]
