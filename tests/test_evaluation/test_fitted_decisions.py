"""Fitting thresholds, calibration and conformal quantiles; bootstrap intervals."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import betabinom

from mmpar.evaluation.functional import (
    OBJECTIVES,
    FittedThresholds,
    Interval,
    bootstrap,
    calibration_errors,
    conformal_quantile,
    coverage_of_answers,
    decide,
    fit_calibration,
    fit_conformal,
    fit_thresholds,
    ideal_calibration_errors,
    interval_of_draws,
    person_weights,
    reliability,
    set_truth,
)
from mmpar.structures import AttributeSchema, Calibration, DecisionRule, SetSoftmax
from mmpar.structures.decision import sigmoid

AGES = ("Young", "Adult", "Old")
SCHEMA = AttributeSchema(("Hat", *AGES, "Bag"), {"age": AGES}, exclusive=(AGES,))


def draw(count, seed=0, schema=SCHEMA, unknown=0.1):
    """Logits, and labels that follow the scores of ``TRUE``."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-0.5, 2.5, (count, len(schema)))
    scores = TRUE.probabilities(logits)
    labels = (rng.random(scores.shape) < scores).astype(np.int8)
    ages = np.column_stack([scores[:, 1:4], 1 - scores[:, 1:4].sum(axis=1)])
    answers = (rng.random((count, 1)) > ages.cumsum(axis=1)).sum(axis=1)
    labels[:, 1:4] = answers[:, None] == np.arange(3)
    labels[rng.random(labels.shape) < unknown] = -1
    return logits, labels


TRUE = Calibration(
    SCHEMA, (0.4, 1, 1, 1, 2), (-1, 0, 0, 0, 0.5), (SetSoftmax(1.8, 0.7),)
)


# --- thresholds ---------------------------------------------------------------------


def value_at(threshold, scores, labels, objective, wanted):
    """What a threshold is worth, counted image by image."""
    hits = alarms = positives = negatives = 0
    for score, label in zip(scores, labels):
        positives += label == 1
        negatives += label == 0
        hits += label == 1 and score > threshold
        alarms += label == 0 and score > threshold
    if objective == "mA":
        return hits / positives - alarms / negatives
    if objective == "F1":
        return 2 * hits / (hits + alarms + positives)
    return hits / positives if hits and hits / (hits + alarms) >= wanted else -1


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_threshold_is_better_than_the_fitted_one(objective, dtype):
    rng = np.random.default_rng(3)
    for count, levels in ((1, 3), (5, 2), (30, 6), (60, 10**6)):
        scores = (rng.integers(0, levels + 1, (count, 20)) / levels).astype(dtype)
        labels = rng.choice([-1, 0, 1], (count, 20), p=[0.1, 0.6, 0.3])
        wanted = 0.6 if objective == "precision" else None
        fitted = fit_thresholds(scores, labels, objective, wanted)
        for a, (threshold, note) in enumerate(zip(fitted.thresholds, fitted.notes)):
            s, y = scores[:, a], labels[:, a]
            if len({0, 1} & {*y.tolist()}) < 2:
                assert threshold == 0.5
                assert "so it keeps 0.5" in note
                continue
            values = {
                t: value_at(t, s, y, objective, wanted) for t in {0.0, 1.0, *s.tolist()}
            }
            found = value_at(dtype(threshold), s, y, objective, wanted)
            assert found == pytest.approx(max(values.values()), abs=1e-12)
            reached = objective != "precision" or max(values.values()) >= 0
            assert (note is None) == reached


def test_of_equally_good_thresholds_it_is_the_nearest_to_a_half():
    scores = np.array([[0.1, 0.8, 0.1], [0.4, 0.9, 0.2], [0.7, 0.95, 0.3], [1, 1, 0.9]])
    labels = np.array([[0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1]])
    assert fit_thresholds(scores, labels).thresholds == pytest.approx((0.55, 0.4, 0.6))


def test_thresholds_that_find_nothing_are_at_most_1():
    scores, labels = np.array([[0, 0], [0.9, 1]]), np.array([[1, 1], [0, 0]])
    assert fit_thresholds(scores, labels).thresholds == pytest.approx((0.95, 1))


