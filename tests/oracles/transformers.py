"""Swin and ViT from their formulas, by the names of their own codes.

Sources: Swin Transformer, arXiv 2103.14030; ViT, arXiv 2010.11929. Swin's window is 7,
its shift 3, and maps are padded to whole windows with zeros, as in its code for dense
tasks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

Weights = Mapping[str, Tensor]
WINDOW, SHIFT = 7, 3


def vit(weights: Weights, image: Tensor, heads: int) -> Tensor:
    """Map ``(B, C, H / 16, W / 16)`` of the tokens of the patches."""
    patches = patch_embed(weights, image)
    batch, channels, height, width = patches.shape
    tokens = patches.flatten(2).transpose(1, 2)
    first = weights["cls_token"].expand(batch, -1, -1)
    x = torch.cat((first, tokens), dim=1) + weights["pos_embed"]
    for block in blocks(weights, "blocks"):
        normed = norm(weights, f"{block}.norm1", x, 1e-6)
        x = x + attention(weights, f"{block}.attn", normed, heads, 0.0)
        x = x + mlp(weights, block, norm(weights, f"{block}.norm2", x, 1e-6))
    x = norm(weights, "norm", x, 1e-6)[:, 1:]
    return x.transpose(1, 2).reshape(batch, channels, height, width)


def swin(weights: Weights, image: Tensor) -> Tensor:
    """Map ``(B, C, H / 32, W / 32)`` of the last stage."""
    x = patch_embed(weights, image).permute(0, 2, 3, 1)
    x = norm(weights, "patch_embed.norm", x)
    for stage in range(4):
        for i, block in enumerate(blocks(weights, f"layers.{stage}.blocks")):
            normed = norm(weights, f"{block}.norm1", x)
            shift = SHIFT if i % 2 else 0
            x = x + windows(weights, f"{block}.attn", normed, shift)
            x = x + mlp(weights, block, norm(weights, f"{block}.norm2", x))
        if stage < 3:
            x = merge_patches(weights, f"layers.{stage}.downsample", x)
    return norm(weights, "norm", x).permute(0, 3, 1, 2)


def windows(weights: Weights, name: str, x: Tensor, shift: int) -> Tensor:
    """Attention inside windows of a map ``(B, H, W, C)``, one window at a time."""
    batch, height, width, channels = x.shape
    rows, columns = (math.ceil(n / WINDOW) * WINDOW for n in (height, width))
    padded = x.new_zeros(batch, rows, columns, channels)
    padded[:, :height, :width] = x
    output = torch.zeros_like(padded)
    table = weights[f"{name}.relative_position_bias_table"]
    for top in range(0, rows, WINDOW):
        for left in range(0, columns, WINDOW):
            # Of the shifted map, whose pixel (i, j) is (i + shift, j + shift) here.
            places = [(top + i, left + j) for i in range(WINDOW) for j in range(WINDOW)]
            bias = torch.zeros(table.shape[1], len(places), len(places)).to(table)
            for q, (qy, qx) in enumerate(places):
                for k, (ky, kx) in enumerate(places):
                    index = (qy - ky + 6) * 13 + qx - kx + 6
                    apart = piece(qy, rows, shift) != piece(ky, rows, shift)
                    apart |= piece(qx, columns, shift) != piece(kx, columns, shift)
                    bias[:, q, k] = table[index] - 100.0 * apart
            ys = [(y + shift) % rows for y, _ in places]
            xs = [(x + shift) % columns for _, x in places]
            heads = table.shape[1]
            output[:, ys, xs] = attention(weights, name, padded[:, ys, xs], heads, bias)
    return output[:, :height, :width]


def piece(place: int, size: int, shift: int) -> int:
    """Which piece of the unshifted map a row or column of the shifted one is from."""
    if shift == 0:
        return 0
    return (place >= size - WINDOW) + (place >= size - shift)


def attention(
    weights: Weights, name: str, x: Tensor, heads: int, bias: Tensor | float
) -> Tensor:
    """Tokens ``(B, N, C)`` to the same; ``bias`` is added to the scores of a head."""
    qkv = linear(weights, f"{name}.qkv", x)
    width = x.shape[2] // heads
    outputs = []
    for head in range(heads):
        q, k, v = (
            part[..., head * width : (head + 1) * width] for part in qkv.chunk(3, -1)
        )
        scores = q @ k.transpose(1, 2) / math.sqrt(width)
        scores = scores + (bias if isinstance(bias, float) else bias[head])
        outputs.append(scores.softmax(-1) @ v)
    return linear(weights, f"{name}.proj", torch.cat(outputs, dim=-1))


def merge_patches(weights: Weights, name: str, x: Tensor) -> Tensor:
    """``(B, H, W, C)`` to half the size and twice the channels."""
    batch, height, width, channels = x.shape
    even = x.new_zeros(batch, height + height % 2, width + width % 2, channels)
    even[:, :height, :width] = x
    parts = [even[:, i::2, j::2] for j in (0, 1) for i in (0, 1)]
    merged = norm(weights, f"{name}.norm", torch.cat(parts, dim=-1))
    return merged @ weights[f"{name}.reduction.weight"].T


def patch_embed(weights: Weights, image: Tensor) -> Tensor:
    kernel, bias = (weights[f"patch_embed.proj.{kind}"] for kind in ("weight", "bias"))
    return F.conv2d(image, kernel, bias, stride=kernel.shape[-1])


def mlp(weights: Weights, block: str, x: Tensor) -> Tensor:
    hidden = linear(weights, f"{block}.mlp.fc1", x)
    hidden = hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2
    return linear(weights, f"{block}.mlp.fc2", hidden)


def linear(weights: Weights, name: str, x: Tensor) -> Tensor:
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def norm(weights: Weights, name: str, x: Tensor, eps: float = 1e-5) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / (centred.pow(2).mean(-1, keepdim=True) + eps).sqrt()
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def blocks(weights: Weights, prefix: str) -> list[str]:
    count = sum(key.startswith(f"{prefix}.") for key in weights) // max(
        1, sum(key.startswith(f"{prefix}.0.") for key in weights)
    )
    return [f"{prefix}.{i}" for i in range(count)]
