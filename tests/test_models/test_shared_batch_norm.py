"""Several processes normalize their batches as one does the whole."""

import json

import torch
from torch import nn

from mmpar.models.layers.shared_batch_norm import (
    SharedBatchNorm,
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


def test_half_precision_is_normalized_in_full(monkeypatch):
    """With a second process that says what the first does."""
    layer = "mmpar.models.layers.shared_batch_norm"
    monkeypatch.setattr(f"{layer}.get_world_size", lambda: 2)
    monkeypatch.setattr(f"{layer}.all_reduce", lambda values: 2 * values)
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
