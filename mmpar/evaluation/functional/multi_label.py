"""The numbers of pedestrian attribute recognition: arrays in, numbers out.

Definitions: Li et al., "A Richly Annotated Dataset for Pedestrian Attribute
Recognition" (RAP), as computed by the Strong Baseline's official code, which divides by
count + 1e-20, so that a ratio whose denominator is empty is 0. Here that is written as
such, and unknown labels add nothing to any number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

EMPTY_ATTRIBUTE_RULES = ("official", "skip")


@dataclass(frozen=True)
class MultiLabelScores:
    """Scores of a split; ratios in [0, 1], arrays of shape (A,).

    An attribute is empty if the split has no positive or no negative known label of
    it. ``mean_accuracy`` and ``label_f1`` average over ``counted`` attributes.
    """

    mean_accuracy: float
    """mA: (recall of positives + recall of negatives) / 2, averaged."""
    instance_accuracy: float
    """Positives in both labels and predictions over those in either, per image."""
    instance_precision: float
    instance_recall: float
    instance_f1: float
    """Harmonic mean of the averaged precision and recall."""
    label_f1: float
    """Per-attribute F1, averaged."""
    known: np.ndarray
    """Known labels, int."""
    positives: np.ndarray
    """Labels that are 1, int."""
    positive_recall: np.ndarray
    negative_recall: np.ndarray
    attribute_accuracy: np.ndarray
    attribute_f1: np.ndarray
    counted: np.ndarray
    """Bool: whether the attribute counts in the means over attributes."""

    @property
    def empty(self) -> np.ndarray:
        """Bool, (A,): attributes without known positives or negatives."""
        return (self.positives == 0) | (self.positives == self.known)


def decide(scores: np.ndarray, threshold: float | Sequence[float] = 0.5) -> np.ndarray:
    """Decisions by the official rule: a score above the threshold is a positive.

    Compared in the precision of the scores, as a model compares its own.

    Args:
        scores: Probabilities in [0, 1], shape (N, A).
        threshold: One number, or one per attribute.

    Returns:
        Bool, shape (N, A).

    Raises:
        ValueError: Scores or thresholds are not as above.
    """
    _check_scores(scores)
    return scores > _thresholds(threshold, scores)


def multi_label_scores(
    decisions: np.ndarray, labels: np.ndarray, empty_attribute: str = "official"
) -> MultiLabelScores:
    """Score decisions.

    Args:
        decisions: Whether an attribute is predicted, bool, shape (N, A); from scores by
            :func:`decide`.
        labels: 1 present, 0 absent, -1 unknown, shape (N, A).
        empty_attribute: ``'official'`` counts empty attributes in the means, their
            undefined recall as 0, as the official code does; ``'skip'`` leaves them out
            of the means over attributes. If all are empty, those means are NaN then.

    Returns:
        The scores. An image without a positive label or without a positive prediction
        has the official recall or precision of 0; one without any known label is left
        out of the instance means.

    Raises:
        ValueError: Decisions, labels, their shapes or the rule are not as above.

    >>> labels = np.array([[1, 0], [1, 1], [0, -1]])  # -1 is unknown
    >>> decisions = decide(np.array([[0.9, 0.2], [0.4, 0.7], [0.1, 0.8]]), 0.5)
    >>> scores = multi_label_scores(decisions, labels)
    >>> scores.mean_accuracy  # the mean of 3/4 and 1
    0.875
    """
    _check(decisions, labels, empty_attribute)
    known = labels >= 0
    present = labels == 1
    predicted = decisions & known
    hits = present & predicted

    positives, num_known = present.sum(0), known.sum(0)
    true_positives = hits.sum(0)
    true_negatives = (known & ~present & ~predicted).sum(0)
    positive_recall = _ratio(true_positives, positives)
    negative_recall = _ratio(true_negatives, num_known - positives)
    precision = _ratio(true_positives, predicted.sum(0))
    attribute_accuracy = (positive_recall + negative_recall) / 2
    attribute_f1 = harmonic_mean(precision, positive_recall)
    counted = np.ones(labels.shape[1], dtype=bool)
    if empty_attribute == "skip":
        counted = (positives > 0) & (positives < num_known)

    judged = known.any(axis=1)
    hits_of_image = hits.sum(1)[judged]
    present_of_image = present.sum(1)[judged]
    predicted_of_image = predicted.sum(1)[judged]
    either = (present | predicted).sum(1)[judged]
    instance_precision = _mean(_ratio(hits_of_image, predicted_of_image))
    instance_recall = _mean(_ratio(hits_of_image, present_of_image))
    return MultiLabelScores(
        mean_accuracy=_mean(attribute_accuracy[counted]),
        instance_accuracy=_mean(_ratio(hits_of_image, either)),
        instance_precision=instance_precision,
        instance_recall=instance_recall,
        instance_f1=float(
            harmonic_mean(np.array(instance_precision), np.array(instance_recall))
        ),
        label_f1=_mean(attribute_f1[counted]),
        known=num_known,
        positives=positives,
        positive_recall=positive_recall,
        negative_recall=negative_recall,
        attribute_accuracy=attribute_accuracy,
        attribute_f1=attribute_f1,
        counted=counted,
    )


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide, with 0 where there is nothing to divide by (the official rule)."""
    return numerator / np.maximum(denominator, 1)


def harmonic_mean(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """F1 of precision and recall; 0 where both are 0."""
    total = first + second
    return 2 * first * second / np.where(total > 0, total, 1)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _thresholds(threshold: float | Sequence[float], scores: np.ndarray) -> np.ndarray:
    count = scores.shape[1]
    values = np.asarray(threshold, dtype=np.result_type(scores, np.float16))
    if values.shape not in ((), (count,)):
        raise ValueError(
            f"threshold is one number or one for each of the {count} attributes, got "
            f"shape {values.shape}"
        )
    return values


def _check(decisions: np.ndarray, labels: np.ndarray, empty_attribute: str) -> None:
    if empty_attribute not in EMPTY_ATTRIBUTE_RULES:
        raise ValueError(
            f"empty_attribute is one of {EMPTY_ATTRIBUTE_RULES}, got "
            f"{empty_attribute!r}"
        )
    _check_labels(labels, decisions, "decisions")
    if decisions.dtype != bool:
        raise ValueError(
            f"decisions are bool, got {decisions.dtype}; make them from scores by "
            "decide(scores, threshold)"
        )


def check_labelled_scores(scores: np.ndarray, labels: np.ndarray) -> None:
    """Raise ``ValueError`` unless these are probabilities and labels, ``(N, A)``."""
    _check_labels(labels, scores, "scores")
    _check_scores(scores)


def _check_scores(scores: np.ndarray) -> None:
    outside = ~((scores >= 0) & (scores <= 1))
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise ValueError(
            f"{outside.sum()} scores are not probabilities in [0, 1], first: "
            f"{scores[row, column]} in row {row}, column {column}"
        )


def _check_labels(labels: np.ndarray, others: np.ndarray, what: str) -> None:
    if others.ndim != 2 or others.shape != labels.shape or not others.size:
        raise ValueError(
            f"{what} and labels must both have the shape (N, A), N and A at least 1; "
            f"got {others.shape} and {labels.shape}"
        )
    odd = ~np.isin(labels, (1, 0, -1))
    if odd.any():
        row, column = np.argwhere(odd)[0]
        raise ValueError(
            f"{odd.sum()} labels are not 1, 0 or -1 (unknown), first: "
            f"{labels[row, column]} in row {row}, column {column}"
        )
