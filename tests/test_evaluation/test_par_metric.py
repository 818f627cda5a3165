"""PARMetric in MMEngine's evaluator: names, tables, errors, and several processes."""

import itertools

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger

from mmpar.evaluation import PARMetric
from tests.oracles.multi_label import oracle

NAMES = ["Hat", "Boots", "Coat"]
META = dict(schema=dict(names=NAMES, groups={}, title="three"))
DOMAINS = ["PETA", "RAP2", "PETA"]
KEYS = dict(
    mA="mean_accuracy",
    instance_accuracy="instance_accuracy",
    instance_precision="instance_precision",
    instance_recall="instance_recall",
    instance_f1="instance_f1",
    label_f1="label_f1",
)


def samples(num_images=11, seed=0, threshold=0.5):
    """Data samples as an evaluator hands them to a metric."""
    threshold = torch.tensor(threshold)
    rng = np.random.default_rng(seed)
    scores = torch.from_numpy(rng.random((num_images, 3)).astype(np.float32))
    labels = torch.from_numpy(rng.integers(-1, 2, (num_images, 3)).astype(np.float32))
    decisions = [torch.nonzero(score > threshold)[:, 0] for score in scores]
    return [
        dict(pred_score=s, pred_label=p, gt_score=g, sample_idx=i, img_path=f"{i}.jpg")
        for i, (s, p, g) in enumerate(zip(scores, decisions, labels))
    ]


def of_domains(data, domains):
    """The samples with a domain each, in turn; None is none."""
    return [
        sample if domain is None else dict(sample, domain=domain)
        for sample, domain in zip(data, itertools.cycle(domains))
    ]


def samples_of_domains():
    """Samples of two domains, for the processes of the distributed test."""
    return of_domains(samples(), DOMAINS)


def evaluate(metric, data, size=None, batch_size=4):
    metric.dataset_meta = META
    for start in range(0, len(data), batch_size):
        metric.process(None, data[start : start + batch_size])
    return metric.evaluate(len(data) if size is None else size)


def stacked(data):
    return tuple(np.stack([s[k] for s in data]) for k in ("pred_score", "gt_score"))


def test_metrics_are_the_oracles_in_percent_under_their_names():
    data = samples()
    metrics = evaluate(PARMetric(), data)
    expected = oracle(*stacked(data), 0.5, "official")
    assert metrics == {
        f"par/{name}": pytest.approx(100 * expected[key], rel=1e-12)
        for name, key in KEYS.items()
    }


THRESHOLDS = [0.2, 0.5, 0.8]


def test_the_models_decisions_are_judged():
    data = samples(threshold=THRESHOLDS)
    metrics = evaluate(PARMetric(), data)
    expected = oracle(*stacked(data), THRESHOLDS, "official")
    assert metrics["par/mA"] == pytest.approx(100 * expected["mean_accuracy"])
    assert metrics["par/mA"] != evaluate(PARMetric(), samples())["par/mA"]


@pytest.mark.parametrize(
    "threshold", [THRESHOLDS, dict(Hat=0.2, Coat=0.8)], ids=["list", "by name"]
)
def test_a_threshold_of_the_metric_takes_their_place_and_is_logged(log, threshold):
    data = samples()
    metrics = evaluate(PARMetric(threshold=threshold), data)
    expected = oracle(*stacked(data), THRESHOLDS, "official")
    assert metrics["par/mA"] == pytest.approx(100 * expected["mean_accuracy"])
    assert "own threshold" in log.text
    assert "Hat 0.2, Coat 0.8, all others 0.5" in log.text


def test_without_a_threshold_of_its_own_nothing_is_said(log):
    evaluate(PARMetric(), samples())
    assert "threshold" not in log.text


def test_a_second_evaluation_starts_from_nothing():
    metric = PARMetric()
    evaluate(metric, samples(seed=1))
    assert evaluate(metric, samples()) == evaluate(PARMetric(), samples())


def test_works_in_an_evaluator_with_the_scores_of_a_model():
    evaluator = Evaluator([PARMetric(prefix="first"), PARMetric(threshold=0.9)])
    evaluator.dataset_meta = META
    evaluator.process(samples())
    metrics = evaluator.evaluate(11)
    assert {"first/mA", "par/mA"} <= set(metrics)


def test_table_has_one_row_per_attribute(log):
    data = samples()
    evaluate(PARMetric(), data)
    expected = oracle(*stacked(data), 0.5, "official")
    labels = stacked(data)[1]
    for a, name in enumerate(NAMES):
        line = next(row for row in log.text.splitlines() if row.startswith(f"| {name}"))
        cells = [cell.strip() for cell in line.strip("|").split("|")][1:]
        known = int((labels[:, a] >= 0).sum())
        assert int(cells[0]) == known
        rate = (labels[:, a] == 1).sum() / known
        keys = ("positive_recall", "negative_recall", "attribute_accuracy")
        values = [rate, *(expected[k][a] for k in keys), expected["attribute_f1"][a]]
        assert cells[1:] == [f"{100 * value:.2f}" for value in values]


