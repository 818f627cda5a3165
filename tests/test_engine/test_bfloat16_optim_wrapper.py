"""Layers compute in bfloat16 where that is faster; nothing else does."""

import pytest
import torch
from torch import nn

from mmpar.engine import BFloat16OptimWrapper, bfloat16_optim_wrapper, mixed_precision
from mmpar.models import LinearPARHead
from tests.test_tools.run import load_tool


@pytest.fixture
def has_bfloat16(request, monkeypatch):
    monkeypatch.setattr(
        bfloat16_optim_wrapper, "computes_in_bfloat16", lambda _: request.param
    )
    monkeypatch.setattr(bfloat16_optim_wrapper, "get_device", lambda: "cpu")
    return request.param


@pytest.mark.parametrize("has_bfloat16", [True, False], indirect=True)
def test_layers_compute_in_bfloat16_and_weights_stay_in_float32(has_bfloat16, capfd):
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    wrapper = BFloat16OptimWrapper(optimizer=torch.optim.SGD(layer.parameters(), 0.1))
    image = torch.rand(4, 3)
    with wrapper.optim_context(layer):
        output = layer(image)
        loss = nn.functional.binary_cross_entropy_with_logits(
            output, torch.ones_like(image[:, :2])
        )
    assert output.dtype == (torch.bfloat16 if has_bfloat16 else torch.float32)
    assert loss.dtype == torch.float32
    before = layer.weight.detach().clone()
    wrapper.update_params(loss)
    assert layer.weight.dtype == torch.float32
    assert not torch.equal(layer.weight, before)
    assert layer(image).dtype == torch.float32  # outside of the context
    told = capfd.readouterr()
    assert ("no bfloat16" in told.out + told.err) is not has_bfloat16


@pytest.mark.parametrize("has_bfloat16", [True, False], indirect=True)
def test_losses_of_exclusive_sets_are_those_of_the_same_logits(has_bfloat16):
    head = LinearPARHead("pa100k", 8, exclusive_softmax=True)
    head.set_positive_ratio([0.3] * len(head.schema))
    wrapper = BFloat16OptimWrapper(optimizer=torch.optim.SGD(head.parameters(), 0.1))
    labels = torch.zeros(2, len(head.schema))
    with wrapper.optim_context(head):
        logits = head.logits([torch.rand(2, 8)])
        sets = head.log_odds.sets
        loss = head.loss_module(logits, labels, head.positive_ratio, sets)
    full = head.loss_module(logits.float(), labels, head.positive_ratio, sets)
    torch.testing.assert_close(loss, full)


@pytest.mark.parametrize("has_bfloat16", [True], indirect=True)
def test_mixed_precision_is_bfloat16_where_there_is_any(has_bfloat16):
    assert mixed_precision("cpu") == dict(type="BFloat16OptimWrapper")
    assert mixed_precision("cuda") == dict(type="BFloat16OptimWrapper")


@pytest.mark.parametrize("has_bfloat16", [False], indirect=True)
def test_mixed_precision_that_would_be_slower_is_refused(has_bfloat16):
    assert mixed_precision("cuda")["type"] == "AmpOptimWrapper"
    with pytest.raises(ValueError, match="without --amp"):
        mixed_precision("cpu")


def test_amp_changes_the_config(monkeypatch):
    monkeypatch.setattr(
        "sys.argv", ["train.py", "configs/baseline/baseline_r18_synthetic.py", "--amp"]
    )
    train = load_tool("train.py")
    monkeypatch.setattr(train, "mixed_precision", lambda _: dict(type="Mixed"))
    monkeypatch.chdir(load_tool.__globals__["REPOSITORY"])
    cfg = train.read_config(train.parse_args())
    assert cfg.optim_wrapper.type == "Mixed"
    assert cfg.optim_wrapper.optimizer.type == "Adam"
