"""A decision rule is fitted on val, reported on test, and travels with the model."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from mmpar.apis import fit_decisions
from mmpar.apis.fit_decisions import (
    LabelledLogits,
    compare_rules,
    fit_decision_rule,
    fit_model_decisions,
)
from mmpar.apis.model_files import load_model
from mmpar.structures import AttributeSchema, DecisionRule
from mmpar.utils.config_data import read_config_data

AGES = ("Young", "Old")
SCHEMA = AttributeSchema(("Hat", *AGES), {"age": AGES}, exclusive=(AGES,))
IMAGES = {
    f"{split}_dataloader.dataset.num_samples": count
    for split, count in (("val", 60), ("test", 40))
}


def images(count, seed, shift=-2.0):
    """Logits that are too far from 0 and off by ``shift``."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-1, 1.5, (count, 3))
    labels = (rng.random(z.shape) < 1 / (1 + np.exp(-z))).astype(int)
    labels[labels[:, 1] == 1, 2] = 0
    persons = np.array([f"person{i // 4}" for i in range(count)])
    return LabelledLogits(2 * z + shift, labels, persons)


def test_a_fitted_rule_is_worth_more_on_other_images():
    before = DecisionRule(SCHEMA)
    said = []
    rule = fit_decision_rule(
        before, images(1000, 0), "mA", None, "platt", 0.8, said.append
    )
    assert said == []
    found = compare_rules(before, rule, images(600, 1), rounds=100)
    change = {name: values[2] for name, values in found.items()}
    assert change["mA"].low > 0
    assert change["ECE"].high < 0
    assert found["ECE"][1].value < 2 * found["ideal ECE"][1].value
    assert found["coverage"][:1] == (None,)
    assert found["coverage"][1].value >= 78
    assert 0 < found["not sure"][1].value < 60


def test_what_is_not_fitted_stays_and_old_quantiles_go():
    val = images(300, 0)
    first = fit_decision_rule(DecisionRule(SCHEMA), val, "mA", None, "platt", 0.8)
    second = fit_decision_rule(first, val, "F1")
    assert second == replace(first, thresholds=second.thresholds)
    assert second.thresholds != first.thresholds
    third = fit_decision_rule(first, val, None, method="temperature")
    assert third.thresholds == first.thresholds
    assert third.conformal is None
    assert set(third.calibration.bias) == {0}


def test_what_cannot_be_fitted_is_said():
    val = images(100, 0)
    val.labels[:, 0] = 0
    said = []
    fit_decision_rule(
        DecisionRule(SCHEMA), val, method="platt", coverage=0.8, say=said.append
    )
    assert [line.split(":")[0] for line in said] == [
        "calibration of Hat",
        "threshold of Hat",
    ]


def test_logits_come_back_from_scores():
    logits = torch.linspace(-80, 15, 500)
    scores = logits.sigmoid().numpy()[:, None]
    found = LabelledLogits.from_scores(scores, None, None).logits
    # Near 1 scores have steps of 6e-8: of 0.2 in a logit of 15, of 0.003 in one of 10.
    error = np.abs(found[:, 0] - logits.numpy())
    assert error.max() < 0.2
    assert error[logits <= 10].max() < 0.003
    ends = LabelledLogits.from_scores(np.float32([[0, 1]]), None, None).logits
    assert np.isfinite(ends).all()


@pytest.fixture
def published(trained_work_dir, tmp_path, monkeypatch):
    """A work dir, what it was published as with a fitted rule, and what was said."""
    monkeypatch.setattr(
        fit_decisions,
        "compare_rules",
        lambda *rules: compare_rules(*rules, rounds=20),
    )
    said = []
    path = fit_model_decisions(
        trained_work_dir("linear"),
        tmp_path / "fitted.safetensors",
        options=IMAGES,
        diagrams=tmp_path / "reliability.png",
        say=said.append,
        method="platt",
        coverage=0.8,
    )
    return trained_work_dir("linear"), path, said


def test_the_rule_travels_with_the_model(published, tmp_path):
    work_dir, path, said = published
    plain, card = load_model(work_dir)
    model, fitted = load_model(path)
    assert replace(fitted, decision=card.decision) == card
    rule = fitted.decision
    assert rule.conformal.coverage == 0.8
    assert model.head.decision_rule == rule
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], value, rtol=0, atol=0)
    report = "\n".join(said)
    assert "measured on the 40 images of test, persons unknown" in report
    assert all(name in report for name in card.schema.names)
    assert Image.open(tmp_path / "reliability.png").size[1] > 500

    logits = torch.randn(20, len(card.schema))
    for sample, row in zip(model.head._get_predictions(logits, None), logits):
        scores = rule.scores(row.numpy())
        np.testing.assert_allclose(sample.pred_score, scores, atol=1e-5)

    config = str(next(work_dir.glob("*.py")))
    again = fit_model_decisions(
        path,
        tmp_path / "f1.safetensors",
        config,
        IMAGES,
        say=said.append,
        objective="F1",
    )
    second = load_model(again)[1].decision
    assert second == replace(rule, thresholds=second.thresholds)


def test_splits_that_do_not_suit_the_model_are_refused(trained_work_dir, tmp_path):
    work_dir = trained_work_dir("linear")
    out = tmp_path / "never.safetensors"
    checkpoint = next(work_dir.glob("best_*.pth"))
    with pytest.raises(ValueError, match="--config"):
        fit_model_decisions(checkpoint, out)
    for options, match in (
        (dict(val_dataloader=None), "has no val_dataloader"),
        ({"test_dataloader.dataset.schema": "peta"}, "schema"),
        (
            {"val_dataloader.dataset.pipeline.1.scale": (32, 64)},
            "val_dataloader of .* prepares images by",
        ),
    ):
        with pytest.raises(ValueError, match=match):
            fit_model_decisions(work_dir, out, options=options)
    assert not list(tmp_path.glob("never*"))


def test_a_data_loader_of_a_work_dir_cannot_have_code_run(trained_work_dir, tmp_path):
    hub = tmp_path / "hub"
    hub.mkdir()
    (hub / "hubconf.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    work_dir = tmp_path / "theirs"
    shutil.copytree(trained_work_dir("linear"), work_dir)
    (config,) = work_dir.glob("*.py")
    fields = read_config_data(config)
    fields["val_dataloader"]["sampler"] = dict(
        type="torch.hub.load", repo_or_dir=str(hub), model="m", source="local"
    )
    config.write_text("".join(f"{k} = {v!r}\n" for k, v in fields.items()))
    with pytest.raises(ValueError, match=r"sampler\.type is 'torch\.hub"):
        fit_model_decisions(work_dir, tmp_path / "never.safetensors", say=print)
    assert not (tmp_path / "ran").exists()
