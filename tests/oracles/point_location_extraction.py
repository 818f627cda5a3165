"""The sparse and the keypoint form of PLE, one position and one point at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.oracles.prior_location_extraction import bilinear, linear


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
    for picture in features:
        projected = project(ple, picture)
        rows = []
        for top in range(0, height, ple.ratio):
            row = []
            for left in range(0, width, ple.ratio):
                ys = list(range(top, min(top + ple.ratio, height)))
                xs = list(range(left, min(left + ple.ratio, width)))
                pixels = [picture[:, y, x] for y in ys for x in xs]
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
    for picture, places in zip(features, keypoints):
        projected = project(ple, picture)
        tokens = []
        for place in places:
            if place is None:
                tokens.append(projected.flatten(1).mean(dim=1))
                continue
            x, y = torch.tensor(place, dtype=features.dtype)
            here = bilinear(picture, x, y)
            tokens.append(gather(ple, projected, here, x, y))
        batch.append(torch.stack(tokens, dim=1)[:, :, None])
    return torch.stack(batch)
