"""Adam is fused where torch can do that, and means the same."""

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

from mmpar.engine import maybe_fused_adam
from tests.fixtures.versions import since_torch


def trained(optimizer_of, steps=20):
    torch.manual_seed(0)
    model = nn.Linear(5, 3)
    optimizer = optimizer_of(model.parameters(), lr=0.1, weight_decay=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(4, 5)).square().sum().backward()
        optimizer.step()
    return model.weight.detach(), optimizer


@since_torch("2.4", "it fuses Adam on GPUs only")
def test_it_is_fused_and_trains_what_adam_does():
    weight, optimizer = trained(maybe_fused_adam)
    assert optimizer.defaults["fused"]
    expected, _ = trained(torch.optim.Adam)
    torch.testing.assert_close(weight, expected, rtol=1e-5, atol=1e-6)


@since_torch("2.4", "it fuses Adam on GPUs only")
@pytest.mark.parametrize("part", ["grad", "exp_avg", "exp_avg_sq"])
def test_values_in_another_layout_go_to_their_own_weights(part):
    """As moments do that a training with the channels first left in a checkpoint."""
    kernel = torch.randn(4, 3, 3, 3).to(memory_format=torch.channels_last)
    found = []
    for optimizer_of in (maybe_fused_adam, torch.optim.Adam):
        torch.manual_seed(0)
        weight = nn.Parameter(kernel.clone())
        optimizer = optimizer_of([weight], lr=0.1)
        for _ in range(3):
            weight.grad = torch.randn(4, 3, 3, 3).to(memory_format=torch.channels_last)
            if part == "grad":
                weight.grad = weight.grad.contiguous()
            elif weight in optimizer.state:
                state = optimizer.state_dict()
                state["state"][0][part] = state["state"][0][part].contiguous()
                optimizer.load_state_dict(state)
            optimizer.step()
        assert weight.stride() == kernel.stride()
        found.append(weight.detach())
    assert not torch.equal(found[0], kernel)
    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-6)


def test_where_torch_refuses_it_is_the_ordinary_one_and_says_so(monkeypatch, log):
    adam = torch.optim.Adam

    def of_another_torch(params, fused=None, **kwargs):
        if fused:
            raise RuntimeError("`fused=True` requires all the params to be CUDA")
        return adam(params, **kwargs)

    monkeypatch.setattr(torch.optim, "Adam", of_another_torch)
    weight, optimizer = trained(maybe_fused_adam)  # of a generator of parameters
    assert not optimizer.defaults["fused"]
    assert "Adam is not fused: `fused=True` requires all" in log.text
    assert torch.equal(weight, trained(adam)[0])


def test_a_wrong_argument_is_an_error():
    with pytest.raises(ValueError, match="Invalid learning rate"):
        maybe_fused_adam([nn.Parameter(torch.zeros(2))], lr=-1.0)


def test_a_config_names_it_and_weighs_groups_apart():
    model = nn.ModuleDict({"backbone": nn.Linear(2, 2), "head": nn.Linear(2, 2)})
    cfg = dict(
        optimizer=dict(type="mmpar.maybe_fused_adam", lr=0.1),
        paramwise_cfg=dict(custom_keys={"head": dict(lr_mult=10)}),
    )
    wrapper = build_optim_wrapper(model, cfg)
    assert type(wrapper.optimizer) is torch.optim.Adam
    assert {group["lr"] for group in wrapper.param_groups} == {0.1, 1.0}
