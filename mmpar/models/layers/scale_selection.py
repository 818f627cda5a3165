"""The learned scale prior: which pyramid level each region is read from (AFSS)."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any, NamedTuple, Union

import torch
from torch import Tensor, nn

from mmpar.models.layers.region_modules import modules_by_region


class LevelMixture(NamedTuple):
    """A region at every pyramid level, while its scale is being learned.

    Args:
        maps: One per level, ``(B, C, H_l, W_l)``.
        weights: How much each counts, not negative, summing to 1, ``(L,)``.
    """

    maps: tuple[Tensor, ...]
    weights: Tensor


RegionFeatures = Union[Tensor, LevelMixture]
"""A region's map at its level, or its maps at all of them."""


class RegionScale(nn.Module):
    """What is learned of one region's level.

    Args:
        num_levels: L, of the pyramid.
    """

    chosen: Tensor

    def __init__(self, num_levels: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(num_levels))
        # Kept beside the logits: averaged weights (EMA) have others, and buffers are
        # copied to them. -1 as long as the scales are being learned.
        self.register_buffer("chosen", torch.tensor(-1))


class ScaleSelection(nn.Module):
    """A weight for each pyramid level and region, learned until one level is chosen.

    The weights are ``softmax(logits / temperature)``; a falling temperature (see
    :class:`mmpar.engine.ScaleAnnealingHook`) sharpens them, and :meth:`freeze` makes
    them one-hot for good. All logits start at 0: every level weighs the same and hands
    its gradient on, so none is given up before it has been tried. At an infinite
    temperature it stays so, and the logits get no gradient.

    Source: SSPNet, arXiv 2312.06049, says "adaptively learned from different layers of
    feature pyramid", and its released code has fixed levels; this method is ours.

    Args:
        regions: Their names, R; results are in this order, the state dict is by name.
        num_levels: L, of the pyramid.
    """

    temperature: Tensor

    def __init__(self, regions: Sequence[str], num_levels: int) -> None:
        super().__init__()
        self.regions = modules_by_region(
            {name: RegionScale(num_levels) for name in regions}
        )
        self.register_buffer("temperature", torch.ones(()))

    @property
    def logits(self) -> Tensor:
        """``(R, L)``."""
        return torch.stack([scale.logits for scale in self._scales()])

    @property
    def frozen_levels(self) -> Tensor:
        """The level chosen for each region, -1 before the choice, ``(R,)``."""
        return torch.stack([scale.chosen for scale in self._scales()])

    def _scales(self) -> list[Any]:
        return list(self.regions.values())

    def weights(self) -> Tensor:
        """``(R, L)``, not negative, each row summing to 1."""
        if self.frozen:
            logits = self.logits
            return torch.eye(logits.shape[1]).to(logits)[self.frozen_levels]
        return self.soft_weights()

    def soft_weights(self) -> Tensor:
        """The weights as learned, also after the choice, ``(R, L)``."""
        return (self.logits / self.temperature).softmax(dim=1)

    def levels(self) -> tuple[int, ...]:
        """The level of each region, 0 the finest: chosen, or of the largest weight.

        Of equal weights the coarsest level, the cheapest.
        """
        logits, chosen = self.logits, self.frozen_levels
        best = logits.shape[1] - 1 - logits.flip(1).argmax(dim=1)
        return tuple(torch.where(chosen < 0, best, chosen).tolist())

    @property
    def frozen(self) -> bool:
        """Whether the levels are chosen for good."""
        return bool(self._scales()[0].chosen >= 0)

    def freeze(self) -> None:
        """Choose each region's level of the largest weight; the first time counts."""
        for scale, level in zip(self._scales(), self.levels()):
            scale.chosen.fill_(level)

    def set_temperature(self, temperature: float) -> None:
        """Above 0; the lower, the closer to one level per region."""
        self.temperature.fill_(temperature)

    def keep(self, names: Sequence[str]) -> None:
        """Forget the regions that are not among ``names``."""
        for name in set(self.regions) - set(names):
            del self.regions[name]

    def _load_from_state_dict(
        self, state_dict: MutableMapping[str, Any], prefix: str, *args: Any
    ) -> None:
        if f"{prefix}logits" in state_dict:
            raise ValueError(
                f"{prefix}logits of the checkpoint has one row per region without "
                "their names, as mmpar wrote it before weights were stored by region "
                "name. Load the whole checkpoint, with the head, into a PARClassifier, "
                "which finds the names from the sizes of the classifiers"
            )
        super()._load_from_state_dict(state_dict, prefix, *args)


def name_scales(
    state_dict: MutableMapping[str, Any], prefix: str, order: Sequence[str]
) -> None:
    """Store an old checkpoint's rows of learned scales by region name, in place.

    Args:
        state_dict: Of the whole model.
        prefix: Of the :class:`ScaleSelection` in it, with the dot.
        order: The regions that the rows belong to.
    """
    for field in ("logits", "chosen"):
        rows = state_dict.pop(f"{prefix}{field}", ())
        for name, row in zip(order, rows):
            state_dict[f"{prefix}regions.{name}.{field}"] = row.clone()
