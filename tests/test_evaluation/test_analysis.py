"""The report's numbers are those of the metrics, slow oracles and scikit-learn."""

import re
import statistics
from dataclasses import replace

import numpy as np
import pytest

from mmpar.evaluation.analysis import analyze
from mmpar.evaluation.analysis_text import analysis_text
from mmpar.evaluation.dump_predictions import write_predictions
from mmpar.evaluation.functional import (
    average_precision,
    bootstrap,
    calibration_errors,
    image_terms,
    interval_of_draws,
    metrics_of_sums,
    multi_label_scores,
)
from mmpar.evaluation.groups import group_images
from mmpar.evaluation.result_json import result_json
from mmpar.structures import AttributeSchema
from mmpar.visualization.analysis_report import html_report
from tests.test_evaluation.test_comparison import predictions as three_attributes
from tests.test_tools.run import call_tool

SCHEMA = AttributeSchema(
    names=("Young", "Old", "Hat"),
    groups={"age": ("Young", "Old")},
    exclusive=(("Young", "Old"),),
)


def predictions(count=400):
    """Images of 100 persons, half of them seen in training, of two cameras."""
    plain = three_attributes(0.3, 1, count)
    labels = plain.labels.copy()
    labels[:, 2] = np.random.default_rng(3).integers(-1, 2, count)
    labels[:, 1] = np.where(labels[:, 0] == 1, 0, labels[:, 1])
    rows = np.arange(count)
    return replace(
        plain,
        labels=labels,
        seen=(rows // 4 % 2).astype(np.int8),
        camera=np.where(rows % 3 == 0, "1", "2").astype(object),
    )


@pytest.fixture(scope="module")
def analysis():
    return analyze(SCHEMA, predictions(), rounds=60)


def test_means_and_attributes_are_those_of_the_metrics(analysis):
    given = predictions()
    expected = multi_label_scores(given.decisions, given.labels)
    assert (analysis.images, analysis.persons) == (400, 100)
    for name, value in (
        ("mA", expected.mean_accuracy),
        ("label F1", expected.label_f1),
        ("instance F1", expected.instance_f1),
    ):
        found = analysis.summary[name]
        assert found.value == pytest.approx(100 * value)
        assert found.low < found.value < found.high
    for index, attribute in enumerate(analysis.attributes):
        accuracy = 100 * expected.attribute_accuracy[index]
        assert attribute.metrics["mA"].value == pytest.approx(accuracy)
        assert attribute.positives == expected.positives[index]


def test_groups_are_the_metrics_of_their_images_and_gaps_their_differences(analysis):
    given = predictions()
    groupings = {grouping.title: grouping for grouping in analysis.groupings}
    assert {"age", "person in training data", "camera"} <= set(groupings)
    unseen, seen = groupings["person in training data"].groups
    assert (unseen.name, seen.name, seen.images, seen.persons) == (
        *("unseen", "seen", 200, 50),
    )
    accuracies = []
    for group, member in ((unseen, 0), (seen, 1)):
        own = given.select(given.seen == member)
        accuracy = multi_label_scores(own.decisions, own.labels).mean_accuracy
        assert group.metrics["mA"].value == pytest.approx(100 * accuracy)
        accuracies.append(100 * accuracy)
    assert seen.gaps["mA"].value == pytest.approx(accuracies[1] - accuracies[0])
    assert unseen.gaps["mA"].value == pytest.approx(-seen.gaps["mA"].value)


def test_images_are_grouped_by_quartiles_of_the_heights_that_are_known():
    given = predictions()
    heights = np.random.default_rng(7).integers(40, 200, 400)
    heights[::5] = 0  # not known
    given = replace(given, image_size=np.stack([heights // 3, heights], axis=1))
    kept, _ = group_images(SCHEMA, given)
    (by_height,) = (one for one in kept if one.title == "image height")
    known = heights[heights > 0].tolist()
    inner = statistics.quantiles(known, n=4, method="inclusive")
    expected = [sum(h > edge for edge in inner) if h else -1 for h in heights.tolist()]
    assert by_height.member.tolist() == expected
    for quartile, name in enumerate(by_height.names):
        own = [h for h, found in zip(heights, expected) if found == quartile]
        assert name == f"{min(own)} to {max(own)} px"


def test_equal_heights_stay_together():
    given = predictions(8)
    heights = np.array([90, 90, 90, 90, 90, 90, 120, 120])
    given = replace(given, image_size=np.stack([heights, heights], axis=1))
    kept, _ = group_images(SCHEMA, given)
    (by_height,) = (one for one in kept if one.title == "image height")
    assert by_height.names == ("90 px", "120 px")
    assert by_height.member.tolist() == [0] * 6 + [1] * 2


def test_images_are_grouped_by_what_says_who_the_person_is():
    schema = AttributeSchema(
        SCHEMA.names, dict(gender=("Young",), worn=("Hat",)), title="test"
    )
    given = predictions()
    kept, _ = group_images(schema, given)
    groupings = {grouping.title: grouping for grouping in kept}
    assert groupings["Young"].names == ("not Young", "Young")
    assert groupings["Young"].member.tolist() == given.labels[:, 0].tolist()
    assert "Hat" not in groupings


def test_confusions_count_every_fully_labelled_image_once(analysis):
    given = predictions()
    (confusion,) = analysis.confusions
    assert confusion.answers == ("Young", "Old", "none", "several")
    expected = np.zeros((4, 4), int)
    known = (given.labels[:, :2] >= 0).all(axis=1)
    for label, decided in zip(given.labels[known], given.decisions[known]):
        row, column = (
            {(1, 0): 0, (0, 1): 1, (0, 0): 2, (1, 1): 3}[tuple(map(int, pair[:2]))]
            for pair in (label, decided)
        )
        expected[row, column] += 1
    np.testing.assert_array_equal(confusion.counts, expected)
    assert confusion.left_out == (~known).sum()


def test_the_worst_image_has_the_largest_mean_cross_entropy(analysis):
    given = predictions()
    scores = given.scores.astype(np.float64).clip(1e-7, 1 - 1e-7)
    loss = -np.where(given.labels == 1, np.log(scores), np.log(1 - scores))
    known = given.labels >= 0
    # Scores that are clipped to 0 or 1 decide in another order: compare the mean.
    mean = np.where(known, loss, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    worst = {image.img_path for image in analysis.worst[:5]}
    assert worst <= {given.img_path[row] for row in np.argsort(-mean)[:15]}


def test_sums_give_the_metrics_of_every_draw_and_intervals_those_of_the_bootstrap():
    given = predictions()
    terms = image_terms(given.scores, given.decisions, given.labels)
    rows = np.random.default_rng(0).integers(400, size=400)
    weights = np.bincount(rows, minlength=400).astype(float)
    found = metrics_of_sums(weights @ terms.terms, 3)
    drawn = given.select(rows)
    expected = multi_label_scores(drawn.decisions, drawn.labels)
    np.testing.assert_allclose(found.attribute_accuracy, expected.attribute_accuracy)
    assert found.instance_f1 == pytest.approx(expected.instance_f1)
    errors = calibration_errors(drawn.scores, drawn.labels)
    np.testing.assert_allclose(found.calibration_error, errors)
    two = metrics_of_sums(np.stack([weights, 3 * weights]) @ terms.terms, 3)
    np.testing.assert_allclose(two.calibration_error, [errors, errors])

    def statistic(chosen):
        part = given.select(chosen)
        return [100 * multi_label_scores(part.decisions, part.labels).mean_accuracy]

    (slow,) = bootstrap(statistic, given.person_id, rounds=60)
    fast = analyze(SCHEMA, given, rounds=60).summary["mA"]
    assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high), abs=1e-3)


def test_average_precision_is_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 20, 200) / 20, rng.integers(0, 2, 200)
    weights = rng.integers(0, 3, (200, 4)).astype(float)
    expected = [
        metrics.average_precision_score(labels, scores, sample_weight=own)
        for own in weights.T
    ]
    np.testing.assert_allclose(average_precision(scores, labels, weights), expected)


def test_draws_without_the_number_are_told_and_too_many_give_no_interval():
    few, many = np.array([1.0, 2.0, np.nan]), np.array([1.0, np.nan, np.nan])
    assert "undefined in 33 % of draws" in str(interval_of_draws(1.5, few))
    assert "no interval" in str(interval_of_draws(1.5, many))
    assert "nan" not in str(interval_of_draws(np.nan, many))


def test_tiny_splits_are_reported_without_a_nan():
    tiny = predictions().select(np.arange(12))
    assert "nan" not in analysis_text(analyze(SCHEMA, tiny, rounds=30)).lower()


def test_images_without_labels_are_refused():
    given = predictions()
    unknown = replace(given, labels=np.full_like(given.labels, -1))
    with pytest.raises(ValueError, match="nothing to analyze"):
        analyze(SCHEMA, unknown)


def test_numbers_of_a_file_without_a_record_say_so(analysis):
    for text in (analysis_text(analysis), html_report("a", analysis, predictions())):
        assert "protocol, config, checkpoint and data: unknown" in text


def test_page_and_json_hold_what_was_measured(analysis):
    page = html_report("two < three", analysis, predictions(), None)
    assert "two &lt; three" in page
    for text in (
        "Young",
        "person in training data",
        "several",
        analysis.worst[0].img_path,
    ):
        assert text in page
    # Self-contained: nothing is loaded from elsewhere.
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    assert f"{analysis.summary['mA'].value:.6f}"[:6] in result_json(analysis)


def test_the_tool_reads_what_testing_wrote(tmp_path):
    results, page = tmp_path / "results.json", tmp_path / "report.html"
    write_predictions(results, predictions(), SCHEMA, dict(protocol="paper"))
    status, said = call_tool(
        *("analysis_tools/analyze_results.py", results, "--out", page, "--rounds", 20),
        cwd=tmp_path,
    )
    assert status == 0, said
    assert "Young" in said
    for text in (said, page.read_text(encoding="utf-8")):
        assert "protocol: paper, chosen on the test data" in text
    assert page.read_text(encoding="utf-8").lower().startswith("<!doctype html>")
