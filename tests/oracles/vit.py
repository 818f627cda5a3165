"""A plain ViT and ViTDet's rescaled maps, from the formulas, with timm's names."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

Weights = Mapping[str, Tensor]


def gelu(x: Tensor) -> Tensor:
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


def normalized(x: Tensor, weights: Weights, name: str) -> Tensor:
    """Layer normalization over the last axis."""
    centred = x - x.mean(-1, keepdim=True)
    variance = centred.square().mean(-1, keepdim=True)
    scaled = centred / (variance + 1e-6).sqrt()
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def linear(x: Tensor, weights: Weights, name: str) -> Tensor:
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def attention(x: Tensor, weights: Weights, name: str, heads: int) -> Tensor:
    """Of the tokens ``(N, C)`` of one image, head by head."""
    queries, keys, values = linear(x, weights, f"{name}.qkv").chunk(3, dim=1)
    width = x.shape[1] // heads
    found = []
    for head in range(heads):
        q, k, v = (
            part[:, head * width : (head + 1) * width]
            for part in (queries, keys, values)
        )
        found.append(torch.softmax(q @ k.T / math.sqrt(width), dim=1) @ v)
    return linear(torch.cat(found, dim=1), weights, f"{name}.proj")


def vit_map(image: Tensor, weights: Weights, heads: int, places: Tensor) -> Tensor:
    """The normalized map ``(C, H / 16, W / 16)`` of an image ``(3, H, W)``.

    ``places`` are the position embeddings of its patches, ``(N, C)``, row by row.
    """
    rows, columns = image.shape[1] // 16, image.shape[2] // 16
    projection = weights["patch_embed.proj.weight"].flatten(1)
    patches = [
        projection @ image[:, 16 * y : 16 * y + 16, 16 * x : 16 * x + 16].flatten()
        for y in range(rows)
        for x in range(columns)
    ]
    tokens = torch.stack(patches) + weights["patch_embed.proj.bias"] + places
    first = weights["cls_token"][0] + weights["pos_embed"][0, :1]
    x = torch.cat((first, tokens))
    for block in range(sum(name.endswith("attn.proj.bias") for name in weights)):
        name = f"blocks.{block}"
        x = x + attention(
            normalized(x, weights, f"{name}.norm1"), weights, f"{name}.attn", heads
        )
        hidden = gelu(
            linear(normalized(x, weights, f"{name}.norm2"), weights, f"{name}.mlp.fc1")
        )
        x = x + linear(hidden, weights, f"{name}.mlp.fc2")
    return normalized(x, weights, "norm")[1:].T.reshape(-1, rows, columns)


def doubled(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A transposed convolution of stride 2 with a 2x2 kernel, cell by cell.

    ``x`` is ``(C, H, W)``, ``weight`` ``(C, C', 2, 2)``.
    """
    channels, (rows, columns) = weight.shape[1], x.shape[1:]
    out = torch.zeros(channels, 2 * rows, 2 * columns, dtype=x.dtype)
    for y in range(rows):
        for z in range(columns):
            for dy in (0, 1):
                for dz in (0, 1):
                    cell = x[:, y, z] @ weight[:, :, dy, dz] + bias
                    out[:, 2 * y + dy, 2 * z + dz] = cell
    return out


def halved(x: Tensor) -> Tensor:
    """The maxima of 2x2 cells of ``(C, H, W)``."""
    rows, columns = x.shape[1] // 2, x.shape[2] // 2
    out = torch.empty(x.shape[0], rows, columns, dtype=x.dtype)
    for y in range(rows):
        for z in range(columns):
            out[:, y, z] = x[:, 2 * y : 2 * y + 2, 2 * z : 2 * z + 2].amax(dim=(1, 2))
    return out
