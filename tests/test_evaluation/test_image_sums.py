"""Metrics of weighted images are those of images repeated as often."""

import numpy as np
import pytest

from mmpar.evaluation.functional import (
    calibration_errors,
    image_terms,
    mean_over,
    metrics_of_sums,
)
from tests.oracles.multi_label import oracle

SHARED = ("positive_recall", "negative_recall", "attribute_accuracy", "attribute_f1")
SHARED += ("instance_precision", "instance_recall", "instance_accuracy", "instance_f1")


def drawn():
    """Twenty images; in order, the first ones are special."""
    rng = np.random.default_rng(0)
    scores, labels = rng.random((20, 4)), rng.integers(-1, 2, (20, 4))
    labels[0] = -1  # nothing is known
    labels[1], scores[1] = (1, 0, 0, -1), 0.1  # nothing is found
    labels[2], scores[2] = 0, 0.9  # nothing is present
    labels[3], scores[3] = (1, 0, 0, 0), (0.9, 0.1, 0.1, 0.1)  # one is, and is found
    labels[:, 3] = np.minimum(labels[:, 3], 0)  # never present
    return scores, labels


def expected(scores, labels):
    """The oracle's numbers; NaN where they divide by nothing."""
    found = oracle(scores, labels, 0.5, "official")
    rows = {name: np.array(found[name], float) for name in SHARED}
    positive, negative = (labels == 1).any(axis=0), (labels == 0).any(axis=0)
    rows["positive_recall"][~positive] = np.nan
    rows["attribute_f1"][~positive] = np.nan
    rows["negative_recall"][~negative] = np.nan
    rows["attribute_accuracy"][~(positive & negative)] = np.nan
    rows["calibration_error"] = calibration_errors(scores, labels)
    return rows


@pytest.mark.filterwarnings("error")
def test_sums_give_the_metrics_of_repeated_images():
    scores, labels = drawn()
    selections = [np.arange(20), np.random.default_rng(1).integers(20, size=20)]
    selections += [np.array([row]) for row in range(20)]
    weights = np.array([np.bincount(rows, minlength=20) for rows in selections])
    terms = image_terms(scores, scores > 0.5, labels)
    every = metrics_of_sums(weights @ terms.terms, 4)
    for index, rows in enumerate(selections):
        for name, values in expected(scores[rows], labels[rows]).items():
            found = getattr(every, name)[index]
            np.testing.assert_allclose(found, values, atol=1e-12, err_msg=name)


@pytest.mark.filterwarnings("error")
def test_means_are_over_attributes_that_count_and_are_defined():
    values = np.array([[0.2, np.nan, 0.4, 0.9], [np.nan, np.nan, np.nan, 0.9]])
    found = mean_over(values, np.array([True, True, True, False]))
    assert found == pytest.approx([0.3, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("score", "label", "match"), [(1.5, 1, "probabilities"), (0.5, 2, "labels are")]
)
def test_what_is_no_score_or_label_is_not_summed(score, label, match):
    scores, labels = np.array([[score], [0.5]]), np.array([[label], [0]])
    with pytest.raises(ValueError, match=match):
        image_terms(scores, scores > 0.5, labels)
