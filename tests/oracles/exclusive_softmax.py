"""The softmax of an exclusive set, one image and one answer at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.oracles.weighted_bce import label_weight


def answer_probabilities(logits: Sequence[float]) -> list[float]:
    """Of each member and, last, of "none of them"."""
    powers = [math.exp(logit) for logit in (*logits, 0.0)]
    return [power / sum(powers) for power in powers]


def open_answers(labels: Sequence[int]) -> set[int]:
    """Which answers the labels leave open; the number of members is "none"."""
    present = {i for i, label in enumerate(labels) if label == 1}
    if present:
        return present
    return {i for i, label in enumerate(labels) if label == -1} | {len(labels)}


def set_loss(
    logits: Sequence[float], labels: Sequence[int], smoothing: float = 0.0
) -> float:
    """Negative log-likelihood of the labels."""
    chances = answer_probabilities(logits)
    still_open = open_answers(labels)
    if len(still_open) == len(chances):
        return 0.0
    kept = sum(chances[i] for i in still_open)
    ruled_out = sum(p for i, p in enumerate(chances) if i not in still_open)
    return -(1 - smoothing) * math.log(kept) - smoothing * math.log(ruled_out)


def set_weight(
    labels: Sequence[int], ratios: Sequence[float], weighting: str | None
) -> float:
    """As if the members that are present, or that are absent, were one attribute."""
    present = [ratio for ratio, label in zip(ratios, labels) if label == 1]
    absent = [ratio for ratio, label in zip(ratios, labels) if label == 0]
    if present:
        return label_weight(1, min(sum(present), 1), weighting)
    return label_weight(0, min(sum(absent), 1), weighting)
