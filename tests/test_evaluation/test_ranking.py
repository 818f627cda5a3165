"""The area under the ROC curve is a count of pairs."""

import numpy as np
import pytest

from mmpar.evaluation.functional import average_precision, precision_recall, roc_auc
from tests.oracles.roc_auc import roc_auc_of_pairs


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores with many ties, labels of which some are unknown."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 12, (60, 4)) / 11
    return scores.astype(np.float32), rng.integers(-1, 2, (60, 4))


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_share_of_pairs_in_the_right_order(seed):
    scores, labels = drawn(seed)
    expected = roc_auc_of_pairs(scores, labels)
    np.testing.assert_allclose(roc_auc(scores, labels), expected, rtol=1e-12)


def test_it_is_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    scores, labels = drawn(0)
    labels = np.abs(labels)
    expected = metrics.roc_auc_score(labels, scores, average=None)
    np.testing.assert_allclose(roc_auc(scores, labels), expected, rtol=1e-12)


def test_unknown_labels_change_nothing():
    scores, labels = drawn(0)
    other = np.where(labels >= 0, scores, 1 - scores)
    np.testing.assert_array_equal(roc_auc(other, labels), roc_auc(scores, labels))


def test_an_attribute_without_a_positive_or_a_negative_has_none():
    scores, labels = drawn(0)
    labels[:, 1] = np.where(labels[:, 1] == 1, -1, labels[:, 1])
    labels[:, 2] = 1
    labels[:, 3] = -1
    assert np.isnan(roc_auc(scores, labels)).tolist() == [False, True, True, True]


def test_the_order_of_scores_alone_counts():
    scores, labels = drawn(0)
    np.testing.assert_array_equal(roc_auc(scores**3, labels), roc_auc(scores, labels))
    np.testing.assert_allclose(roc_auc(1 - scores, labels), 1 - roc_auc(scores, labels))


def test_labels_of_another_shape_are_refused():
    scores, labels = drawn(0)
    with pytest.raises(ValueError, match="must both have the shape"):
        roc_auc(scores, labels[:-1])


def test_average_precision_depends_on_shares_of_the_weights_alone():
    scores, labels = drawn(0)
    weights = np.random.default_rng(1).random((len(scores), 3))
    whole = average_precision(scores[:, 0], labels[:, 0], weights)
    shares = weights / (2 * weights.sum(axis=0))  # together less than one image
    found = average_precision(scores[:, 0], labels[:, 0], shares)
    np.testing.assert_allclose(found, whole, rtol=1e-12)


def test_without_a_positive_there_is_no_curve():
    scores, labels = drawn(0)
    curve = precision_recall(scores[:, 0], np.minimum(labels[:, 0], 0))
    assert [values.shape for values in curve] == [(0,), (0,)]
