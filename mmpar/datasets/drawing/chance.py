"""Choices by one random number each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")


def pick(rng: np.random.Generator, items: Sequence[Item]) -> Item:
    """One of ``items``, by one draw."""
    return items[int(rng.random() * len(items))]


def choose(draw: float, **shares: float) -> str:
    """One of the names by its share; ``draw`` is in [0, 1), the shares sum to 1."""
    for name, share in shares.items():
        draw -= share
        if draw < 0:
            return name
    return name
