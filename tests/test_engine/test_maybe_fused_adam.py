"""Adam is fused where torch can do that, and means the same."""

import copy
import pickle

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

from mmpar.engine import MaybeFusedAdam
from tests.fixtures.versions import since_torch

Adam = torch.optim.Adam


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
    weight, optimizer = trained(MaybeFusedAdam)
    assert optimizer.param_groups[0]["fused"]
    expected, _ = trained(Adam)
    torch.testing.assert_close(weight, expected, rtol=1e-5, atol=1e-6)


def kernels(optimizer, number=2):
    """Train a convolution's weights for some steps by gradients of one layout."""
    (weight,) = optimizer.param_groups[0]["params"]
    for step in range(number):
        torch.manual_seed(step)
        weight.grad = torch.randn(4, 3, 3, 3).to(memory_format=torch.channels_last)
        optimizer.step()
    return weight.detach().clone()


def kernel(layout=torch.channels_last):
    torch.manual_seed(9)
    return nn.Parameter(torch.randn(4, 3, 3, 3).to(memory_format=layout))


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("part", ["exp_avg", "exp_avg_sq"])
@pytest.mark.parametrize("again", [lambda o: o, copy.deepcopy], ids=["", "copied"])
def test_values_in_another_layout_go_to_their_own_weights(layout, part, again):
    """As gradients, or moments that a checkpoint has with the channels first."""
    found = []
    for optimizer_of in (MaybeFusedAdam, Adam):
        optimizer = again(optimizer_of([kernel(layout)], lr=0.1))
        begun = kernels(optimizer)
        state = optimizer.state_dict()
        state["state"][0][part] = state["state"][0][part].contiguous()
        optimizer.load_state_dict(state)
        found.append(kernels(optimizer))
        assert not torch.equal(begun, found[-1])
    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("first", "then"),
    [(Adam, MaybeFusedAdam), (MaybeFusedAdam, Adam), (MaybeFusedAdam, MaybeFusedAdam)],
)
@pytest.mark.parametrize("groups", [lambda w: [w], lambda w: [dict(params=[w])]])
def test_a_training_goes_on_by_either(first, then, groups):
    """With the channels last after the channels first."""
    begun = first([kernel(torch.contiguous_format)], lr=0.1)
    weight = nn.Parameter(kernels(begun).to(memory_format=torch.channels_last))
    ours = then(groups(weight), lr=0.1)
    fused = ours.param_groups[0]["fused"]
    ours.load_state_dict(pickle.loads(pickle.dumps(begun.state_dict())))
    assert ours.param_groups[0]["fused"] == fused
    theirs = Adam([kernel()], lr=0.1)
    kernels(theirs)
    torch.testing.assert_close(kernels(ours), kernels(theirs), rtol=1e-5, atol=1e-6)


def test_what_it_counts_steps_by_is_where_its_weights_are():
    """On another device, such as a GPU: torch's fused step takes nothing else."""
    begun = MaybeFusedAdam([kernel()], lr=0.1)
    kernels(begun)
    optimizer = MaybeFusedAdam([nn.Parameter(torch.empty(4, 3, 3, 3, device="meta"))])
    optimizer.load_state_dict(begun.state_dict())
    (group,) = optimizer.param_groups
    (state,) = optimizer.state.values()
    assert (state["step"].device.type == "meta") is bool(group["fused"])


@pytest.mark.parametrize("again", [lambda o: o, copy.deepcopy], ids=["", "copied"])
def test_hooks_of_a_step_run_once(again):
    Adam([kernel()])
    optimizer, calls = again(MaybeFusedAdam([kernel()])), []
    optimizer.load_state_dict(optimizer.state_dict())
    optimizer.register_step_pre_hook(lambda *_: calls.append(1))
    kernels(optimizer, number=3)
    assert len(calls) == 3


@since_torch("2.3", "it scales on GPUs only")
def test_what_is_not_fused_is_scaled_as_adam():
    weight = nn.Parameter(torch.ones(2))
    optimizer = MaybeFusedAdam([weight], lr=0.5, foreach=True)
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale((3 * weight).sum()).backward()
    scaler.step(optimizer)
    torch.testing.assert_close(weight.detach(), torch.full((2,), 0.5))


@pytest.mark.parametrize(
    "groups",
    [
        iter,
        lambda weights: [dict(params=[one]) for one in weights],
        lambda weights: [dict(params=one) for one in weights],
        lambda weights: [dict(params=weights)],
    ],
    ids=["a generator", "groups", "groups of one", "a group of a generator"],
)
def test_where_torch_refuses_it_is_the_ordinary_one_and_says_so(
    monkeypatch, log, groups
):
    begin = Adam.__init__

    def of_another_torch(self, params, fused=None, **kwargs):
        begin(self, params, fused=fused, **kwargs)
        if fused:
            raise RuntimeError("`fused=True` requires all the params to be CUDA")

    def optimizer_of(weights, **kwargs):
        return MaybeFusedAdam(groups(weights), **kwargs)

    monkeypatch.setattr(Adam, "__init__", of_another_torch)
    weight, optimizer = trained(optimizer_of)
    assert not any(group["fused"] for group in optimizer.param_groups)
    assert "Adam is not fused: `fused=True` requires all" in log.text
    assert torch.equal(weight, trained(Adam)[0])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [(dict(lr=-1.0), "Invalid learning rate"), (dict(fused=True), "type='Adam'")],
)
def test_a_wrong_argument_is_an_error(wrong, words):
    with pytest.raises(ValueError, match=words):
        MaybeFusedAdam([nn.Parameter(torch.zeros(2))], **wrong)


def test_a_config_names_it_and_weighs_groups_apart():
    model = nn.ModuleDict({"backbone": nn.Linear(2, 2), "head": nn.Linear(2, 2)})
    cfg = dict(
        optimizer=dict(type="mmpar.MaybeFusedAdam", lr=0.1),
        paramwise_cfg=dict(custom_keys={"head": dict(lr_mult=10)}),
    )
    wrapper = build_optim_wrapper(model, cfg)
    assert type(wrapper.optimizer) is MaybeFusedAdam
    assert {group["lr"] for group in wrapper.param_groups} == {0.1, 1.0}
    before = model["head"].weight.detach().clone()
    wrapper.update_params(model["head"](torch.ones(1, 2)).sum())
    assert not torch.equal(model["head"].weight, before)


def test_a_set_of_parameters_is_an_error_as_for_adam():
    groups = [dict(params={nn.Parameter(torch.zeros(2))})]
    for optimizer_of in (Adam, MaybeFusedAdam):
        with pytest.raises(TypeError, match="ordered collections"):
            optimizer_of(groups)
