"""What scores are worth at every threshold: areas under curves, and the curve."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from mmpar.evaluation.functional.multi_label import check_labelled_scores


def roc_auc(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each attribute.

    That is the share of pairs of a positive and a negative in which the positive has
    the higher score; equal scores are half a pair (the Mann-Whitney U statistic).

    >>> scores, labels = np.array([[0.9], [0.4], [0.4]]), np.array([[1], [1], [0]])
    >>> roc_auc(scores, labels).tolist()
    [0.75]

    Args:
        scores: Probabilities ``(N, A)``.
        labels: ``(N, A)``: 1 present, 0 absent, -1 unknown, which counts nowhere.

    Returns:
        ``(A,)``, in [0, 1]; NaN without a positive or a negative.

    Raises:
        ValueError: Arguments are not as above.
    """
    check_labelled_scores(scores, labels)
    areas = np.full(labels.shape[1], np.nan)
    for a, (column, truth) in enumerate(zip(scores.T, labels.T)):
        present = truth[truth >= 0] == 1
        positives, negatives = int(present.sum()), int((~present).sum())
        if positives and negatives:
            # From SciPy 1.18 on, ranks are of the scores' own type.
            ranks = rankdata(column[truth >= 0].astype(np.float64))[present].sum()
            pairs = ranks - positives * (positives + 1) / 2
            areas[a] = pairs / (positives * negatives)
    return areas


def precision_recall(
    scores: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall at each distinct score, from the highest down.

    >>> scores, labels = np.array([0.9, 0.8, 0.8, 0.1]), np.array([1, 0, 1, 0])
    >>> precision_recall(scores, labels)[1].tolist()
    [0.5, 1.0, 1.0]

    Args:
        scores: ``(N,)``, of one attribute.
        labels: ``(N,)``: 1 present, 0 absent, -1 unknown, which counts nowhere.

    Returns:
        Both ``(U,)``; empty without a positive.
    """
    known = labels >= 0
    scores, present = scores[known], labels[known] == 1
    if not present.any():
        return np.empty(0), np.empty(0)
    order = np.argsort(-scores)
    ends = _tie_ends(scores[order])
    hits = np.cumsum(present[order])[ends]
    return hits / (ends + 1), hits / present.sum()


def average_precision(
    scores: np.ndarray, labels: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Average precision of one attribute under each of several weightings of images.

    That is the sum over scores of precision times the gain in recall, without
    interpolation; images of equal scores are taken together.

    >>> scores, labels = np.array([0.9, 0.8, 0.7]), np.array([1, 0, 1])
    >>> weights = np.array([[1, 1], [1, 0], [1, 1]])  # all images; without the second
    >>> average_precision(scores, labels, weights).round(3).tolist()
    [0.833, 1.0]

    Args:
        scores: ``(N,)``.
        labels: ``(N,)``: 1 present, 0 absent, -1 unknown, which counts nowhere.
        weights: ``(N, R)``, not negative.

    Returns:
        ``(R,)``; NaN where no positive has a weight.
    """
    known = np.flatnonzero(labels >= 0)
    order = known[np.argsort(-scores[known])]
    present = np.flatnonzero(labels[order] == 1)
    if not len(present):
        return np.full(weights.shape[1], np.nan)
    ends = _tie_ends(scores[order])
    end_of = ends[np.searchsorted(ends, present)]
    found = np.cumsum(weights[order], axis=0, dtype=np.float64)[end_of]
    gained = weights[order[present]].astype(np.float64)
    hits = np.cumsum(gained, axis=0)
    hits = hits[np.searchsorted(present, end_of, side="right") - 1]
    precision = hits / np.where(found > 0, found, 1)
    total = gained.sum(axis=0)
    area = (gained * precision).sum(axis=0)
    return np.asarray(area / np.where(total > 0, total, np.nan))


def _tie_ends(ordered: np.ndarray) -> np.ndarray:
    """Position of the last of each run of equal scores."""
    return np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