def test_a_threshold_that_is_better_by_little_is_taken():
    """F1 of 20000 / 20001, one below 0.3, and not of 19998 / 19999."""
    scores = np.repeat([0.9, 0.3, 0.25, 0.05], [9_999, 1, 1, 1])[:, None]
    labels = np.repeat([1, 0, 1, 0], [9_999, 1, 1, 1])[:, None]
    assert fit_thresholds(scores, labels, "F1").thresholds == pytest.approx((0.15,))


def test_a_precision_of_1_can_be_wanted():
    scores, labels = np.array([[0.1], [0.7], [0.9]]), np.array([[0], [0], [1]])
    fitted = fit_thresholds(scores, labels, "precision", 1)
    assert fitted == FittedThresholds((pytest.approx(0.8),), (None,))


def test_a_precision_out_of_reach_is_said():
    scores, labels = np.array([[0.1], [0.7], [0.9]]), np.array([[1], [1], [0]])
    fitted = fit_thresholds(scores, labels, "precision", 0.9)
    assert "0.9 is out of reach; the highest is 0.667" in fitted.notes[0]
    assert decide(scores, fitted.thresholds).all()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("accuracy",), "one of"),
        (("precision",), "precision is None"),
        (("mA", 0.5), r"precision is 0\.5"),
        (("precision", 1.5), "at most 1"),
        (("precision", 0), "above 0"),
    ],
)
def test_wrong_wishes_are_errors(arguments, match):
    with pytest.raises(ValueError, match=match):
        fit_thresholds(np.full((2, 1), 0.5), np.array([[0], [1]]), *arguments)


@pytest.mark.parametrize(
    ("score", "label", "match"), [(-2.0, 1, "probabilities"), (0.5, 2, "labels are")]
)
def test_thresholds_of_what_is_no_score_or_label_are_not_fitted(score, label, match):
    with pytest.raises(ValueError, match=match):
        fit_thresholds(np.array([[score], [0.5]]), np.array([[label], [0]]))


# --- calibration --------------------------------------------------------------------


def test_the_fit_finds_the_calibration_that_made_the_labels():
    logits, labels = draw(40_000)
    found = fit_calibration(SCHEMA, logits, labels)
    assert {*found.notes, *found.set_notes} == {None}
    x = logits[:1000]
    scores, true = found.calibration.probabilities(x), TRUE.probabilities(x)
    np.testing.assert_allclose(scores[:, [0, 4]], true[:, [0, 4]], atol=0.02)
    # Members are scaled one by one before the softmax, which costs a little.
    assert np.abs(scores[:, 1:4] - true[:, 1:4]).mean() < 0.02


def penalised_loss(scale, bias, x, y):
    p = sigmoid(scale * x + bias)
    return prior(scale, bias) - np.where(y == 1, np.log(p), np.log1p(-p)).sum()


def prior(scale, bias):
    return np.log(scale) ** 2 / 2 + (bias / 5) ** 2 / 2


def penalised_loss_of_set(scale, none, z, labels):
    """Summed over the images that show one member or none, and whose labels say so."""
    loss = prior(scale, none)
    for row, truth in zip(z.tolist(), labels.tolist()):
        if -1 in truth or truth.count(1) > 1:
            continue
        powers = [math.exp(scale * value) for value in row] + [math.exp(none)]
        answer = truth.index(1) if 1 in truth else len(truth)
        loss -= math.log(powers[answer] / sum(powers))
    return loss


def slopes(loss, scale, bias, data, step=1e-4):
    """Derivatives by the logarithm of the scale and by the bias."""
    wider, narrower = scale * math.exp(step), scale / math.exp(step)
    by_scale = loss(wider, bias, *data) - loss(narrower, bias, *data)
    by_bias = loss(scale, bias + step, *data) - loss(scale, bias - step, *data)
    return by_scale / (2 * step), by_bias / (2 * step)


