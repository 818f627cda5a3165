"""The metric functions equal a plain loop, also where there is little to count."""

import numpy as np
import pytest

from mmpar.evaluation.functional import decide, multi_label_scores
from tests.oracles.multi_label import oracle


def random_case(seed, num_images=40, num_attributes=7, unknown=0.2):
    rng = np.random.default_rng(seed)
    scores = rng.random((num_images, num_attributes)).astype(np.float32)
    labels = rng.integers(0, 2, scores.shape).astype(np.int8)
    labels[rng.random(scores.shape) < unknown] = -1
    return scores, labels


def assert_equals_oracle(scores, labels, threshold=0.5, rule="official"):
    result = multi_label_scores(decide(scores, threshold), labels, rule)
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
    thresholds = np.random.default_rng(seed).random(7).astype(np.float32)
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
    decisions = np.array([[True, False], [False, False]])
    labels = np.array([[1, 0], [0, 0]])
    official = multi_label_scores(decisions, labels, empty_attribute="official")
    skipped = multi_label_scores(decisions, labels, empty_attribute="skip")
    assert official.mean_accuracy == 0.75
    assert skipped.mean_accuracy == 1.0
    assert official.empty.tolist() == skipped.empty.tolist() == [False, True]


def test_unknown_labels_change_no_number():
    scores, labels = random_case(1)
    changed = np.where(labels == -1, 1 - scores, scores)
    before, after = (multi_label_scores(decide(s), labels) for s in (scores, changed))
    assert before.mean_accuracy == after.mean_accuracy
    assert before.instance_f1 == after.instance_f1
    assert before.label_f1 == after.label_f1


def test_a_score_at_the_threshold_is_negative():
    scores = np.array([[0.3, 0.3, 0.5]], np.float32)
    # 0.3 as float32 is above 0.3 as float64, and not above itself.
    assert decide(scores, [0.3, 0.2, 0.5]).tolist() == [[False, True, False]]
    assert decide(np.array([[0.4, 0.5, 0.6]])).tolist() == [[False, False, True]]


def test_f1_comes_from_the_averaged_precision_and_recall():
    decisions = np.array([[True, True], [True, False]])
    labels = np.array([[1, 0], [1, 1]])
    result = multi_label_scores(decisions, labels)
    assert result.instance_precision == 0.75
    assert result.instance_recall == 0.75
    assert result.instance_f1 == 0.75  # the mean of the images' F1 would be 2 / 3


@pytest.mark.parametrize(
    ("decisions", "labels", "message"),
    [
        (np.zeros((2, 3), bool), np.zeros((2, 2)), "shape"),
        (np.zeros((0, 3), bool), np.zeros((0, 3)), "at least 1"),
        (np.zeros((2, 3)), np.zeros((2, 3)), "decisions are bool, got float64"),
        (np.zeros((2, 3), bool), np.full((2, 3), 2), "labels are not"),
    ],
)
def test_unfit_input_is_refused(decisions, labels, message):
    with pytest.raises(ValueError, match=message):
        multi_label_scores(decisions, labels)


@pytest.mark.parametrize(
    ("scores", "threshold", "message"),
    [
        (np.full((2, 3), 1.01), 0.5, "probabilities"),
        (np.full((2, 3), -0.01), 0.5, "probabilities"),
        (np.full((2, 3), np.nan), 0.5, "probabilities"),
        (np.zeros((2, 3)), [0.5, 0.5], "3 attributes"),
    ],
)
def test_scores_and_thresholds_that_do_not_fit_are_refused(scores, threshold, message):
    with pytest.raises(ValueError, match=message):
        decide(scores, threshold)


def test_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="empty_attribute"):
        multi_label_scores(np.zeros((1, 1), bool), np.zeros((1, 1)), "drop")
