"""Suspected label errors are those of cleanlab, by the authors of the method."""

import numpy as np
import pytest

from mmpar.evaluation.functional import find_label_errors


def noisy(seed, count=400):
    """Labels of four attributes, common to rare, some unknown, and scores for them."""
    rng = np.random.default_rng(seed)
    true = rng.random((count, 4)) < [0.5, 0.2, 0.05, 0.9]
    scores = 1 / (1 + np.exp(-(4 * true - 2.5 + rng.normal(0, 1.5, true.shape))))
    labels = np.where(rng.random(true.shape) < 0.08, ~true, true).astype(np.int8)
    labels[rng.random(true.shape) < 0.1] = -1
    return labels, scores.astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_suspects_and_their_order_are_cleanlabs(seed):
    find_label_issues = pytest.importorskip("cleanlab.filter").find_label_issues
    labels, scores = noisy(seed)
    ours = find_label_errors(labels, scores).ranked()
    assert len(ours) > 40
    for attribute in range(labels.shape[1]):
        rows = np.flatnonzero(labels[:, attribute] >= 0)
        given, present = labels[rows, attribute], scores[rows, attribute].astype(float)
        theirs = find_label_issues(
            given,
            np.stack([1 - present, present], axis=1),
            filter_by="confident_learning",
            return_indices_ranked_by="self_confidence",
            n_jobs=1,
        )
        assert ours[ours[:, 1] == attribute, 0].tolist() == rows[theirs].tolist()


def test_unknown_labels_are_not_suspect_and_change_nothing_else():
    labels, scores = noisy(3)
    found = find_label_errors(labels, scores)
    unknown = labels < 0
    assert not found.suspect[unknown].any()
    assert np.isnan(found.doubt[unknown]).all()
    again = find_label_errors(labels, np.where(unknown, 1 - scores, scores))
    assert (again.suspect == found.suspect).all()


def test_an_attribute_that_all_have_has_no_suspects():
    found = find_label_errors(np.ones((3, 1), int), np.array([[0.9], [0.1], [0.0]]))
    assert not found.suspect.any()
    assert np.isnan(found.self_confidence[0, 0])


def test_a_doubt_that_equals_the_mean_is_enough_and_one_of_a_half_is_not():
    """One label is present; an absent one has its score, which is also the mean."""
    labels = np.array([[1, 1], [0, 0], [0, 0]])
    found = find_label_errors(labels, np.array([[0.9, 0.5], [0.9, 0.5], [0.1, 0.1]]))
    assert np.argwhere(found.suspect).tolist() == [[1, 0]]
    expected = [[0.5, 0.7], [0.9, 0.5]]
    np.testing.assert_allclose(found.self_confidence, expected, rtol=1e-12)


def test_equally_doubtful_suspects_stay_in_the_order_of_images():
    labels, scores = np.zeros((100, 1), int), np.full((100, 1), 0.9)
    labels[:10], scores[90:] = 1, 0.95
    ranked = find_label_errors(labels, scores).ranked()
    assert ranked[:, 0].tolist() == [*range(90, 100), *range(10, 90)]


def test_probabilities_of_0_and_1_are_taken():
    found = find_label_errors(np.array([[1], [0]]), np.array([[1.0], [0.0]]))
    assert found.self_confidence.tolist() == [[1], [1]]


@pytest.mark.parametrize("score", [-0.1, 1.1, np.nan])
def test_scores_that_are_no_probabilities_are_refused(score):
    with pytest.raises(ValueError, match="probabilities from 0 to 1"):
        find_label_errors(np.array([[1]]), np.array([[score]]))


def test_scores_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"labels are \(1, 2\), but scores \(1, 1\)"):
        find_label_errors(np.array([[1, 0]]), np.array([[0.5]]))