@pytest.mark.parametrize(
    ("rule", "said"), [("official", "recall as 0"), ("skip", "left out")]
)
def test_attributes_without_positives_are_reported(log, rule, said):
    data = samples()
    for sample in data:
        sample["gt_score"][1] = 0
    evaluate(PARMetric(empty_attribute=rule), data)
    line = next(row for row in log.text.splitlines() if said in row)
    assert "Boots" in line
    assert "Hat" not in line


def test_scores_that_are_not_finite_name_the_image():
    data = samples()
    data[3]["pred_score"][0] = float("nan")
    with pytest.raises(ValueError, match=r"3\.jpg"):
        evaluate(PARMetric(), data)


def test_wrong_number_of_thresholds_is_refused():
    with pytest.raises(ValueError, match="3 attributes"):
        evaluate(PARMetric(threshold=[0.5, 0.5]), samples())


def test_samples_without_decisions_say_where_they_come_from():
    data = samples()
    del data[4]["pred_label"]
    with pytest.raises(ValueError, match=r"4\.jpg has no pred_label; .*from the head"):
        evaluate(PARMetric(), data)


@pytest.mark.parametrize(
    ("domains", "names"),
    [
        (["PETA", "Market1501", "PETA"], ["Market1501", "PETA"]),
        ([10, 2, 2, 3], ["domain2", "domain3", "domain10"]),
        ([np.int16(1), None, 2], ["domain1", "domain2"]),
    ],
)
@pytest.mark.parametrize("rule", ["official", "skip"])
def test_each_domain_and_their_mean_are_the_oracles(log, domains, names, rule):
    data = of_domains(samples(40), domains)
    metrics = evaluate(PARMetric(empty_attribute=rule), data)
    whole = oracle(*stacked(data), 0.5, rule)
    assert metrics["par/mA"] == pytest.approx(100 * whole["mean_accuracy"], rel=1e-12)
    parts = []
    for name in names:
        number = name.removeprefix("domain")
        part = [s for s in data if str(s.get("domain")) in (name, number)]
        parts.append(oracle(*stacked(part), 0.5, rule))
    for name, key in KEYS.items():
        values = [100 * part[key] for part in parts]
        found = [metrics[f"par/{domain}/{name}"] for domain in names]
        assert found == pytest.approx(values, rel=1e-12)
        mean = sum(values) / len(values)
        assert metrics[f"par/domain_mean/{name}"] == pytest.approx(mean, rel=1e-12)
    assert len(metrics) == 6 * (len(names) + 2)
    lines = log.text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("| domain "))
    rows = [line.split()[1] for line in lines[first + 2 : first + 3 + len(names)]]
    assert rows == [*names, "mean"]
    assert ("13 images have no domain" in log.text) == (None in domains)


@pytest.mark.parametrize("domain", ["PETA", None])
def test_one_domain_or_none_adds_nothing(log, domain):
    data = of_domains(samples(), [domain])
    assert evaluate(PARMetric(), data) == evaluate(PARMetric(), samples())
    assert "| domain " not in log.text


def test_a_split_without_labels_has_no_numbers_and_says_so(caplog):
    unlabelled = samples()
    for sample in unlabelled:
        sample["gt_score"] = torch.full((3,), -1.0)
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        evaluator = Evaluator(PARMetric())
        evaluator.dataset_meta = META
        evaluator.process(data_samples=unlabelled)
        assert evaluator.evaluate(len(unlabelled)) == {}
    finally:
        logger.removeHandler(caplog.handler)
    assert "none of the 11 images has a known label" in caplog.text


@pytest.mark.parametrize("rule", ["official", "skip"])
def test_persons_seen_in_training_and_others_are_told_apart(log, rule):
    data = samples(40)
    persons = itertools.cycle(["7", "007", "anna", -1, "8"])
    data = [dict(s, person_id=person) for s, person in zip(data, persons)]
    metric = PARMetric(empty_attribute=rule)
    metric.seen_persons = frozenset({"7", "anna"})
    metrics = evaluate(metric, data)
    for name, turns in (("seen", (0, 1, 2)), ("unseen", (4,))):
        own = [s for i, s in enumerate(data) if i % 5 in turns]
        expected = oracle(*stacked(own), 0.5, rule)
        for key, theirs in KEYS.items():
            value = pytest.approx(100 * expected[theirs], rel=1e-12)
            assert metrics[f"par/{name}/{key}"] == value
    assert "8 images name no person and count in the whole only" in log.text


def test_without_known_persons_of_training_none_are_told_apart():
    data = [dict(sample, person_id=3) for sample in samples()]
    assert not any("seen" in name for name in evaluate(PARMetric(), data))
