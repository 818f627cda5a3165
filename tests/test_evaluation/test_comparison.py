"""Differences of two models are those of the metrics, and are told from chance."""

from dataclasses import replace

import numpy as np
import pytest

from mmpar.evaluation import Predictions, write_predictions
from mmpar.evaluation.comparison import compare, comparison_text, holm
from mmpar.structures import AttributeSchema
from tests.oracles.multi_label import oracle
from tests.test_tools.run import call_tool

SCHEMA = AttributeSchema(names=("Hat", "Boots", "Never"))


def predictions(noise, seed, count=400):
    """Labels of 100 persons, and scores that follow them but for noise."""
    labels = np.random.default_rng(7).integers(-1, 2, (100, 3)).repeat(4, axis=0)
    labels = labels[:count].astype(np.int8)
    labels[:, 2] = 0
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
        person_id=np.array([str(i // 4) for i in range(count)], object),
        camera=text,
        image_size=np.zeros((count, 2), np.int32),
        seen=np.full(count, -1, np.int8),
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


def test_holm_is_the_step_down_rule():
    p_values = np.random.default_rng(0).random(20) ** 3
    corrected, running = np.empty(20), 0.0
    for rank, index in enumerate(sorted(range(20), key=lambda i: p_values[i])):
        running = max(running, min(1.0, (20 - rank) * p_values[index]))
        corrected[index] = running
    np.testing.assert_allclose(holm(p_values), corrected)


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
