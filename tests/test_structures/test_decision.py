"""From logits to answers: calibration, exclusive sets, "not sure", and their JSON."""

import json
from copy import deepcopy
from dataclasses import replace
from math import exp

import numpy as np
import pytest

from mmpar.structures import (
    SCHEMAS,
    AttributeSchema,
    Calibration,
    Conformal,
    DecisionRule,
    SetSoftmax,
    exclusive_set_names,
)

AGES = ("Young", "Adult", "Old")
SCHEMA = AttributeSchema(("Hat", *AGES, "Bag"), {"age": AGES}, exclusive=(AGES,))
CALIBRATION = Calibration(
    SCHEMA, (0.5, 1, 2, 1.5, 3), (1, 0, -1, 0.5, 0), (SetSoftmax(0.7, -0.4),)
)
ALONE = replace(CALIBRATION, softmax=())
CONFORMAL = Conformal(SCHEMA, 0.9, [(0.3, 0.6)] * 5, [(0.5, 0.6, 0.7, 0.2)])
RULE = DecisionRule(SCHEMA, (0.2, 0.5, 0.4, 0.3, 0.9), CALIBRATION, CONFORMAL)


def logits(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 3, shape)


def slow_scores(calibration, row):
    z = [s * x + b for s, x, b in zip(calibration.scale, row, calibration.bias)]
    scores = [1 / (1 + exp(-value)) for value in z]
    for members, softmax in calibration.softmax_sets:
        odds = [exp(z[i] / softmax.temperature) for i in members]
        for i, value in zip(members, odds):
            scores[i] = value / (sum(odds) + exp(softmax.none))
    return scores


@pytest.mark.parametrize("calibration", [CALIBRATION, ALONE])
def test_calibrated_scores_are_those_of_the_formulas(calibration):
    x = logits(4, 6, 5)
    expected = [[slow_scores(calibration, row) for row in rows] for rows in x]
    np.testing.assert_allclose(calibration.probabilities(x), expected, rtol=1e-12)
    extreme = calibration.probabilities(np.array([1e4, -1e4, 1e4, -1e4, 0]))
    assert np.isfinite(extreme).all()


def test_without_fitted_numbers_the_softmax_is_that_of_independent_attributes():
    softmax = Calibration(SCHEMA, (1,) * 5, (0,) * 5, (SetSoftmax(),))
    rule, alone = DecisionRule(SCHEMA, 0.5, softmax), DecisionRule(SCHEMA)
    x = logits(50, 5)
    np.testing.assert_allclose(
        rule.set_probabilities(0, rule.scores(x)),
        alone.set_probabilities(0, alone.scores(x)),
        rtol=1e-9,
    )