@pytest.mark.parametrize("method", ["temperature", "platt"])
def test_no_other_scale_and_bias_are_more_likely(method):
    logits, labels = draw(40)
    fitted = fit_calibration(SCHEMA, logits, labels, method).calibration
    for a, (scale, bias) in enumerate(zip(fitted.scale, fitted.bias)):
        known = labels[:, a] >= 0
        data = logits[known, a], labels[known, a]
        by_scale, by_bias = slopes(penalised_loss, scale, bias, data)
        assert by_scale == pytest.approx(0, abs=1e-4)
        if method == "temperature":
            assert bias == 0
        else:
            assert by_bias == pytest.approx(0, abs=1e-4)
    z = logits * fitted.scale + fitted.bias
    softmax = fitted.softmax[0]
    found = slopes(
        penalised_loss_of_set,
        1 / softmax.temperature,
        softmax.none,
        (z[:, 1:4], labels[:, 1:4]),
    )
    assert found == pytest.approx((0, 0), abs=1e-4)


@pytest.mark.parametrize("shown", [0, 1, 2])
def test_one_member_that_is_shown_is_enough_for_a_softmax(shown):
    logits, labels = draw(20, unknown=0)
    labels[:, 1:4] = 0
    labels[::2, 1 + shown] = 1
    found = fit_calibration(SCHEMA, logits, labels)
    assert found.set_notes == (None,)
    assert found.calibration.softmax[0] is not None


@pytest.mark.parametrize(
    ("logit", "label", "match"), [(np.nan, 1, "probabilities"), (0.5, 2, "labels are")]
)
def test_what_is_no_logit_or_label_is_not_calibrated(logit, label, match):
    logits, labels = draw(20)
    logits[3, 1], labels[3, 1] = logit, label
    with pytest.raises(ValueError, match=match):
        fit_calibration(SCHEMA, logits, labels)


def test_separable_labels_and_single_classes_leave_finite_numbers():
    logits = np.linspace(-5, 5, 20)[:, None] * [1, 1, -1, 1, 1]
    labels = (logits > 0).astype(int)
    labels[:, 1], labels[:, 3], labels[:, 4] = 1, 0, -1
    found = fit_calibration(SCHEMA, logits, labels)
    assert [note is None for note in found.notes] == [True, False, True, False, False]
    assert "20 positives and 0 negatives in the split" in found.notes[1]
    assert found.calibration.scale[1::2] == (1, 1)
    assert found.calibration.bias[1::2] == (0, 0)
    assert max(found.calibration.scale) < 20
    labels[:, 1:4] = 0
    assert "no image" in fit_calibration(SCHEMA, logits, labels).set_notes[0]


def test_sets_that_share_an_attribute_have_one_softmax():
    schema = AttributeSchema(SCHEMA.names, exclusive=[AGES, ("Old", "Bag")])
    logits, labels = draw(100)
    found = fit_calibration(schema, logits, labels)
    assert found.calibration.softmax[1] is None
    assert "shares attributes" in found.set_notes[1]
    rule = DecisionRule(schema, 0.5, found.calibration)
    assert fit_conformal(rule, rule.scores(logits), labels, 0.8).sets[1] is None


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_error_is_that_of_torchmetrics(dtype):
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.classification")
    logits, labels = draw(500)
    scores = sigmoid(logits).astype(dtype)
    scores[:9, 0] = np.array([0, 1, 1, 1 / 3, 0.2, 0.4, 0.6, 0.8, 14 / 15], dtype)
    expected = [
        functional.binary_calibration_error(
            torch.tensor(s), torch.tensor(y), n_bins=15, norm="l1", ignore_index=-1
        )
        for s, y in zip(scores.T, labels.T)
    ]
    np.testing.assert_allclose(calibration_errors(scores, labels), expected, atol=1e-6)
    labels[:, 2] = -1
    assert np.isnan(calibration_errors(scores, labels)[2])


