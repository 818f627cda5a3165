"""Layers compute in bfloat16 where that is faster; nothing else does."""

import pytest
import torch
from torch import nn

from mmpar.engine import BFloat16OptimWrapper, bfloat16_optim_wrapper, mixed_precision
from mmpar.models import LinearPARHead


@pytest.fixture
def has_bfloat16(request, monkeypatch):
    monkeypatch.setattr(
        bfloat16_optim_wrapper, "computes_in_bfloat16", lambda _: request.param
    )
    monkeypatch.setattr(bfloat16_optim_wrapper, "get_device", lambda: "cpu")
    return request.param


@pytest.mark.parametrize("has_bfloat16", [True, False], indirect=True)
def test_layers_compute_in_bfloat16_and_weights_stay_in_float32(has_bfloat16, log):
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

    assert ("no bfloat16" in log.text) is not has_bfloat16


@pytest.mark.parametrize("has_bfloat16", [True], indirect=True)
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
    assert mixed_precision("cpu") == "BFloat16OptimWrapper"
    assert mixed_precision("cuda") == "BFloat16OptimWrapper"


@pytest.mark.parametrize("has_bfloat16", [False], indirect=True)
def test_mixed_precision_that_would_be_slower_is_refused(has_bfloat16):
    assert mixed_precision("cuda") == "AmpOptimWrapper"
    with pytest.raises(ValueError, match="without --amp"):
        mixed_precision("cpu")


def test_only_processors_with_the_instructions_are_taken(monkeypatch):
    computes = bfloat16_optim_wrapper.computes_in_bfloat16
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False, raising=False)
    assert not computes("cpu")
    monkeypatch.setattr(
        torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False
    )
    assert computes("cpu")
    assert not computes("mps")
    for capability, expected in (((7, 5), False), ((8, 0), True), ((9, 0), True)):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda c=capability: c)
        assert computes("cuda") is expected


def test_a_device_that_autocast_does_not_know_trains_in_float32(monkeypatch, log):
    monkeypatch.setattr(bfloat16_optim_wrapper, "get_device", lambda: "meta")
    layer = nn.Linear(3, 2)
    wrapper = BFloat16OptimWrapper(optimizer=torch.optim.SGD(layer.parameters(), 0.1))
    with wrapper.optim_context(layer):
        assert layer(torch.rand(4, 3)).dtype == torch.float32
    assert "trained on meta in float32" in log.text
