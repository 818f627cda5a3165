"""Conformal prediction: which answers are plausible at a wanted coverage."""

from __future__ import annotations

import math

import numpy as np

from mmpar.evaluation.functional.calibration import set_truth
from mmpar.evaluation.functional.multi_label import check_labelled_scores
from mmpar.structures import Conformal, DecisionRule

RARE = 0.2
"""Share of the rarer class below which absence and presence have quantiles apart."""


def fit_conformal(
    rule: DecisionRule, scores: np.ndarray, labels: np.ndarray, coverage: float
) -> Conformal:
    """Split conformal quantiles of each attribute and each exclusive set.

    With n images the quantile is the ``ceil((n + 1) coverage)``-th smallest of one
    minus the probability of the truth. Where that is more than n, or nothing is known,
    every answer is plausible. An attribute whose positives or negatives are rarer than
    :data:`RARE` has one quantile for each class, so that the rare one is covered as
    well; others have one for both, and so does an exclusive set for all its members,
    which is fitted on images whose labels are all known and show at most one of them.

    Args:
        rule: What gives probabilities of exclusive sets; its quantiles are not used.
        scores: Probabilities by this rule, ``(N, A)``, of images that neither the model
            nor the calibration was trained on.
        labels: ``(N, A)``: 1 present, 0 absent, -1 unknown.
        coverage: The wanted share of images whose truth is plausible.

    Raises:
        ValueError: Scores or labels are not as above, or the coverage is not between 0
            and 1.
    """
    check_labelled_scores(scores, labels)
    if not 0 < coverage < 1:
        raise ValueError(f"the coverage is between 0 and 1, got {coverage}")
    attributes = tuple(
        _attribute_quantiles(scores[:, a], labels[:, a], coverage)
        for a in range(labels.shape[1])
    )
    sets: list[tuple[float, ...] | None] = []
    taken: set[int] = set()
    for index, members in enumerate(rule.schema.exclusive_indices):
        if taken.isdisjoint(members):
            answer = set_truth(labels[:, list(members)])
            usable = answer >= 0
            probabilities = rule.set_probabilities(index, scores[usable])
            truth = np.take_along_axis(probabilities, answer[usable, None], axis=1)
            one = conformal_quantile(1 - truth[:, 0], coverage)
            sets.append((one,) * (len(members) + 1))
            taken.update(members)
        else:
            sets.append(None)
    return Conformal(rule.schema, coverage, attributes, tuple(sets))


def _attribute_quantiles(
    scores: np.ndarray, labels: np.ndarray, coverage: float
) -> tuple[float, float]:
    """Of absence and of presence."""
    # As the rule computes it, so that what equals a quantile is plausible there too.
    absent, present = 1 - (1 - scores[labels == 0]), 1 - scores[labels == 1]
    rarer = min(len(absent), len(present))
    if rarer >= RARE * (len(absent) + len(present)):
        absent = present = np.concatenate([absent, present])
    return conformal_quantile(absent, coverage), conformal_quantile(present, coverage)


def conformal_quantile(nonconformity: np.ndarray, coverage: float) -> float:
    """The ``ceil((n + 1) coverage)``-th smallest of n numbers; 1 if it is beyond them.

    >>> conformal_quantile(np.array([0.4, 0.1, 0.2, 0.3]), 0.8)
    0.4
    >>> conformal_quantile(np.array([0.4, 0.1, 0.2, 0.3]), 0.9)
    1.0
    """
    # Exact where (n + 1) coverage is a whole number but for rounding.
    rank = math.ceil((len(nonconformity) + 1) * coverage - 1e-9)
    if rank > len(nonconformity):
        return 1.0
    return float(np.sort(nonconformity)[rank - 1])


def coverage_of_answers(possible: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How often the truth is among the possible answers, per attribute.

    Args:
        possible: Whether absence and presence are, bool, ``(N, A, 2)``.
        labels: ``(N, A)``: 1 present, 0 absent, -1 unknown.

    Returns:
        ``(A,)``; NaN for an attribute of which nothing is known.
    """
    known = labels >= 0
    truth = np.take_along_axis(possible, (labels == 1)[..., None].astype(int), axis=2)
    count = known.sum(axis=0)
    covered = (truth[..., 0] & known).sum(axis=0)
    return np.where(count > 0, covered / np.maximum(count, 1), np.nan)