@pytest.mark.filterwarnings("error")
def test_bins_and_their_error_are_those_of_a_count_of_images():
    """Also of an attribute of which one label is known, and of one without any."""
    rng = np.random.default_rng(5)
    scores = rng.integers(0, 9, (30, 4)) / 8  # on edges of the bins and between them
    labels = rng.integers(-1, 2, (30, 4))
    labels[1:, 2], labels[:, 3] = -1, -1
    scores[0, 2], labels[0, 2] = 0.375, 1
    found = reliability(scores, labels, num_bins=4)
    for a in range(4):
        known = [(s, y) for s, y in zip(scores[:, a], labels[:, a]) if y >= 0]
        gap = 0.0
        for b in range(5):
            own = [(s, y) for s, y in known if b / 4 <= s < (b + 1) / 4]
            assert found.count[a, b] == len(own)
            if own:
                score, positive = (sum(part) / len(own) for part in zip(*own))
                gap += len(own) * abs(positive - score)
            else:
                score = positive = math.nan
            pair = found.score[a, b], found.positive[a, b]
            assert pair == pytest.approx((score, positive), nan_ok=True)
        expected = gap / len(known) if known else math.nan
        assert found.errors[a] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("score", "label", "match"), [(1.5, 1, "probabilities"), (0.5, 2, "labels are")]
)
def test_errors_of_what_is_no_score_or_label_are_not_measured(score, label, match):
    with pytest.raises(ValueError, match=match):
        calibration_errors(np.array([[score], [0.5]]), np.array([[label], [0]]))