@pytest.mark.parametrize("name", [*SCHEMAS, "overlapping"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_an_exclusive_set_never_has_two_answers(name, dtype):
    schema = SCHEMAS.get(name) or AttributeSchema(
        ("a", "b", "c", "d"), exclusive=[("a", "b"), ("b", "c", "d"), ("d", "a")]
    )
    rng = np.random.default_rng(1)
    # A coarse grid, for ties between members and with thresholds.
    scores = np.concatenate(
        [rng.integers(0, 5, (300, len(schema))) / 4, rng.random((300, len(schema)))]
    ).astype(dtype)
    for thresholds in (0.0, 0.5, tuple(rng.integers(0, 5, len(schema)) / 4)):
        rule = DecisionRule(schema, thresholds)
        decisions = rule.decide(scores)
        above = replace(rule, exclusive=False).decide(scores)
        assert (above == (scores > np.asarray(thresholds, dtype))).all()
        assert (decisions <= above).all()
        for members in schema.exclusive_indices:
            counts = decisions[:, members].sum(axis=1)
            assert counts.max() <= 1
            if name != "overlapping":
                assert (counts == above[:, members].any(axis=1)).all()


def test_the_member_that_is_the_most_above_its_threshold_stays():
    scores = np.array([0.1, 0.6, 0.65, 0.95, 0.95])
    assert RULE.decide(scores).tolist() == [False, False, False, True, True]
    scores[3] = 0.5
    assert RULE.decide(scores).tolist() == [False, False, True, False, True]
    middle, low = RULE.groups(np.stack([scores, scores / 10]))
    assert middle == {
        "age": dict(best="Adult", score=0.65, margin=pytest.approx(0.05), present=True)
    }
    assert not low["age"]["present"]


def slow_groups(rule, scores):
    """By sorting the members of each set."""
    lead = scores - np.array(rule.thresholds, scores.dtype)
    decided, found = rule.decide(scores), {}
    names = exclusive_set_names(rule.schema)
    for name, members in zip(names, rule.schema.exclusive_indices):
        best, second, *_ = sorted(members, key=lambda i: -lead[i])
        found[name] = dict(
            best=rule.schema.names[best],
            score=float(scores[best]),
            margin=float(lead[best] - lead[second]),
            present=bool(decided[best]),
        )
    return found


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_groups_of_a_batch_are_those_of_each_image(dtype):
    for rule in (RULE, *(DecisionRule(schema) for schema in SCHEMAS.values())):
        scores = np.random.default_rng(0).integers(0, 9, (50, len(rule.schema))) / 8
        scores = scores.astype(dtype)  # of nine values, so there are ties
        assert rule.groups(scores) == [slow_groups(rule, row) for row in scores]


def slow_answers(rule, scores):
    """By listing the possible answers of each attribute and of each set."""
    names, conformal = rule.schema.names, rule.conformal
    decided = dict(zip(names, rule.decide(scores).tolist()))
    probabilities = dict(zip(names, scores))
    answers = {}
    for name, (absence, presence) in zip(names, conformal.attributes):
        possible = {decided[name]}
        if 1 - (1 - probabilities[name]) <= absence:
            possible.add(False)
        if 1 - probabilities[name] <= presence:
            possible.add(True)
        answers[name] = "not sure" if len(possible) == 2 else decided[name]
    for members, quantiles in zip(rule.schema.exclusive, conformal.sets):
        values = [probabilities[name] for name in members]
        values.append(1 - sum(values))
        possible = {
            answer
            for answer, value, quantile in zip((*members, None), values, quantiles)
            if 1 - value <= quantile
        }
        possible.add(next((name for name in members if decided[name]), None))
        for name in members:
            answers[name] = possible == {name}
            if name in possible and len(possible) > 1:
                answers[name] = "not sure"
    return {n: {True: "yes", False: "no"}.get(a, a) for n, a in answers.items()}


def test_answers_are_decisions_unless_another_answer_is_plausible():
    seen = set()
    scores = RULE.scores(logits(200, 5))
    for row, answers in zip(scores, RULE.answers(scores)):
        assert answers == slow_answers(RULE, row)
        seen |= {*answers.items()}
        for name, present in zip(SCHEMA.names, RULE.decide(row)):
            assert answers[name] in ("not sure", "yes" if present else "no")
    assert len(seen) == 3 * len(SCHEMA)
    with pytest.raises(ValueError, match=r"calibrate\.py"):
        replace(RULE, conformal=None).answers(scores)


def test_possible_answers_hold_what_is_plausible():
    scores = RULE.scores(logits(300, 5))
    possible = RULE.possible(scores)
    plausible = CONFORMAL.plausible(scores)
    assert (possible[:, [0, 4]] >= plausible[:, [0, 4]]).all()
    in_set = CONFORMAL.plausible_in_set(0, RULE.set_probabilities(0, scores))
    assert (possible[:, 1:4, 1] >= in_set[:, :3]).all()
    assert (possible[:, 1:4, 0].all(axis=1) >= in_set[:, 3]).all()
    assert possible.any(axis=-1).all()


@pytest.mark.parametrize(
    "rule", [RULE, DecisionRule(SCHEMA, {"Hat": 0.3}, ALONE, exclusive=False)]
)
def test_a_rule_travels_as_json(rule):
    data = json.loads(json.dumps(rule.to_dict()))
    assert DecisionRule.from_dict(SCHEMA, data) == rule


def places(data, path=()):
    """All paths into nested containers, inner ones too."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))


BROKEN = ["x", True, -1e400, float("nan"), {}, [[]], 7 + 0j]


@pytest.mark.parametrize("path", list(places(RULE.to_dict())), ids=str)
def test_a_wrong_field_is_refused_by_its_name(path):
    for change in ("remove", "add", *BROKEN):
        data = deepcopy(RULE.to_dict())
        inner = data
        for key in path[:-1]:
            inner = inner[key]
        if change == "remove":
            del inner[path[-1]]
        elif change == "add" and isinstance(inner, dict):
            inner["unknown"] = 1
        elif change == "add":
            inner.append(inner[0])
        elif change is True and path == ("exclusive",):
            continue
        else:
            inner[path[-1]] = change
        field = next((key for key in reversed(path) if isinstance(key, str)), "")
        with pytest.raises(ValueError, match=r"^decision\b") as error:
            DecisionRule.from_dict(SCHEMA, data)
        assert field in str(error.value) or change == "add"


def test_parts_of_another_schema_are_refused():
    other = AttributeSchema(SCHEMA.names, SCHEMA.groups, exclusive=[("Hat", "Bag")])
    with pytest.raises(ValueError, match="exclusive sets"):
        DecisionRule(other, 0.5, Calibration(SCHEMA, (1,) * 5, (0,) * 5))
    shared = AttributeSchema(("a", "b", "c"), exclusive=[("a", "b"), ("b", "c")])
    with pytest.raises(ValueError, match=r"two sets with \['b'\]"):
        Calibration(shared, (1,) * 3, (0,) * 3, (SetSoftmax(), SetSoftmax()))
    with pytest.raises(ValueError, match="5 attributes"):
        RULE.decide(np.zeros(4))
    with pytest.raises(ValueError, match="'Adult'"):
        RULE.decide(np.array([0, 0, np.nan, 0, 0]))


def test_a_rule_tells_what_it_does():
    assert str(DecisionRule(SCHEMAS["wider"])) == "thresholds: 0.5 for all attributes"
    assert str(RULE) == (
        "thresholds: Hat 0.2, Adult 0.4, Old 0.3, Bag 0.9, all others 0.5; calibrated "
        "scores; softmax within age; at most one of each exclusive set; "
        '"not sure" at coverage 0.9'
    )


def test_sets_are_called_by_their_group_or_their_members():
    names = exclusive_set_names(SCHEMAS["pa100k"])
    assert len({*names}) == len(names)
    assert exclusive_set_names(SCHEMA) == ("age",)
