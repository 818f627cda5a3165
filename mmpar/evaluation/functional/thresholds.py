"""Thresholds that are fitted per attribute, on scores and labels of a split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmpar.evaluation.functional.multi_label import check_labelled_scores

OBJECTIVES = ("mA", "F1", "precision")

DEFAULT = 0.5


@dataclass(frozen=True)
class FittedThresholds:
    """One threshold per attribute, and what there is to say about it.

    Attributes:
        thresholds: ``(A,)``, in [0, 1].
        notes: Per attribute why it is not what was asked for, or None.
    """

    thresholds: tuple[float, ...]
    notes: tuple[str | None, ...]


def fit_thresholds(
    scores: np.ndarray,
    labels: np.ndarray,
    objective: str = "mA",
    precision: float | None = None,
) -> FittedThresholds:
    """Per attribute the threshold that serves an objective best on a split.

    A threshold is in the middle between two scores of the split, or between one and 0
    or 1, or it is 1 (never). Of equally good ones it is the nearest to 0.5. Known
    labels count alone. An attribute without a positive or a negative keeps 0.5, with a
    note.

    >>> scores = np.array([[0.1], [0.2], [0.3], [0.4]])
    >>> labels = np.array([[0], [0], [1], [0]])
    >>> fit_thresholds(scores, labels, "mA").thresholds
    (0.25,)

    Args:
        scores: Probabilities ``(N, A)``, in the precision in which a model decides.
        labels: ``(N, A)``: 1 present, 0 absent, -1 unknown.
        objective: ``'mA'``, the mean of the recall of positives and of negatives;
            ``'F1'``; or ``'precision'``, the highest recall at the wanted precision.
        precision: The wanted one, above 0 and at most 1, with that objective alone. If
            it is out of reach, the threshold has the highest that there is, with a
            note.

    Raises:
        ValueError: Arguments are not as above.
    """
    _check(scores, labels, objective, precision)
    fitted = [
        _fit(scores[:, a], labels[:, a], objective, precision or 0.0)
        for a in range(labels.shape[1])
    ]
    thresholds, notes = zip(*fitted)
    return FittedThresholds(thresholds, notes)


def _fit(
    scores: np.ndarray, labels: np.ndarray, objective: str, wanted: float
) -> tuple[float, str | None]:
    known = labels >= 0
    positive = labels[known] == 1
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        counts = f"{positives} positives and {negatives} negatives"
        return DEFAULT, f"{counts} in the split, so it keeps {DEFAULT:g}"
    scores = scores[known]
    edges = np.unique(np.concatenate([scores, np.array([0, 1], scores.dtype)]))
    thresholds = np.append((edges[:-1] + edges[1:]) / 2, edges[-1])
    hits, alarms = (
        len(part) - np.searchsorted(np.sort(part), thresholds, side="right")
        for part in (scores[positive], scores[~positive])
    )
    recall, found = hits / positives, hits + alarms
    precision = hits / np.maximum(found, 1)
    note = None
    if objective == "mA":
        value = recall + 1 - alarms / negatives
    elif objective == "F1":
        value = 2 * hits / (positives + found)
    else:
        enough = precision >= wanted
        value = np.where(enough, recall, -1)
        if not enough.any():
            value = precision
            note = (
                f"a precision of {wanted:g} is out of reach; the highest is "
                f"{precision.max():.3f}"
            )
    best = np.flatnonzero(np.isclose(value, value.max(), rtol=0, atol=1e-12))
    nearest = best[np.abs(thresholds[best] - DEFAULT).argmin()]
    return float(thresholds[nearest]), note


def _check(
    scores: np.ndarray, labels: np.ndarray, objective: str, precision: float | None
) -> None:
    check_labelled_scores(scores, labels)
    if objective not in OBJECTIVES:
        raise ValueError(f"the objective is one of {OBJECTIVES}, got {objective!r}")
    if (objective == "precision") != (precision is not None):
        raise ValueError(
            f"the objective is {objective!r} and precision is {precision}; give a "
            "precision with the objective 'precision', and with no other"
        )
    if precision is not None and not 0 < precision <= 1:
        raise ValueError(f"precision is above 0 and at most 1, got {precision}")
