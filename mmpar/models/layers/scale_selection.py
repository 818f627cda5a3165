"""The learned scale prior: which pyramid level each region is read from (AFSS)."""

from __future__ import annotations

from typing import NamedTuple, Union

import torch
from torch import Tensor, nn


class LevelMixture(NamedTuple):
    """A region at every pyramid level, while its scale is being learned.

    Args:
        maps: One a level, ``(B, C, H_l, W_l)``.
        weights: How much each counts, not negative, summing to 1, ``(L,)``.
    """

    maps: tuple[Tensor, ...]
    weights: Tensor


RegionFeatures = Union[Tensor, LevelMixture]
"""A region's map at its level, or its maps at all of them."""


class ScaleSelection(nn.Module):
    """A weight for each pyramid level and region, learned until one level is chosen.

    The weights are ``softmax(logits / temperature)``; a falling temperature (see
    :class:`mmpar.engine.ScaleAnnealingHook`) sharpens them, and :meth:`commit` makes
    them one-hot for good. All logits start at 0: every level weighs the same and hands
    its gradient on, so none is given up before it has been tried. At an infinite
    temperature it stays so, and the logits get no gradient.

    Source: SSPNet, arXiv 2312.06049, says "adaptively learned from different layers of
    feature pyramid" and its released code has the levels fixed; this way is ours.

    Args:
        num_regions: R.
        num_levels: L, of the pyramid.
    """

    temperature: Tensor
    chosen: Tensor

    def __init__(self, num_regions: int, num_levels: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(num_regions, num_levels))
        self.register_buffer("temperature", torch.ones(()))
        # Kept beside the logits: averaged weights (EMA) have others, and buffers are
        # copied to them. -1 as long as the scales are being learned.
        self.register_buffer("chosen", torch.full((num_regions,), -1))

    def weights(self) -> Tensor:
        """``(R, L)``, not negative, each row summing to 1."""
        if self.committed:
            return torch.eye(self.logits.shape[1]).to(self.logits)[self.chosen]
        return self.soft_weights()

    def soft_weights(self) -> Tensor:
        """The weights as learned, also after the choice, ``(R, L)``."""
        return (self.logits / self.temperature).softmax(dim=1)

    def levels(self) -> tuple[int, ...]:
        """The level of each region, 0 the finest: chosen, or of the largest weight.

        Of equal weights the coarsest level, the cheapest.
        """
        best = self.logits.shape[1] - 1 - self.logits.flip(1).argmax(dim=1)
        return tuple(torch.where(self.chosen < 0, best, self.chosen).tolist())

    @property
    def committed(self) -> bool:
        """Whether the levels are chosen."""
        return bool(self.chosen[0] >= 0)

    def commit(self) -> None:
        """Choose each region's level of the largest weight; the first time counts."""
        self.chosen.copy_(torch.tensor(self.levels()))

    def set_temperature(self, temperature: float) -> None:
        """Above 0; the lower, the closer to one level a region."""
        self.temperature.fill_(temperature)
