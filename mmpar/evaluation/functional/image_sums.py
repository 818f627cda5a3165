"""Metrics from sums over images, so that any weights of images are a matrix product.

Recalls, F1, instance metrics and calibration errors follow from a few sums over images.
A draw of the bootstrap weights the images, a group selects some, a permutation test
swaps those of two models: each is a linear combination of the same terms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, hstack

from mmpar.evaluation.functional.calibration import NUM_BINS, sort_into_bins
from mmpar.evaluation.functional.multi_label import (
    check_labelled_scores,
    harmonic_mean,
)

_INSTANCE = 4  # judged, precision, recall, accuracy
_BINS = NUM_BINS + 1


@dataclass(frozen=True)
class ImageTerms:
    """The terms of N images of A attributes, ``(N, K)``, sparse."""

    terms: csr_matrix
    num_attributes: int

    def without_bins(self) -> ImageTerms:
        """All but those of calibration errors, which are nine tenths."""
        return ImageTerms(
            self.terms[:, : 4 * self.num_attributes + _INSTANCE], self.num_attributes
        )

    def per_person(
        self, numbers: np.ndarray, rows: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Sums over the images of each person, of some rows or all.

        Args:
            numbers: ``(N,)``, see :func:`number_persons`.
            rows: Bool ``(N,)``.

        Returns:
            The numbers of the P persons who have images there, ascending, and the sums,
            ``(P, K)``, float64.
        """
        terms = self.terms if rows is None else self.terms[np.flatnonzero(rows)]
        numbers = numbers if rows is None else numbers[rows]
        persons, positions = np.unique(numbers, return_inverse=True)
        ones = np.ones(len(numbers))
        places = (positions, np.arange(len(numbers)))
        membership = csr_matrix((ones, places), (len(persons), len(numbers)))
        return persons, (membership @ terms).toarray()


def image_terms(
    scores: np.ndarray, decisions: np.ndarray, labels: np.ndarray
) -> ImageTerms:
    """The terms whose sums give the metrics, see :func:`metrics_of_sums`.

    Args:
        scores: Probabilities ``(N, A)``.
        decisions: ``(N, A)``, bool.
        labels: ``(N, A)``: 1 present, 0 absent, -1 unknown.
    """
    check_labelled_scores(scores, labels)
    known, present = labels >= 0, labels == 1
    found = decisions & known
    hits = present & found
    num_hits, num_present, num_found = (x.sum(axis=1) for x in (hits, present, found))
    num_either = (present | found).sum(axis=1)
    instance = np.stack(
        [
            known.any(axis=1),
            num_hits / np.maximum(num_found, 1),
            num_hits / np.maximum(num_present, 1),
            num_hits / np.maximum(num_either, 1),
        ],
        axis=1,
    )
    dense = np.concatenate([present, known, found, hits, instance], axis=1)
    terms = hstack([csr_matrix(dense), *_bin_terms(scores, labels)]).tocsr()
    return ImageTerms(terms, labels.shape[1])


def _bin_terms(scores: np.ndarray, labels: np.ndarray) -> list[csr_matrix]:
    """One, score and label of each known label, at its bin: 3 of ``(N, A * B)``."""
    known = labels >= 0
    places = (np.nonzero(known)[0], sort_into_bins(scores)[known])
    shape = (len(labels), labels.shape[1] * _BINS)
    values = (known, scores.astype(np.float64), labels == 1)
    return [csr_matrix((v[known].astype(float), places), shape) for v in values]


@dataclass(frozen=True)
class SummedMetrics:
    """Metrics of one or more sums; ratios in [0, 1], NaN where nothing defines them.

    Attributes:
        positives: ``(..., A)``, known labels that are 1.
        known: ``(..., A)``, known labels.
        positive_recall: ``(..., A)``; as the next ones, NaN without a positive.
        negative_recall: ``(..., A)``; NaN without a negative.
        attribute_accuracy: ``(..., A)``, the mean of both.
        attribute_f1: ``(..., A)``.
        instance_precision: ``(...)``; as the next ones, 0 for an image without a found
            or a present attribute.
        instance_recall: ``(...)``.
        instance_accuracy: ``(...)``.
        instance_f1: ``(...)``.
        calibration_error: ``(..., A)``; NaN without bins.
    """

    positives: np.ndarray
    known: np.ndarray
    positive_recall: np.ndarray
    negative_recall: np.ndarray
    attribute_accuracy: np.ndarray
    attribute_f1: np.ndarray
    instance_precision: np.ndarray
    instance_recall: np.ndarray
    instance_accuracy: np.ndarray
    instance_f1: np.ndarray
    calibration_error: np.ndarray


def metrics_of_sums(sums: np.ndarray, num_attributes: int) -> SummedMetrics:
    """The metrics of :func:`multi_label_scores` and :func:`calibration_errors`.

    Unlike those, a ratio over nothing is NaN.

    >>> labels, scores = np.array([[1], [1], [0]]), np.array([[0.9], [0.4], [0.2]])
    >>> terms = image_terms(scores, scores > 0.5, labels)
    >>> weights = np.array([[1, 1, 1], [1, 0, 2]])  # all images; some of them twice
    >>> metrics_of_sums(weights @ terms.terms, 1).attribute_accuracy.tolist()
    [[0.75], [1.0]]

    Args:
        sums: ``(..., K)``, of the terms of :func:`image_terms`.
        num_attributes: A.
    """
    counts = 4 * num_attributes
    shape = (*sums.shape[:-1], 4, num_attributes)
    counted = sums[..., :counts].reshape(shape)
    positives, known, found, hits = np.moveaxis(counted, -2, 0)
    judged, *totals = np.moveaxis(sums[..., counts : counts + _INSTANCE], -1, 0)
    instance_precision, instance_recall, accuracy = (
        _ratio(total, judged) for total in totals
    )
    positive_recall = _ratio(hits, positives)
    negatives = known - positives
    negative_recall = _ratio(negatives - found + hits, negatives)
    return SummedMetrics(
        positives=positives,
        known=known,
        positive_recall=positive_recall,
        negative_recall=negative_recall,
        attribute_accuracy=(positive_recall + negative_recall) / 2,
        attribute_f1=np.where(
            positives > 0, _ratio(2 * hits, positives + found), np.nan
        ),
        instance_precision=instance_precision,
        instance_recall=instance_recall,
        instance_accuracy=accuracy,
        instance_f1=harmonic_mean(instance_precision, instance_recall),
        calibration_error=errors_of_bins(bins_of_sums(sums, num_attributes)),
    )


def bins_of_sums(sums: np.ndarray, num_attributes: int) -> np.ndarray:
    """Count, score and positives of each bin, ``(..., 3, A, B)``; B is 0 without."""
    start = 4 * num_attributes + _INSTANCE
    return sums[..., start:].reshape(*sums.shape[:-1], 3, num_attributes, -1)


def errors_of_bins(bins: np.ndarray) -> np.ndarray:
    """Expected calibration errors, ``(..., A)``, of what :func:`bins_of_sums` gives."""
    count, score, positives = np.moveaxis(bins, -3, 0)
    return _ratio(np.abs(positives - score).sum(axis=-1), count.sum(axis=-1))


def mean_over(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Mean over attributes, ``(...)``, of those that count and are defined.

    Args:
        values: ``(..., A)``.
        counted: Bool ``(A,)``.
    """
    defined = counted & ~np.isnan(values)
    return _ratio(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1))


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide; NaN where there is nothing to divide by."""
    return np.asarray(numerator / np.where(denominator > 0, denominator, np.nan))