def test_perfect_probabilities_have_the_error_of_a_binomial_share():
    count, share = 40, 0.3
    labels = (np.arange(2 * count).reshape(count, 2) // 2 % 2).astype(np.int8)
    labels[10:, 1] = -1
    found = ideal_calibration_errors(np.full((count, 2), share), labels, rounds=1000)
    expected = [
        sum(
            math.comb(known, k) * share**k * (1 - share) ** (known - k) * error
            for k in range(known + 1)
            for error in [abs(k / known - share)]
        )
        for known in (40, 10)
    ]
    np.testing.assert_allclose(found, expected, rtol=0.06)


def test_the_error_of_perfect_probabilities_is_by_default_of_twenty_draws():
    scores, rng = np.random.default_rng(1).random((40, 2)), np.random.default_rng(0)
    drawn = [rng.random((40, 2)) < scores for _ in range(20)]
    expected = np.mean([calibration_errors(scores, d.astype(int)) for d in drawn], 0)
    found = ideal_calibration_errors(scores, np.ones((40, 2), int))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_an_unknown_method_of_calibration_is_an_error():
    logits, labels = draw(20)
    with pytest.raises(ValueError, match=r"one of .*platt.* got 'isotonic'"):
        fit_calibration(SCHEMA, logits, labels, "isotonic")


# --- conformal prediction -----------------------------------------------------------


def test_the_quantile_is_a_number_of_the_split_or_one():
    rng = np.random.default_rng(0)
    for count in (0, 1, 9, 10, 99):
        values = rng.random(count)
        for coverage in (0.1, 0.5, 0.9, 0.99):
            found = conformal_quantile(values, coverage)
            enough = np.mean([v <= found for v in values] + [False]) >= coverage - 1e-9
            assert enough or found == 1
            if found < 1:  # and none smaller is enough
                fewer = np.mean([v < found for v in values] + [False])
                assert fewer < coverage


def quantile_of(misses, coverage):
    """The smallest number that covers (n + 1) coverage of n, or 1."""
    wanted = (len(misses) + 1) * Fraction(coverage)
    enough = [m for m in misses if sum(other <= m for other in misses) >= wanted]
    return min(enough, default=1.0)


@pytest.mark.parametrize("coverage", ["0.5", "0.75", "0.9"])
@pytest.mark.parametrize("calibration", [None, TRUE])
def test_quantiles_are_those_of_the_images_one_by_one(calibration, coverage):
    """From a fifth on of the rarer class, absence and presence have one together."""
    rule = DecisionRule(SCHEMA, 0.5, calibration)
    logits, labels = draw(50, seed=1)
    labels[:, 0] = np.arange(50) < 10
    labels[:, 4] = np.arange(50) < 41
    scores = rule.scores(logits)
    found = fit_conformal(rule, scores, labels, float(coverage))
    for a, pair in enumerate(found.attributes):
        misses = [
            [abs(value - s) for s, y in zip(scores[:, a], labels[:, a]) if y == value]
            for value in (0, 1)
        ]
        both = misses[0] + misses[1]
        if 5 * min(map(len, misses)) >= len(both):
            misses = [both, both]
        expected = [quantile_of(part, coverage) for part in misses]
        assert pair == pytest.approx(expected, abs=1e-12)
    misses = []
    for truth, given in zip(labels[:, 1:4].tolist(), rule.set_probabilities(0, scores)):
        if -1 not in truth and truth.count(1) < 2:
            misses.append(1 - given[truth.index(1) if 1 in truth else 3])
    assert found.sets == (pytest.approx([quantile_of(misses, coverage)] * 4),)


@pytest.mark.parametrize("calibration", [None, TRUE])
def test_coverage_is_what_was_asked_for_on_new_images(calibration):
    """Over many draws the number covered is beta-binomial, so its mean is known."""
    rule = DecisionRule(SCHEMA, 0.5, calibration)
    count, coverage, rounds = 150, 0.8, 60
    covered = []
    for seed in range(rounds):
        logits, labels = draw(2 * count, seed, unknown=0)
        scores = rule.scores(logits)
        fitted = fit_conformal(rule, scores[:count], labels[:count], coverage)
        truth = labels[count:]
        plausible = fitted.plausible(scores[count:])
        attributes = np.take_along_axis(plausible, truth[..., None], axis=2)[..., 0]
        in_set = fitted.plausible_in_set(0, rule.set_probabilities(0, scores[count:]))
        answer = set_truth(truth[:, 1:4])
        of_set = in_set[np.arange(count), answer]
        covered.append([*attributes.sum(axis=0), of_set.sum()])
    rank = np.ceil((count + 1) * coverage)
    expected = betabinom(count, rank, count + 1 - rank)
    error = np.abs(np.mean(covered, axis=0) - expected.mean())
    # Attributes with a quantile per class are covered a little more often.
    assert (error < 4 * expected.std() / rounds**0.5 + 0.01 * count).all()


def test_a_rare_class_is_covered_by_itself():
    schema = AttributeSchema(("Hat",))
    rng = np.random.default_rng(0)
    labels = (rng.random((4000, 1)) < 0.05).astype(int)
    scores = sigmoid(rng.normal(3 * labels - 3, 1.5))
    fitted = fit_conformal(DecisionRule(schema), scores[:2000], labels[:2000], 0.9)
    plausible = fitted.plausible(scores[2000:])[:, 0]
    for value in (0, 1):
        of_class = plausible[labels[2000:, 0] == value, value]
        assert abs(of_class.mean() - 0.9) < 0.1
    few = np.zeros((50, 1), int)
    few[:3] = 1
    fitted = fit_conformal(DecisionRule(schema), scores[:50], few, 0.9)
    assert fitted.attributes[0][1] == 1  # of three positives nothing can be promised


def test_the_answers_cover_at_least_as_much_as_the_quantiles():
    logits, labels = draw(600)
    rule = DecisionRule(SCHEMA, 0.5, TRUE)
    fitted = fit_conformal(rule, rule.scores(logits), labels, 0.7)
    rule = DecisionRule(SCHEMA, 0.5, TRUE, fitted)
    found = coverage_of_answers(rule.possible(rule.scores(logits)), labels)
    assert found.min() >= 0.7


def test_coverage_of_answers_is_a_count_of_known_labels():
    """Also of an attribute of which one label is known, and of one without any."""
    rng = np.random.default_rng(2)
    possible, labels = rng.random((20, 4, 2)) < 0.6, rng.integers(-1, 2, (20, 4))
    labels[1:, 2], labels[:, 3] = -1, -1
    labels[0, 2], possible[0, 2] = 1, (False, True)
    found = coverage_of_answers(possible, labels)
    for a in range(4):
        known = [n for n in range(20) if labels[n, a] >= 0]
        covered = sum(possible[n, a, labels[n, a]] for n in known)
        expected = covered / len(known) if known else math.nan
        assert found[a] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("score", "label", "coverage", "match"),
    [
        (1.5, 1, 0.9, "probabilities"),
        (0.5, 2, 0.9, "labels are"),
        (0.5, 1, 0, "between 0 and 1"),
        (0.5, 1, 1, "between 0 and 1"),
    ],
)
def test_quantiles_of_unfit_input_are_refused(score, label, coverage, match):
    rule = DecisionRule(AttributeSchema(("Hat",)))
    scores, labels = np.array([[score], [0.5]]), np.array([[label], [0]])
    with pytest.raises(ValueError, match=match):
        fit_conformal(rule, scores, labels, coverage)


# --- bootstrap ----------------------------------------------------------------------


