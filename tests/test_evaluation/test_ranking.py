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


@pytest.mark.filterwarnings("error")
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


def curve_of_images(scores, labels, weights):
    """Precision and recall from each score on, image by image."""
    images = [one for one in zip(scores.tolist(), labels, weights) if one[1] >= 0]
    positives = sum(w for _, y, w in images if y == 1)
    precision, recall = [], []
    for threshold in sorted({s for s, _, _ in images}, reverse=True):
        found = sum(w for s, _, w in images if s >= threshold)
        hits = sum(w for s, y, w in images if s >= threshold and y == 1)
        precision.append(hits / found if found else 0.0)
        recall.append(hits / positives if positives else np.nan)
    return precision, recall


def test_the_curve_is_counted_image_by_image():
    scores, labels = drawn(0)
    for column, truth in zip(scores.T, labels.T):
        expected = curve_of_images(column, truth, [1] * 60)
        np.testing.assert_allclose(precision_recall(column, truth), expected)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float64])
def test_average_precision_is_the_area_of_steps_under_the_curve(dtype):
    """Also where the first images, or all positives, have no weight."""
    scores, labels = (part[:, 0] for part in drawn(0))
    weights = np.random.default_rng(1).integers(0, 3, (60, 6)).astype(dtype)
    weights[scores > 0.8, 1] = 0
    weights[labels == 1, 2] = 0
    weights[:, 3] = 0
    expected = []
    for own in weights.T.tolist():
        precision, recall = curve_of_images(scores, labels, own)
        expected.append(np.dot(precision, np.diff(recall, prepend=0)))
    found = average_precision(scores, labels, weights)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.isnan(found).tolist() == [False, False, True, True, False, False]


def test_average_precision_depends_on_shares_of_the_weights_alone():
    scores, labels = drawn(0)
    weights = np.random.default_rng(1).random((len(scores), 3))
    whole = average_precision(scores[:, 0], labels[:, 0], weights)
    shares = weights / (2 * weights.sum(axis=0))  # together less than one image
    found = average_precision(scores[:, 0], labels[:, 0], shares)
    np.testing.assert_allclose(found, whole, rtol=1e-12)


def test_weights_in_single_precision_are_added_in_double_precision():
    scores = labels = np.repeat([0, 1], 5000)
    weights = np.random.default_rng(0).random((10000, 3), np.float32)
    assert (average_precision(scores, labels, weights) == 1).all()


def test_without_a_positive_there_is_no_curve_and_no_area():
    scores, labels = (part[:, 0] for part in drawn(0))
    labels = np.minimum(labels, 0)
    curve = precision_recall(scores, labels)
    assert [values.shape for values in curve] == [(0,), (0,)]
    areas = average_precision(scores, labels, np.ones((60, 3)))
    assert np.isnan(areas).tolist() == [True] * 3
