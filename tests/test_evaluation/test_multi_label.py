"""The metric functions equal a plain loop, also where there is little to count."""

import numpy as np
import pytest

from mmpar.evaluation.functional import multi_label_scores
from tests.test_evaluation.oracle import oracle


def random_case(seed, num_images=40, num_attributes=7, unknown=0.2):
    rng = np.random.default_rng(seed)
    scores = rng.random((num_images, num_attributes)).astype(np.float32)
    labels = rng.integers(0, 2, scores.shape).astype(np.int8)
    labels[rng.random(scores.shape) < unknown] = -1
    return scores, labels


def assert_equals_oracle(scores, labels, threshold=0.5, rule="official"):
    result = multi_label_scores(scores, labels, threshold, rule)
    for name, expected in oracle(scores, labels, threshold, rule).items():
        np.testing.assert_allclose(
            getattr(result, name), expected, rtol=1e-12, atol=1e-15, err_msg=name
        )


@pytest.mark.parametrize("rule", ["official", "skip"])
@pytest.mark.parametrize("seed", range(8))
def test_equals_the_oracle_on_random_input(seed, rule):
    scores, labels = random_case(seed, unknown=0.1 * (seed % 4))
    assert_equals_oracle(scores, labels, rule=rule)


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_oracle_with_a_threshold_for_each_attribute(seed):
    scores, labels = random_case(seed)
    thresholds = np.random.default_rng(seed).random(7)
    assert_equals_oracle(scores, labels, threshold=thresholds)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rule", ["official", "skip"])
@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("label", [-1, 0, 1])
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (5, 1), (5, 4)])
def test_equals_the_oracle_on_constant_input(shape, label, score, rule):
    scores = np.full(shape, score, np.float32)
    assert_equals_oracle(scores, np.full(shape, label, np.int8), rule=rule)


@pytest.mark.parametrize("rule", ["official", "skip"])
def test_equals_the_oracle_with_an_attribute_without_positives(rule):
    scores, labels = random_case(0)
    labels[:, 2] = 0
    labels[:, 5] = -1
    assert_equals_oracle(scores, labels, rule=rule)


def test_attribute_without_positives_counts_officially_and_is_skipped_otherwise():
    scores = np.array([[0.9, 0.1], [0.1, 0.1]])
    labels = np.array([[1, 0], [0, 0]])
    official = multi_label_scores(scores, labels, empty_attribute="official")
    skipped = multi_label_scores(scores, labels, empty_attribute="skip")
    assert official.mean_accuracy == 0.75
    assert skipped.mean_accuracy == 1.0
    assert official.empty.tolist() == skipped.empty.tolist() == [False, True]


def test_unknown_labels_change_no_number():
    scores, labels = random_case(1)
    changed = np.where(labels == -1, 1 - scores, scores)
    before, after = (multi_label_scores(s, labels) for s in (scores, changed))
    assert before.mean_accuracy == after.mean_accuracy
    assert before.instance_f1 == after.instance_f1
    assert before.label_f1 == after.label_f1


def test_a_score_at_the_threshold_is_negative():
    result = multi_label_scores(np.array([[0.5]]), np.array([[0]]), 0.5)
    assert result.negative_recall.tolist() == [1.0]


def test_f1_comes_from_the_averaged_precision_and_recall():
    scores = np.array([[0.9, 0.9], [0.9, 0.1]])
    labels = np.array([[1, 0], [1, 1]])
    result = multi_label_scores(scores, labels)
    assert result.instance_precision == 0.75
    assert result.instance_recall == 0.75
    assert result.instance_f1 == 0.75  # the mean of the images' F1 would be 2 / 3


@pytest.mark.parametrize(
    ("scores", "labels", "threshold", "message"),
    [
        (np.zeros((2, 3)), np.zeros((2, 2)), 0.5, "shape"),
        (np.zeros((0, 3)), np.zeros((0, 3)), 0.5, "at least 1"),
        (np.full((2, 3), 3.0), np.zeros((2, 3)), 0.5, "probabilities"),
        (np.full((2, 3), np.nan), np.zeros((2, 3)), 0.5, "probabilities"),
        (np.zeros((2, 3)), np.full((2, 3), 2), 0.5, "labels are not"),
        (np.zeros((2, 3)), np.zeros((2, 3)), [0.5, 0.5], "3 attributes"),
    ],
)
def test_unfit_input_is_refused(scores, labels, threshold, message):
    with pytest.raises(ValueError, match=message):
        multi_label_scores(scores, labels, threshold)


def test_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="empty_attribute"):
        multi_label_scores(np.zeros((1, 1)), np.zeros((1, 1)), 0.5, "drop")
