"""Weights that do not fit are an error or a line with how many do."""

import json
import re

import pytest
import torch
from mmengine.registry import MODELS, init_default_scope

from mmpar import models
from mmpar.engine import build_runner
from mmpar.utils.config import use_checkpoint
from tests.test_engine.tiny_training import TinyModel, log_of, tiny_config, train


@pytest.fixture
def weights():
    torch.manual_seed(1)
    return {k: torch.randn_like(v) for k, v in TinyModel().state_dict().items()}


def begin_from(tmp_path, content):
    torch.save(content, tmp_path / "start.pth")
    cfg = tiny_config(tmp_path / "work", 1)
    cfg.optim_wrapper.optimizer.lr = 0.0
    cfg.load_from = str(tmp_path / "start.pth")
    return train(cfg)


STRONG_BASELINE = {
    "module.backbone.conv1.weight": torch.zeros(1),
    "module.classifier.logits.0.weight": torch.zeros(1),
}


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (
            dict(state_dicts=STRONG_BASELINE, epoch="in epoch 7", metric=0.8),
            r"it holds state_dicts, epoch, metric; under 'state_dicts' there are "
            r"module.*of the official code of the Strong Baseline: convert .*"
            r"tools/model_converters/official_to_mmpar\.py$",
        ),
        (
            dict(model={"a.b": torch.zeros(1)}),
            "under 'model' there are a.b.*Convert checkpoints of official codes",
        ),
        (dict(net={"a.b": torch.zeros(1)}), "under 'net' there are a.b"),
        (
            {"module.main_branch.conv1.weight": torch.zeros(1)},
            r"of the official code of ALM: convert",
        ),
        (
            {"layer.weight": torch.zeros(2, 2)},
            r"weights of its backbone alone: give them as model\.backbone\.init_cfg=",
        ),
        (dict(state_dict={}), "under 'state_dict'"),
        ([torch.zeros(1)], "holds a list, expected a state dict"),
        (torch.zeros(1), "holds a Tensor, expected a state dict"),
    ],
)
def test_a_checkpoint_of_which_nothing_fits_is_an_error(tmp_path, content, match):
    with pytest.raises(ValueError, match=match) as error:
        begin_from(tmp_path, content)
    assert str(tmp_path / "start.pth") in str(error.value)


@pytest.mark.parametrize("prefix", ["", "module.", "module.module."])
@pytest.mark.parametrize("ema", [False, True], ids=["plain", "EMA"])
def test_weights_load_alone_and_under_wrappers(tmp_path, weights, prefix, ema):
    torch.save({prefix + k: v for k, v in weights.items()}, tmp_path / "start.pth")
    cfg = tiny_config(tmp_path / "work", 1)
    cfg.optim_wrapper.optimizer.lr = 0.0
    cfg.load_from = str(tmp_path / "start.pth")
    if ema:
        cfg.custom_hooks = [dict(type="EMAHook", priority="ABOVE_NORMAL")]
    runner = train(cfg)
    assert "start.pth: 4 of the model's 4 weights match" in log_of(runner)
    for key, value in runner.model.state_dict().items():
        assert torch.equal(value, weights[key])


def test_a_partial_match_says_how_many_of_how_many(tmp_path, weights):
    weights["head.bias"] = torch.zeros(7)
    del weights["head.weight"]
    runner = begin_from(tmp_path, dict(state_dict={**weights, "x": torch.zeros(1)}))
    text = (
        "2 of the model's 4 weights match; 1 missing in the checkpoint, first: "
        "head.weight; 1 of a different shape, first: head.bias; 1 not in the model, "
        "first: x"
    )
    assert re.search(f"WARNING - .*start.pth: {re.escape(text)}", log_of(runner))


def test_a_test_refuses_what_does_not_fit_whole(tmp_path, weights):
    del weights["head.bias"]
    torch.save(weights, tmp_path / "x.pth")
    cfg = tiny_config(tmp_path / "work")
    use_checkpoint(cfg, str(tmp_path / "x.pth"))
    with pytest.raises(ValueError, match="3 of the model's 4 weights match; 1 missing"):
        build_runner(cfg).test()


def test_an_error_of_the_head_names_the_file(tmp_path, weights, monkeypatch):
    def refuse(*_, **__):
        return json.loads("not a schema")

    monkeypatch.setattr(TinyModel, "_load_from_state_dict", refuse)
    with pytest.raises(ValueError, match=r"start\.pth: Expecting value"):
        begin_from(tmp_path, weights)


def pretrained(tmp_path, content, **fields):
    torch.save(content, tmp_path / "w.pth")
    init = dict(type="Pretrained", checkpoint=str(tmp_path / "w.pth"), **fields)
    init_default_scope("mmpar")
    model = MODELS.build(dict(type="TinyModel", backbone=dict(init_cfg=init)))
    model.init_weights()
    return model.backbone.layer


def test_a_pretrained_backbone_loads(tmp_path, weights, monkeypatch):
    said = []
    monkeypatch.setattr(models.pretrained, "print_log", lambda *a: said.append(a[0]))
    bare = {k: v for k, v in weights.items() if k.startswith("backbone.")}
    bare = {"module." + k.removeprefix("backbone."): v for k, v in bare.items()}
    layer = pretrained(tmp_path, dict(state_dict=bare))
    assert torch.equal(layer.weight, weights["backbone.layer.weight"])
    assert said[-1].endswith("w.pth: 2 of the model's 2 weights match")


def test_a_part_of_a_whole_model_loads_by_its_prefix(tmp_path, weights):
    layer = pretrained(tmp_path, weights, prefix="backbone")
    assert torch.equal(layer.bias, weights["backbone.layer.bias"])
    with pytest.raises(ValueError, match="part 'neck'; it has the parts backbone, hea"):
        pretrained(tmp_path, weights, prefix="neck")


def test_a_backbone_for_which_nothing_fits_is_an_error_with_the_prefix(
    tmp_path, weights
):
    with pytest.raises(ValueError, match=r"no weight of .*add prefix='backbone' to"):
        pretrained(tmp_path, weights)
    with pytest.raises(ValueError, match="under 'model' there are a"):
        pretrained(tmp_path, dict(model={"a.b": torch.zeros(1)}))
    with pytest.raises(ValueError, match=r"under 'state_dicts' .*Convert "):
        pretrained(tmp_path, dict(state_dicts=weights))
