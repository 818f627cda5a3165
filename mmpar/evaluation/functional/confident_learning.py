"""Labels that a model which has not seen them confidently contradicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_ROUNDING = 1e-6
"""By how much a probability may miss a mean of probabilities and still reach it."""


@dataclass(frozen=True)
class LabelErrors:
    """Suspected label errors of N images and A attributes.

    Args:
        suspect: Bool, (N, A); unknown labels are never suspect.
        doubt: (N, A), the model's probability that the label is wrong: that of absent
            where it is present and the other way round; NaN where it is unknown.
        self_confidence: (2, A), the mean probability that the model gives to absent
            where it is labelled, then to present; NaN where nothing is labelled so.
    """

    suspect: np.ndarray
    doubt: np.ndarray
    self_confidence: np.ndarray

    def ranked(self) -> np.ndarray:
        """Row and attribute of each suspect, most doubtful first, (S, 2)."""
        found = np.argwhere(self.suspect)
        return found[np.argsort(-self.doubt[self.suspect], kind="stable")]


def find_label_errors(labels: np.ndarray, scores: np.ndarray) -> LabelErrors:
    """Confident learning, each attribute a task of two classes.

    After Northcutt et al., "Confident Learning: Estimating Uncertainty in Dataset
    Labels", JAIR 2021: a class is confident where its probability reaches the mean that
    the images labelled so have. A label is suspect if the other class is confident and
    the more probable one. The last condition is that of the authors' package cleanlab
    (``filter_by="confident_learning"``); without it a rare attribute, whose mean is far
    below 0.5, has more suspects and fewer errors among them.

    Args:
        labels: (N, A): 1 present, 0 absent, -1 unknown.
        scores: (N, A), probabilities of a model that was not trained on these labels
            (cross-validation), in [0, 1].

    Raises:
        ValueError: The shapes differ, or a score is not a probability.

    Example:
        >>> labels = np.array([[1], [1], [0], [0], [0]])
        >>> scores = np.array([[0.9], [0.7], [0.1], [0.2], [0.95]])
        >>> find_label_errors(labels, scores).ranked().tolist()
        [[4, 0]]
    """
    if labels.shape != scores.shape:
        raise ValueError(f"labels are {labels.shape}, but scores {scores.shape}")
    present = scores.astype(np.float64)
    if not ((present >= 0) & (present <= 1)).all():
        raise ValueError("scores must be probabilities from 0 to 1, and none missing")
    means = np.stack([_mean(1 - present, labels == 0), _mean(present, labels == 1)])
    known = labels >= 0
    doubt = np.where(labels == 1, 1 - present, present)
    other = np.where(labels == 1, means[0], means[1])
    # A comparison with NaN, the mean of a class that no label has, is false.
    suspect = known & (doubt >= other - _ROUNDING) & (doubt > 0.5)
    return LabelErrors(suspect, np.where(known, doubt, np.nan), means)


def _mean(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Mean of the chosen values of each column, NaN where none is."""
    count = chosen.sum(axis=0)
    total = np.where(chosen, values, 0).sum(axis=0)
    return np.where(count, total / np.maximum(count, 1), np.nan)
