"""How far two annotators agree."""

from __future__ import annotations

import numpy as np


def cohen_kappa(one: np.ndarray, other: np.ndarray) -> float:
    """Agreement beyond chance: 1 for the same answers, 0 for unrelated ones.

    With p the share of equal answers and e the share that two annotators of these rates
    would reach by chance, ``(p - e) / (1 - e)`` (Cohen, "A Coefficient of Agreement for
    Nominal Scales", 1960).

    >>> round(cohen_kappa(np.array([1, 1, 0, 0]) > 0, np.array([1, 0, 0, 0]) > 0), 3)
    0.5

    Args:
        one: Answers ``(N,)``, bool.
        other: Those of the other annotator.

    Returns:
        In [-1, 1]; NaN if either gives one answer only, of which none can be beyond
        chance.
    """
    rate, other_rate = one.mean(), other.mean()
    if not (0 < rate < 1 and 0 < other_rate < 1):
        return float("nan")
    chance = rate * other_rate + (1 - rate) * (1 - other_rate)
    return float(((one == other).mean() - chance) / (1 - chance))
