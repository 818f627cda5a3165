"""Attribute-specific localization (ALM) for all attributes of one level at once."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class AffineRegions(NamedTuple):
    """Axis-aligned regions as (x, y) pairs in units where the map spans -1 to 1.

    Args:
        scale: Size of the region as a share of the map's, in (0, 1), ``(B, A, 2)``.
        shift: Its centre, in (-1, 1), ``(B, A, 2)``.
    """

    scale: Tensor
    shift: Tensor


class LocalizedAttributes(NamedTuple):
    """What the attributes read at one level.

    Args:
        channels: Weights of the level's channels, ``(B, A, C)``.
        regions: Where they are read.
        bias: What is added to the weighted sum, ``(B, A)``.
    """

    channels: Tensor
    regions: AffineRegions
    bias: Tensor


class AttributeLocalization(nn.Module):
    """What every attribute reads at one level: its channels and its region.

    For attribute i, from the pooled features g: channel attention
    ``a_i = sigmoid(W2_i relu(W1_i g))``; the attended features are ``F (1 + a_i)``, so
    pooled ``g (1 + a_i)``, from which four numbers give the region. The published model
    resamples the attended features in the region to the full map, averages them and
    applies a linear unit ``w_i, b_i``. All of this is linear in F and the sampling grid
    is the same for all channels, so the logit is

        sum_yx wy_i[y] wx_i[x] sum_c w_ic (1 + a_ic) F_c[y, x] + b_i

    with ``wy_i, wx_i`` from :func:`region_weights`. This module gives the factors;
    whoever holds F contracts them in the order that suits.

    Source: Tang et al., "Improving Pedestrian Attribute Recognition With
    Weakly-Supervised Multi-Scale Attribute-Specific Localization", arXiv 1910.04562.

    Args:
        num_attributes: A.
        channels: C, a multiple of ``reduction``.
        reduction: Factor by which the attention narrows the channels.
    """

    def __init__(self, num_attributes: int, channels: int, reduction: int = 16) -> None:
        super().__init__()
        if channels % reduction:
            raise ValueError(
                f"the attention divides the {channels} channels by reduction="
                f"{reduction}, which leaves a remainder"
            )
        hidden = channels // reduction

        def parameter(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(num_attributes, *shape))

        self.squeeze_weight = parameter(hidden, channels)
        self.squeeze_bias = parameter(hidden)
        self.excite_weight = parameter(channels, hidden)
        self.excite_bias = parameter(channels)
        self.region_weight = parameter(4, channels)
        self.region_bias = parameter(4)
        self.classifier_weight = parameter(channels)
        self.classifier_bias = parameter()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Torch's default for linear layers, each attribute a layer of its own."""
        for name in ("squeeze", "excite", "region", "classifier"):
            weight = getattr(self, f"{name}_weight")
            bound = weight.shape[-1] ** -0.5
            nn.init.uniform_(weight, -bound, bound)
            nn.init.uniform_(getattr(self, f"{name}_bias"), -bound, bound)

    def forward(self, pooled: Tensor) -> LocalizedAttributes:
        """Find what to read.

        Args:
            pooled: Features averaged over the map, ``(B, C)``.

        Returns:
            The weights ``w_ic (1 + a_ic)``, the regions and ``b_i``.
        """
        squeezed = F.linear(
            pooled, self.squeeze_weight.flatten(0, 1), self.squeeze_bias.flatten()
        )
        hidden = squeezed.relu().unflatten(1, self.squeeze_bias.shape).transpose(0, 1)
        excited = torch.baddbmm(
            self.excite_bias.unsqueeze(1), hidden, self.excite_weight.transpose(1, 2)
        )
        attention = excited.sigmoid()  # (A, B, C)
        numbers = torch.baddbmm(
            self.region_bias.unsqueeze(1),
            torch.addcmul(pooled, attention, pooled),
            self.region_weight.transpose(1, 2),
        )
        # Half precision would round the region to the grid of the finest maps.
        numbers = numbers.to(torch.promote_types(numbers.dtype, torch.float32))
        scale, shift = numbers.transpose(0, 1).split(2, dim=-1)
        regions = AffineRegions(scale.sigmoid(), shift.tanh())
        classifier = self.classifier_weight.unsqueeze(1)
        weights = torch.addcmul(classifier, attention, classifier)
        # len() would fix the batch size in ONNX.
        bias = self.classifier_bias + pooled.new_zeros(pooled.shape[0], 1)
        return LocalizedAttributes(weights.transpose(0, 1), regions, bias)


def region_weights(
    scale: Tensor, shift: Tensor, size: int, align_corners: bool
) -> Tensor:
    """Weight of each pixel along one axis in the mean over a region.

    The mean of ``size`` bilinear samples, spread over the region as ``affine_grid`` and
    ``grid_sample`` with border padding spread them. A region without rotation makes
    them separable, so this is all there is to sampling. Gradients, too, are theirs: a
    sample at or beyond the border does not move, one on a pixel looks to the next.

    Args:
        scale: Share of the axis, any shape ``(*)``.
        shift: Centre, where the axis spans -1 to 1, ``(*)``.
        size: Pixels of the axis.
        align_corners: Whether -1 and 1 are the centres of the outermost pixels (the
            convention of torch 0.4) or their outer edges.

    Returns:
        ``(*, size)``, summing to 1 over the last axis.
    """
    pixels = torch.arange(size, device=scale.device, dtype=scale.dtype)
    span = max(size - 1, 1) if align_corners else size
    # Distance of the samples of the whole axis from its centre, -1 to 1.
    offsets = (2 * pixels - (size - 1)) / span
    centre = (size - 1) / 2
    half = (size - 1) / 2 if align_corners else size / 2
    samples = centre + half * (scale.unsqueeze(-1) * offsets + shift.unsqueeze(-1))
    last = float(size - 1)
    samples = torch.where(samples <= 0, 0.0, torch.where(samples < last, samples, last))
    if size == 1:
        # All samples are 0. They stay in the graph: weights without a gradient, zero
        # though it is, would stop a training by several processes.
        return 1 + samples
    # Each sample lies between two pixels; the last pixel is the end of the last pair.
    before = samples.detach().long().clamp(max=size - 2)
    passed = (samples - before) / size
    weights = torch.zeros_like(samples).scatter_add(-1, before, 1 / size - passed)
    return weights.scatter_add(-1, before + 1, passed)


def region_boxes(
    regions: AffineRegions, map_size: tuple[int, int], align_corners: bool
) -> Tensor:
    """The part of the map that the samples of a region cover.

    A sample stands for a cell as wide as the distance to the next one, so scale 1 and
    shift 0 cover the whole map in either convention.

    Args:
        regions: Regions at one level.
        map_size: (H, W) of the level's map.
        align_corners: See :func:`region_weights`.

    Returns:
        ``(B, A, 4)``, (x1, y1, x2, y2) as shares of width and height, in [0, 1].
    """
    sizes = regions.shift.new_tensor(map_size[::-1])
    reach = (sizes - 1) / sizes if align_corners else torch.ones_like(sizes)
    centre = (1 + regions.shift * reach) / 2
    corners = (centre - regions.scale / 2, centre + regions.scale / 2)
    return torch.cat(corners, dim=-1).clamp(0, 1)