def test_the_interval_of_a_mean_is_that_of_its_standard_error():
    values = np.random.default_rng(0).normal(size=400)
    alone = np.full(400, "", object)
    mean, twice = bootstrap(lambda rows: [values[rows].mean(), 2], alone, rounds=2000)
    error = values.std() / 20
    assert mean.value == pytest.approx(values.mean())
    assert (mean.high - mean.low) / 2 == pytest.approx(1.96 * error, rel=0.06)
    assert (twice.low, twice.high) == (2, 2)


def test_images_of_one_person_are_drawn_together():
    values = np.repeat(np.random.default_rng(0).normal(size=100), 9)
    persons = np.repeat([f"person{i}" for i in range(100)], 9)
    rows = np.random.default_rng(1).permutation(900)
    values, persons = values[rows], persons[rows]

    def width(persons):
        (mean,) = bootstrap(lambda rows: [values[rows].mean()], persons)
        return mean.high - mean.low

    alone = np.full(900, "")
    assert width(persons) / width(alone) == pytest.approx(3, rel=0.15)
    with pytest.raises(ValueError, match="no image"):
        bootstrap(lambda rows: [0], np.array([], str))


def test_by_default_it_is_the_95_percent_interval_of_a_thousand_draws():
    values = np.random.default_rng(0).random(30)
    drawn = np.random.default_rng(0).integers(30, size=(1000, 30))
    means = np.array([values[rows].mean() for rows in drawn])
    moved = values.mean() - means.mean()
    expected = [q + moved for q in np.percentile(means, [2.5, 97.5])]
    (found,) = bootstrap(lambda rows: [values[rows].mean()], np.full(30, ""))
    again = interval_of_draws(values.mean(), means)
    for interval in (found, again):
        assert (interval.low, interval.high) == pytest.approx(expected, rel=1e-12)
    weights = person_weights(30, 1000)
    np.testing.assert_allclose(weights @ values / 30, means, rtol=1e-6)


def test_an_interval_is_shown_with_what_there_is_to_know():
    nan = math.nan
    shown = {
        Interval(0.5, 0.4, 0.6): "0.50 [0.40, 0.60]",
        Interval(0.5, 0.5, 0.5): "0.50",
        Interval(0.5, 0.4, 0.6, 0.25): "0.50 [0.40, 0.60] (undefined in 25 % of draws)",
        Interval(0.5, nan, nan, 0.75): "0.50 [no interval: undefined in 75 % of draws]",
        Interval(nan, nan, nan, 0.75): "undefined",
    }
    assert [str(interval) for interval in shown] == [*shown.values()]


def test_an_interval_holds_zero_at_its_ends_too():
    ends = [(-2, -1), (-2, 0), (-1, 1), (0, 2), (0.5, 2), (math.nan, math.nan)]
    found = [Interval(0.0, low, high).holds_zero for low, high in ends]
    assert found == [False, True, True, True, False, False]


def test_a_number_that_half_of_the_draws_define_has_an_interval():
    half = interval_of_draws(2, np.array([1.0, 3, np.nan, np.nan]), level=0.5)
    assert half == Interval(2, 1.5, 2.5, 0.5)


def test_scores_of_a_softmax_get_no_second_one():
    """Answers drawn from the softmax of the logits: nothing needs to be fitted."""
    rng = np.random.default_rng(0)
    schema = AttributeSchema(("A", "B", "C"), exclusive=[("A", "B", "C")])
    raw = np.pad(2 * rng.standard_normal((20_000, 3)), ((0, 0), (0, 1)))
    chances = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    answers = (chances.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)
    labels = (answers[:, None] == np.arange(3)).astype(np.int8)
    scores = chances[:, :3]
    log_odds = np.log(scores) - np.log1p(-scores)
    fitted = fit_calibration(schema, log_odds, labels, set_softmax=False)
    assert fitted.calibration.softmax == (None,)
    assert "softmax already" in fitted.set_notes[0]
    found = fitted.calibration.probabilities(log_odds)
    assert np.abs(found - scores).mean() < 0.01
    twice = fit_calibration(schema, log_odds, labels).calibration
    assert np.abs(twice.probabilities(log_odds) - scores).mean() > 0.02
