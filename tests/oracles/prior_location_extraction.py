"""Prior location extraction, one position and one sampling point at a time."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def bilinear(values: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Value at (x, y), in pixels, of a map ``(C, H, W)`` that is zero outside."""
    height, width = values.shape[1:]
    left, top = math.floor(x.item()), math.floor(y.item())
    total = torch.zeros_like(values[:, 0, 0])
    for row in (top, top + 1):
        for column in (left, left + 1):
            if 0 <= row < height and 0 <= column < width:
                share = (1 - (y - row).abs()) * (1 - (x - column).abs())
                total = total + share * values[:, row, column]
    return total


def official_position(position: Tensor, size: int) -> Tensor:
    """Where the released code samples when it means ``position``, in pixels.

    It normalises to 2 p / (size - 1) - 1, which grid_sample reads (pixel i lies at
    (2 i + 1) / size - 1) as this pixel.
    """
    normalised = 2 * position / max(size - 1, 1) - 1
    return ((normalised + 1) * size - 1) / 2


def linear(conv, features: Tensor) -> Tensor:
    """A 1x1 convolution at one position, ``(C,)`` to ``(D,)``."""
    return conv.weight[:, :, 0, 0] @ features + conv.bias


def prior_location_extraction(ple, features: Tensor) -> Tensor:
    """``(B, C, H, W)`` to the same, with the weights and settings of ``ple``."""
    batch, _, height, width = features.shape
    output = torch.zeros_like(features)
    for b in range(batch):
        projected = torch.zeros_like(features[b])
        for row in range(height):
            for column in range(width):
                projected[:, row, column] = linear(
                    ple.projection, features[b, :, row, column]
                )
        for row in range(height):
            for column in range(width):
                here = features[b, :, row, column]
                offsets = linear(ple.offset, here)
                scores = linear(ple.weight, here).exp()
                for k in range(ple.num_points):
                    x, y = column + offsets[2 * k], row + offsets[2 * k + 1]
                    if ple.grid_convention == "official":
                        x = official_position(x, width)
                        y = official_position(y, height)
                    share = scores[k] / scores.sum()
                    output[b, :, row, column] += share * bilinear(projected, x, y)
    return output
