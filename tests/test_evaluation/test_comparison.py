"""Differences of two models are those of the metrics, and are told from chance."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from mmpar.evaluation import Predictions, comparison, write_predictions
from mmpar.evaluation.comparison import compare, comparison_text, step_down
from mmpar.structures import AttributeSchema
from tests.oracles.multi_label import oracle
from tests.test_tools.run import call_tool

SCHEMA = AttributeSchema(names=("Hat", "Boots", "Never"))


def predictions(noise, seed, count=400):
    """Labels of 100 persons, and scores that follow them but for noise."""
    labels = np.random.default_rng(7).integers(-1, 2, (100, 3)).repeat(4, axis=0)
    labels = labels[:count].astype(np.int8)
    labels[:, 2] = 0
    return noisy(labels, noise, seed, np.arange(count) // 4)


def noisy(labels, noise, seed, persons):
    """Scores that follow labels but for noise, of each attribute or all."""
    count = len(labels)
    rng = np.random.default_rng(seed)
    scores = 0.5 + 0.2 * labels + noise * rng.standard_normal(labels.shape) - 0.1
    scores = scores.clip(0, 1).astype(np.float32)
    text = np.full(count, "", object)
    return Predictions(
        img_path=np.array([f"{i}.jpg" for i in range(count)], object),
        scores=scores,
        decisions=scores > 0.5,
        labels=labels,
        domain=text,
        person_id=np.array([str(person) for person in persons], object),
        camera=text,
        image_size=np.zeros((count, 2), np.int32),
        seen=np.full(count, -1, np.int8),
    )


def many_attributes(num_attributes, seed, noise=0.3):
    """200 persons with one image each."""
    names = tuple(f"Attribute {i}" for i in range(num_attributes))
    labels = np.random.default_rng(7).integers(0, 2, (200, num_attributes))
    return AttributeSchema(names=names), noisy(
        labels.astype(np.int8), noise, seed, np.arange(200)
    )


def test_numbers_are_those_of_the_metrics():
    one, other = predictions(0.3, 1), predictions(0.1, 2)
    found = compare(SCHEMA, one, other, rounds=50)
    assert (found.images, found.persons, found.left_out) == (400, 100, ("Never",))
    for index, name in enumerate(("Hat", "Boots")):
        expected = [
            oracle(p.scores[:, [index]], p.labels[:, [index]], 0.5, "skip")
            for p in (one, other)
        ]
        accuracy = found.attributes[name]["mA"]
        values = [100 * e["mean_accuracy"] for e in expected]
        assert (accuracy.first, accuracy.second) == pytest.approx(values)
        assert accuracy.difference.value == pytest.approx(values[1] - values[0])


def test_a_better_model_is_told_from_chance_and_an_equal_one_is_not():
    one = predictions(0.3, 1)
    better = compare(SCHEMA, one, predictions(0.1, 2), rounds=400).means["mA"]
    assert better.p_value < 0.01
    assert better.difference.low > 0
    alike = compare(SCHEMA, one, predictions(0.3, 3), rounds=400).means["mA"]
    assert alike.p_value > 0.05
    assert alike.difference.holds_zero


def test_p_values_of_equal_models_are_spread_evenly():
    found = [
        compare(SCHEMA, predictions(0.3, 2 * i), predictions(0.3, 2 * i + 1), 60, i)
        for i in range(60)
    ]
    p_values = np.array([one.means["mA"].p_value for one in found])
    assert 0.3 < p_values.mean() < 0.7
    assert (p_values < 0.1).mean() < 0.25


def test_swapping_is_by_person():
    """Four copies of an image are one piece of evidence, not four."""
    one, other = predictions(0.3, 1, 40), predictions(0.15, 2, 40)
    first = np.arange(0, 40, 4)
    copies = [p.select(first.repeat(4)) for p in (one, other)]
    paths = one.img_path
    copied = compare(SCHEMA, *(replace(p, img_path=paths) for p in copies), rounds=300)
    single = compare(SCHEMA, one.select(first), other.select(first), rounds=300)
    assert copied.means["F1"].p_value == single.means["F1"].p_value


def test_the_order_of_images_does_not_matter():
    one, other = predictions(0.3, 1), predictions(0.1, 2)
    shuffled = other.select(np.random.default_rng(0).permutation(400))
    assert compare(SCHEMA, one, shuffled, 50) == compare(SCHEMA, one, other, 50)


def test_other_images_and_other_labels_are_refused():
    one, other = predictions(0.3, 1), predictions(0.1, 2)
    with pytest.raises(ValueError, match=r"different images.*300.*such as '300.jpg'"):
        compare(SCHEMA, one, other.select(np.arange(300)))
    labels = other.labels.copy()
    labels[5, 1] = 1 - abs(labels[5, 1])
    with pytest.raises(ValueError, match=r"labels of 1 images differ.*5\.jpg"):
        compare(SCHEMA, one, replace(other, labels=labels))
    twice = other.select(np.array([0, 0]))
    with pytest.raises(ValueError, match="listed twice"):
        compare(SCHEMA, one, twice)


def test_one_large_effect_is_found_among_many_attributes():
    noise = np.full(60, 0.3)
    schema, one = many_attributes(60, 1, noise)
    noise[17] = 0.05
    found = compare(schema, one, many_attributes(60, 2, noise)[1], rounds=20)
    p_values = {n: m["mA"].p_value for n, m in found.attributes.items()}
    assert [name for name, p in p_values.items() if p < 0.01] == ["Attribute 17"]
    assert p_values["Attribute 17"] < 0.001


def test_among_equal_models_attributes_are_rarely_found(monkeypatch):
    """In one comparison of twenty, however many attributes there are."""
    monkeypatch.setattr(comparison, "PERMUTATIONS", 300)
    smallest = []
    for i in range(100):
        schema, one = many_attributes(20, 2 * i)
        found = compare(schema, one, many_attributes(20, 2 * i + 1)[1], 2, seed=i)
        smallest.append(min(m["mA"].p_value for m in found.attributes.values()))
    assert 0.01 <= (np.array(smallest) <= 0.05).mean() <= 0.1
    assert 0.4 <= (np.array(smallest) <= 0.5).mean() <= 0.6


def corrected_by_hand(found, permuted):
    """P-values of the step-down rule, one attribute and permutation at a time."""
    every = [found, *permuted]
    spread = [
        np.sqrt(np.mean([row[k] ** 2 for row in every])) for k in range(len(found))
    ]
    sizes = [[abs(x) / s if s else 0 for x, s in zip(row, spread)] for row in every]
    left, corrected, least = list(range(len(found))), np.empty(len(found)), 0.0
    while left:
        largest = max(left, key=lambda k: sizes[0][k])
        reached = [
            max(row[k] for k in left) >= sizes[0][largest] - 1e-9 for row in sizes
        ]
        least = max(least, sum(reached) / len(reached))
        corrected[largest] = least
        left.remove(largest)
    return corrected


def test_the_correction_is_the_step_down_rule():
    rng = np.random.default_rng(0)
    common = rng.standard_normal((200, 1))
    draws = (common + rng.standard_normal((200, 12))) * np.arange(12)  # the first: none
    draws[0, 5:] += 3 * np.arange(5, 12)
    draws[:, 6] = np.sign(draws[:, 6])
    found = step_down(draws)
    assert found[0] == 1
    assert found.min() < 0.05
    np.testing.assert_array_equal(found, corrected_by_hand(draws[0], draws[1:]))
    assert step_down(np.array([[1.0], [1e-12 - 1]])) == 1  # equal but for rounding


def test_p_values_are_those_of_all_swaps():
    """Of ten persons there are 1,024, each made by exchanging answers."""
    labels = np.random.default_rng(3).integers(-1, 2, (40, 2)).astype(np.int8)
    persons = np.arange(40) // 4
    one = noisy(labels, 0.3, 6, persons)
    other = noisy(labels, [0.2, 0.1], 26, persons)
    schema = AttributeSchema(names=("Hat", "Boots"))

    def numbers(scores):
        found = oracle(scores, labels, 0.5, "skip")
        means = [found[name] for name in ("mean_accuracy", "label_f1", "instance_f1")]
        return 100 * np.array(
            [*means, *found["attribute_accuracy"], *found["attribute_f1"]]
        )

    def differences(swapped):
        rows = np.repeat(np.array(swapped, bool), 4)[:, None]
        exchanged = np.where(
            rows, [one.scores, other.scores], [other.scores, one.scores]
        )
        return numbers(exchanged[0]) - numbers(exchanged[1])

    every = np.array([differences(s) for s in itertools.product((0, 1), repeat=10)])
    families = np.split(every, [1, 2, 3, 5], axis=1)
    expected = np.concatenate([corrected_by_hand(f[0], f[1:]) for f in families])
    found = compare(schema, one, other, rounds=2)
    shown = [*found.means.values()]
    for metric in ("mA", "F1"):
        shown += [found.attributes[name][metric] for name in schema.names]
    np.testing.assert_allclose([one.p_value for one in shown], expected, atol=0.02)


def test_swaps_are_seeded_and_do_not_depend_on_how_many_are_made_at_once(monkeypatch):
    pair = predictions(0.3, 1, 80), predictions(0.2, 2, 80)
    found = compare(SCHEMA, *pair, 20)
    other = compare(SCHEMA, *pair, 20, seed=1).means["mA"].p_value
    assert 0 < abs(other - found.means["mA"].p_value) < 0.03
    monkeypatch.setattr(comparison, "_SWAPS_AT_ONCE", 999)
    assert compare(SCHEMA, *pair, 20) == found


def test_images_without_an_attribute_of_both_kinds_are_refused():
    one, other = predictions(0.3, 1, 1), predictions(0.3, 2, 1)
    with pytest.raises(ValueError, match=r"none of 3 attributes has both .* 1 images"):
        compare(SCHEMA, one, other)


def test_the_text_says_what_was_compared():
    text = comparison_text(
        compare(SCHEMA, predictions(0.3, 1), predictions(0.1, 2), rounds=20)
    )
    assert "400 images of 100 persons" in text
    assert "without a positive or a negative: Never" in text
    assert text.count("| Hat ") == text.count("| Boots ") == 2


def test_the_tool_shows_what_both_come_from(tmp_path):
    files = [tmp_path / "one.json", tmp_path / "other.csv"]
    for seed, file in enumerate(files):
        write_predictions(
            file, predictions(0.3, seed, 40), SCHEMA, dict(protocol="paper")
        )
    status, said = call_tool(
        "analysis_tools/compare.py", *files, "--rounds", 20, cwd=tmp_path
    )
    assert status == 0, said
    assert f"{files[0]}\n  protocol: paper, chosen on the test data" in said
    assert f"{files[1]}\n  protocol, config, checkpoint and data: unknown" in said
