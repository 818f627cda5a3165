"""Several processes normalize their batches as one does the whole."""

import copy
import json

import pytest
import torch
from mmengine.config import Config
from mmengine.model import convert_sync_batchnorm
from mmengine.runner import Runner
from torch import nn

from mmpar.engine import PARRunner
from mmpar.models.layers.shared_batch_norm import (
    SharedBatchNorm,
    keep_activations,
    require_shareable,
    share_batch_statistics,
)
from tests.test_models.a_normalizing_process import SIZES, data, found
from tests.test_tools.run import call_together


def test_two_processes_normalize_as_one_does_the_whole_batch():
    outputs = call_together(2, ["-m", "tests.test_models.a_normalizing_process"])
    ours = [json.loads(output.splitlines()[-1]) for output in outputs]
    whole = found(*data())

    def compare(one: list, other: list) -> None:
        one, other = (torch.tensor(v, dtype=torch.float64) for v in (one, other))
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)

    for name in ("outputs", "inputs"):
        compare(ours[0][name] + ours[1][name], whole[name])
        assert [len(process[name]) for process in ours] == list(SIZES)
    sums = torch.tensor([process["parameters"] for process in ours]).double().sum(0)
    torch.testing.assert_close(
        sums, torch.tensor(whole["parameters"]).double(), rtol=1e-6, atol=1e-6
    )
    for process in ours:
        for one, other in zip(process["buffers"], whole["buffers"]):
            compare(one, other)


@pytest.fixture
def _second_process(monkeypatch):
    """That says what the first does."""
    layer = "mmpar.models.layers.shared_batch_norm"
    monkeypatch.setattr(f"{layer}.get_world_size", lambda: 2)
    monkeypatch.setattr(f"{layer}.all_reduce", lambda values: 2 * values)


@pytest.mark.usefixtures("_second_process")
@pytest.mark.parametrize(
    "settings",
    [
        dict(eps=0.1, momentum=0.3),
        dict(momentum=None),
        dict(affine=False),
        dict(track_running_stats=False),
    ],
)
@pytest.mark.parametrize("shape", [(3, 4, 5, 2), (3, 4)])
def test_a_batch_is_normalized_as_a_part_of_the_whole(shape, settings):
    torch.manual_seed(0)
    kind = nn.BatchNorm2d if len(shape) == 4 else nn.BatchNorm1d
    whole = kind(4, **settings).double()
    for weights in whole.parameters():
        nn.init.normal_(weights)
    model = nn.Sequential(copy.deepcopy(whole))
    share_batch_statistics(model)
    for _ in range(2):
        own = (100 + torch.randn(shape, dtype=torch.float64)).requires_grad_()
        targets = torch.randn(shape, dtype=torch.float64)
        outputs, expected = model(own), whole(torch.cat((own, own)))
        torch.testing.assert_close(torch.cat((outputs, outputs)), expected)
        (gradient,) = torch.autograd.grad((outputs * targets).sum(), own)
        both = (expected * torch.cat((targets, targets))).sum() / 2
        (wanted,) = torch.autograd.grad(both, own)
        torch.testing.assert_close(gradient, wanted)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(model[0].state_dict()[name], value)
    if whole.running_mean is not None:
        torch.testing.assert_close(model.eval()(own), whole.eval()(own))


@pytest.mark.usefixtures("_second_process")
def test_half_precision_is_normalized_in_full():
    inputs = (100 + torch.randn(4, 3, 5, 2)).bfloat16()
    model = nn.Sequential(nn.BatchNorm2d(3, track_running_stats=False))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor((2.0, -1.0, 0.5)))
        model[0].bias.copy_(torch.tensor((-1.0, 0.0, 3.0)))
    expected = model(inputs.float())
    share_batch_statistics(model)
    assert model(inputs).dtype == torch.bfloat16
    torch.testing.assert_close(model(inputs).float(), expected, rtol=0.01, atol=0.01)


def test_normalizations_are_replaced_with_their_weights_and_statistics():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.BatchNorm2d(4)))
    model.eval()
    state, expected = model.state_dict(), model(torch.ones(2, 3, 5, 5))
    share_batch_statistics(model)
    assert type(model[1][0]) is SharedBatchNorm
    assert not model[1][0].training
    assert model.state_dict().keys() == state.keys()
    assert torch.equal(model(torch.ones(2, 3, 5, 5)), expected)
    assert {id(p) for p in model.parameters()} >= {id(model[1][0].weight)}


def test_one_process_normalizes_as_torch_does():
    norm, inputs = nn.BatchNorm2d(4), torch.randn(2, 4, 5, 5)
    model = nn.Sequential(copy.deepcopy(norm))
    share_batch_statistics(model)
    assert torch.equal(model(inputs), norm(inputs))
    assert torch.equal(model[0].running_var, norm.running_var)
    with pytest.raises(ValueError, match=r"inputs \(B, C, \*\), got \(4,\)"):
        model(torch.randn(4))


@pytest.mark.parametrize("replace", [share_batch_statistics, convert_sync_batchnorm])
def test_normalizations_of_timm_keep_their_activations(replace):
    """On CPUs by ours, on GPUs by MMEngine's, which forgets them."""
    layers = pytest.importorskip("timm.layers")
    norms = [layers.BatchNormAct2d(4), nn.BatchNorm2d(4)]
    model = nn.Sequential(nn.Conv2d(3, 4, 1), *norms).eval()
    images = torch.randn(2, 3, 5, 5)
    expected = model(images)
    require_shareable(model)
    replace(model)
    keep_activations(model.eval())
    assert isinstance(model[1], (SharedBatchNorm, nn.SyncBatchNorm))
    assert torch.equal(model(images), expected)


def test_a_normalization_that_computes_something_else_is_refused():
    layers = pytest.importorskip("timm.layers")
    model = nn.Sequential(nn.BatchNorm2d(4), layers.SplitBatchNorm2d(4))
    with pytest.raises(
        ValueError, match=r"replace 1, a SplitBatchNorm2d.*sync_bn=None"
    ):
        require_shareable(model)


def test_a_runner_of_several_processes_replaces_them_by_these_rules(monkeypatch):
    layers = pytest.importorskip("timm.layers")
    monkeypatch.setattr(Runner, "wrap_model", lambda self, wrapper, model: model)
    runner = PARRunner.__new__(PARRunner)
    runner.cfg = Config(dict(sync_bn="torch"))
    model = nn.Sequential(layers.BatchNormAct2d(4), nn.BatchNorm2d(4)).eval()
    images = torch.randn(2, 4, 5, 5)
    expected = model(images)
    for several in (False, True):
        runner._distributed = several
        assert torch.equal(runner.wrap_model(None, model)(images), expected)
        assert isinstance(model[0], SharedBatchNorm) == several
        assert runner.cfg.sync_bn == "torch"
    model[1] = layers.SplitBatchNorm2d(4)
    with pytest.raises(ValueError, match="SplitBatchNorm2d"):
        runner.wrap_model(None, model)
