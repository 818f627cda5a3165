"""How far a number of a split would vary with other images of the same kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

_MOST_UNDEFINED = 0.5


@dataclass(frozen=True)
class Interval:
    """A number and its confidence interval.

    Attributes:
        value: On the split itself; NaN where it is not defined there.
        low: Lower end; NaN where there is no interval.
        high: Upper end.
        undefined: Share of the draws in which the number is not defined, such as a
            recall without positives. The interval is that of the others; there is none
            where that share is above a half.
    """

    value: float
    low: float
    high: float
    undefined: float = 0.0

    @property
    def holds_zero(self) -> bool:
        """Whether the interval holds 0; False where there is none."""
        return self.low <= 0 <= self.high

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "undefined"
        if self.low == self.high:
            return f"{self.value:.2f}"
        left_out = f"undefined in {100 * self.undefined:.2g} % of draws"
        if math.isnan(self.low):
            return f"{self.value:.2f} [no interval: {left_out}]"
        told = f" ({left_out})" if self.undefined else ""
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]{told}"


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
    difference, see the same draws. See :func:`interval_of_draws` for the rest.

    >>> values = np.array([0.0, 1, 0, 1, 1, 1, 0, 1])
    >>> persons = np.array(["a", "a", "b", "b", "", "", "c", "d"])
    >>> (mean,) = bootstrap(lambda rows: [values[rows].mean()], persons)
    >>> print(mean)
    0.62 [0.36, 0.84]

    Args:
        statistic: From the indices of rows, some repeated, to one or more numbers; NaN
            for one that such rows do not define.
        persons: ``(N,)``, str, equal for images of one person; empty where unknown.
        rounds: How often persons are drawn.
        level: Of the intervals.
        seed: Of the draws.

    Raises:
        ValueError: There is no image.
    """
    numbers = number_persons(persons)
    order = np.argsort(numbers, kind="stable")
    rows_of = np.split(order, np.cumsum(np.bincount(numbers))[:-1])
    draws = np.array(
        [
            statistic(np.concatenate([rows_of[person] for person in drawn]))
            for drawn in draw_persons(len(rows_of), rounds, seed)
        ],
        float,
    )
    values = np.asarray(statistic(np.arange(len(persons))))
    return [interval_of_draws(*pair, level) for pair in zip(values, draws.T)]


def interval_of_draws(value: float, draws: np.ndarray, level: float = 0.95) -> Interval:
    """The percentile interval of a number, moved to the number.

    That is, so that the mean of the draws is the value of the split: the repeated
    images of a draw raise some statistics, such as a calibration error, as if there
    were fewer images. Draws that do not define the number are left out and told, see
    :class:`Interval`.

    >>> draws = np.array([0.1, 0.2, 0.3, np.nan])
    >>> print(interval_of_draws(0.25, draws, level=0.9))
    0.25 [0.16, 0.34] (undefined in 25 % of draws)

    Args:
        value: On the split itself.
        draws: ``(R,)``, of the draws; NaN where one does not define it.
        level: Of the interval.
    """
    defined = draws[~np.isnan(draws)]
    undefined = 1 - len(defined) / len(draws)
    if math.isnan(value) or undefined > _MOST_UNDEFINED:
        return Interval(float(value), math.nan, math.nan, undefined)
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail]) + value - defined.mean()
    return Interval(float(value), float(low), float(high), undefined)


def number_persons(persons: np.ndarray) -> np.ndarray:
    """``(N,)``: 0, 1, ... in the order of first images, equal for images of one person.

    An image of an unknown person has a number of its own.

    >>> number_persons(np.array(["b", "", "a", "b", ""]))
    array([0, 1, 2, 0, 3])

    Raises:
        ValueError: There is no image.
    """
    if not len(persons):
        raise ValueError("there is no image to resample")
    numbers: dict[str | int, int] = {}
    return np.array(
        [
            numbers.setdefault(person or row, len(numbers))
            for row, person in enumerate(persons.tolist())
        ]
    )


def draw_persons(count: int, rounds: int, seed: int) -> np.ndarray:
    """Persons drawn with replacement, as many as there are, ``(R, P)``."""
    return np.random.default_rng(seed).integers(count, size=(rounds, count))


def person_weights(count: int, rounds: int, seed: int = 0) -> np.ndarray:
    """How often each person is drawn, ``(R, P)``, float32.

    The draws are those of :func:`draw_persons`. A number that follows from sums over
    persons is then one matrix product for all draws.
    """
    drawn = draw_persons(count, rounds, seed)
    drawn += count * np.arange(rounds)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=rounds * count)
    return counts.reshape(rounds, count).astype(np.float32)
