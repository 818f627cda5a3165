"""LoRA: frozen weights with small trained updates, which merge into them."""

from __future__ import annotations

import math
import re
from collections.abc import MutableMapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

_FROZEN = re.compile(r"(.*?)parametrizations\.([^.]+)\.original")
"""How torch names the frozen part of a parametrized weight."""


class LoRA(nn.Module):
    """The weight ``W + alpha / rank * up @ down``, of which ``W`` is frozen.

    Source: Hu et al., arXiv 2106.09685. ``up`` begins as zero, so that nothing changes
    at first. The update is added to the weight and not to the output of its layer: so
    it reaches weights that no layer applies, as those of ``nn.MultiheadAttention``, and
    gives the same numbers when it is merged.

    Args:
        weight: ``(out, in)``.
        rank: Of the update.
        alpha: Its scale.
    """

    scale: Tensor

    def __init__(self, weight: Tensor, rank: int, alpha: float) -> None:
        super().__init__()
        rows, columns = weight.shape
        self.down = nn.Parameter(weight.new_empty(rank, columns))
        self.up = nn.Parameter(weight.new_zeros(rows, rank))
        self.register_buffer("scale", weight.new_tensor(alpha / rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))  # as the official code

    def forward(self, weight: Tensor) -> Tensor:
        """The weight with its update, ``(out, in)``."""
        return _update(weight, self.down, self.up, self.scale)


def _update(weight: Tensor, down: Tensor, up: Tensor, scale: Tensor) -> Tensor:
    return weight + scale * (up @ down)


def add_lora(module: nn.Module, targets: str, rank: int, alpha: float) -> None:
    """Freeze a module and give some of its weights a :class:`LoRA`.

    Args:
        module: Changed in place.
        targets: Regular expression of their whole names, such as
            ``r".*\\.attn\\.(qkv|proj)\\.weight"``; of what it matches, matrices alone
            have an update.
        rank: Of each update.
        alpha: Its scale is ``alpha / rank``.

    Raises:
        ValueError: The rank is no positive number, or no matrix is called so.
    """
    if rank < 1:
        raise ValueError(f"the rank of LoRA is at least 1, got {rank}")
    module.requires_grad_(False)
    matrices = [name for name, value in module.named_parameters() if value.ndim == 2]
    found = [name for name in matrices if re.fullmatch(targets, name)]
    if not found:
        raise ValueError(
            f"no matrix is called like LoRA's targets {targets!r}; there are "
            f"{', '.join(matrices)}"
        )
    for name in found:
        path, _, tensor = name.rpartition(".")
        owner = module.get_submodule(path)
        update = LoRA(getattr(owner, tensor), rank, alpha)
        parametrize.register_parametrization(owner, tensor, update)


def fit_lora(
    module: nn.Module, state_dict: MutableMapping[str, Any], prefix: str
) -> None:
    """Rename weights, before they are loaded, to those that a module has.

    Weights with an update are merged where the module has none, and where the module
    has one it is zero for weights without.

    Args:
        module: With or without LoRA.
        state_dict: Changed in place.
        prefix: Of the module's names in it, empty or ending in a dot.
    """
    updates = {
        prefix + name.removesuffix("0"): part
        for name, part in module.named_modules()
        if isinstance(part, LoRA)
    }
    for name in [name for name in state_dict if name.startswith(prefix)]:
        match = _FROZEN.fullmatch(name)
        if match and name.removesuffix("original") not in updates:
            _merge(state_dict, name, match[1] + match[2])
    for home, part in updates.items():
        plain = re.sub(r"parametrizations\.([^.]+)\.$", r"\1", home)
        if plain in state_dict:
            state_dict[home + "original"] = state_dict.pop(plain)
            state_dict[home + "0.down"] = part.down.detach().clone()
            state_dict[home + "0.up"] = torch.zeros_like(part.up)
            state_dict[home + "0.scale"] = part.scale.clone()


def _merge(state_dict: MutableMapping[str, Any], frozen: str, plain: str) -> None:
    """Put one weight with its update in the place of its parts, if they fit."""
    home = frozen.removesuffix("original") + "0."
    names = [frozen, *(home + part for part in ("down", "up", "scale"))]
    parts = [state_dict.get(name) for name in names]
    if _fits(*parts):  # else they stay, and are named as unexpected
        for name in names:
            del state_dict[name]
        state_dict[plain] = _update(*parts)  # type: ignore[arg-type]


def _fits(weight: Any, down: Any, up: Any, scale: Any) -> bool:
    """Whether the product is of the weight's size, and so fills no memory."""
    kinds = [getattr(part, "dtype", None) for part in (weight, down, up, scale)]
    if None in kinds or len(set(kinds)) > 1:
        return False
    if [part.ndim for part in (weight, down, up, scale)] != [2, 2, 2, 0]:
        return False
    (rows, columns), rank = weight.shape, len(down)
    return (*down.shape, *up.shape) == (rank, columns, rows, rank)
