"""How far a number of a split would vary with other images of the same kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A number and its confidence interval.

    Attributes:
        value: On the split itself.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.value:.2f}"
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def bootstrap(
    statistic: Callable[[np.ndarray], Sequence[float] | np.ndarray],
    persons: np.ndarray,
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> list[Interval]:
    """Percentile intervals of statistics of a split, from resampled persons.

    Images of one person are alike, so persons are drawn with replacement, each with all
    of its images (the cluster bootstrap). An image of an unknown person is drawn alone.
    Statistics that are computed together, such as a number before and after and their
    difference, see the same draws. Intervals are moved so that the mean of the draws is
    the value of the split: the repeated images of a draw raise some statistics, such as
    a calibration error, as if there were fewer images.

    >>> values = np.array([0.0, 1, 0, 1, 1, 1, 0, 1])
    >>> persons = np.array(["a", "a", "b", "b", "", "", "c", "d"])
    >>> (mean,) = bootstrap(lambda rows: [values[rows].mean()], persons)
    >>> print(mean)
    0.62 [0.36, 0.84]

    Args:
        statistic: From the indices of rows, some repeated, to one or more numbers.
        persons: ``(N,)``, str, equal for images of one person; empty where unknown.
        rounds: How often persons are drawn.
        level: Of the intervals.
        seed: Of the draws.

    Raises:
        ValueError: There is no image.
    """
    if not len(persons):
        raise ValueError("there is no image to resample")
    images: dict[str | int, list[int]] = {}
    for row, person in enumerate(persons.tolist()):
        images.setdefault(person or row, []).append(row)
    rows_of = [np.array(rows) for rows in images.values()]
    rng = np.random.default_rng(seed)
    values_of_draws = []
    for _ in range(rounds):
        drawn = rng.integers(len(rows_of), size=len(rows_of))
        values_of_draws.append(statistic(np.concatenate([rows_of[i] for i in drawn])))
    draws = np.array(values_of_draws, float)
    tail = (1 - level) / 2
    lows, highs = np.quantile(draws, [tail, 1 - tail], axis=0)
    values = np.asarray(statistic(np.arange(len(persons))))
    shift = values - draws.mean(axis=0)
    lows, highs = lows + shift, highs + shift
    return [Interval(*map(float, ends)) for ends in zip(values, lows, highs)]
