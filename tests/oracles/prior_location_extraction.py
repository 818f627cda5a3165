"""Every form of PLE, one position and one sampling point at a time."""

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


def project(ple, features: Tensor) -> Tensor:
    """The projected map ``(C, H, W)``, whole."""
    rows = [
        torch.stack([linear(ple.projection, here) for here in row.unbind(1)], dim=1)
        for row in features.unbind(1)
    ]
    return torch.stack(rows, dim=1)


def gather(ple, projected: Tensor, here: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """``(C,)``, from K places around (x, y), where the features are ``here``."""
    offsets, scores = linear(ple.offset, here), linear(ple.weight, here).exp()
    total = torch.zeros_like(here)
    for k in range(ple.num_points):
        value = bilinear(projected, x + offsets[2 * k], y + offsets[2 * k + 1])
        total = total + scores[k] / scores.sum() * value
    return total


def sparse_location_extraction(ple, features: Tensor) -> Tensor:
    """``(B, C, H, W)`` to ``(B, C, ceil(H / ratio), ceil(W / ratio))``."""
    height, width = features.shape[2:]
    batch = []
    for image in features:
        projected = project(ple, image)
        rows = []
        for top in range(0, height, ple.ratio):
            row = []
            for left in range(0, width, ple.ratio):
                ys = list(range(top, min(top + ple.ratio, height)))
                xs = list(range(left, min(left + ple.ratio, width)))
                pixels = [image[:, y, x] for y in ys for x in xs]
                here = sum(pixels) / len(pixels)
                x = torch.tensor(sum(xs) / len(xs), dtype=features.dtype)
                y = torch.tensor(sum(ys) / len(ys), dtype=features.dtype)
                row.append(gather(ple, projected, here, x, y))
            rows.append(torch.stack(row, dim=1))
        batch.append(torch.stack(rows, dim=1))
    return torch.stack(batch)


def keypoint_location_extraction(
    ple, features: Tensor, keypoints: list[list[tuple[float, float] | None]]
) -> Tensor:
    """``(B, C, H, W)`` to ``(B, C, N, 1)``; None is a keypoint that is not there."""
    batch = []
    for image, places in zip(features, keypoints):
        projected = project(ple, image)
        tokens = []
        for place in places:
            if place is None:
                tokens.append(projected.flatten(1).mean(dim=1))
                continue
            x, y = torch.tensor(place, dtype=features.dtype)
            here = bilinear(image, x, y)
            tokens.append(gather(ple, projected, here, x, y))
        batch.append(torch.stack(tokens, dim=1)[:, :, None])
    return torch.stack(batch)
