"""Averages of a model equal a plain loop, and leave alone what is no weight."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from mmpar.models import LinearPARHead, SSPNetNeck
from mmpar.models.averaged_model import running_statistics

EMA = Path(__file__).parents[2] / "configs/_base_/runtime_ema.py"
MOMENTUM = 0.1


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmpar")


class Model(nn.Module):
    """Normalization, learned scales and a head: every kind of buffer that there is."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.plain = nn.InstanceNorm2d(4, track_running_stats=True)
        self.neck = SSPNetNeck(
            (2, 2), dict(whole=dict(rows=(0, 1))), 2, scale=dict(mode="learned")
        )
        self.head = LinearPARHead(dict(title="t", names=["a", "b"]), 4)

    def forward(self, x):
        return self.head((self.plain(self.stem(x)).mean(dim=(2, 3)),))


def averaged(model, kind="ExponentialMovingAverage", **kwargs):
    config = dict(type=kind, update_buffers=True, **kwargs)
    return ROOT_MODELS.build(config, default_args=dict(model=model))


def trained(model, average, steps):
    """Trains; yields the state after every step, once the average has seen it."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    generator = torch.Generator().manual_seed(1)
    for step in range(steps):
        # Statistics that move, so that averaging them too early or late shows.
        images = (1 + step) * torch.randn(5, 3, 8, 6, generator=generator)
        images = images.to(next(model.parameters()).dtype) + step
        optimizer.zero_grad()
        model.train()(images).square().sum().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step == 1:
            model.head.set_positive_ratio([0.25, 0.5])
        if step == 3:
            model.neck.scale_selection.set_temperature(0.5)
            model.neck.scale_selection.commit()
        average.update_parameters(model)
        yield copy.deepcopy(dict(model.state_dict()))


def weights_and_statistics(model):
    names = {name for name, _ in model.named_parameters()}
    return names | {
        name
        for name in model.state_dict()
        if name.endswith(("running_mean", "running_var"))
    }


def test_weights_and_running_statistics_equal_a_plain_loop():
    torch.manual_seed(0)
    model = Model().double()
    average = averaged(model, momentum=MOMENTUM)
    expected = None
    for state in trained(model, average, steps=7):
        if expected is None:
            expected = copy.deepcopy(state)
        for name in weights_and_statistics(model):
            for old, new in zip(expected[name].view(-1), state[name].view(-1)):
                old.fill_((1 - MOMENTUM) * float(old) + MOMENTUM * float(new))
    found = average.module.state_dict()
    assert "stem.1.running_var" in weights_and_statistics(model)
    for name in weights_and_statistics(model):
        torch.testing.assert_close(found[name], expected[name], rtol=1e-12, atol=1e-12)
    # Which is neither the last state nor the first.
    variance = model.state_dict()["stem.1.running_var"]
    assert (found["stem.1.running_var"] - variance).abs().min() > 0.1


KINDS = ["ExponentialMovingAverage", "MomentumAnnealingEMA", "StochasticWeightAverage"]


@pytest.mark.parametrize("kind", KINDS)
def test_all_else_is_the_models_own_at_any_time(kind):
    torch.manual_seed(0)
    model = Model()
    average = averaged(model, kind)
    assert model.head.positive_ratio.isnan().all()
    for _ in trained(model, average, steps=6):
        theirs = dict(average.module.named_buffers())
        for name, buffer in model.named_buffers():
            if name in running_statistics(model):
                continue
            torch.testing.assert_close(
                theirs[name], buffer, rtol=0, atol=0, equal_nan=True, msg=name
            )
    assert theirs["stem.1.num_batches_tracked"] == 6
    assert theirs["head.positive_ratio"].tolist() == [0.25, 0.5]
    assert average.module.neck.scale_selection.committed
    assert average.module.head.schema == model.head.schema


def test_statistics_of_all_normalizations_are_known_and_no_others():
    model = nn.ModuleList(
        [
            nn.BatchNorm1d(2),
            nn.SyncBatchNorm(2),
            nn.BatchNorm2d(2, track_running_stats=False),
            nn.InstanceNorm2d(2),
            nn.GroupNorm(1, 2),
            LinearPARHead("peta", 2),
        ]
    )
    expected = {f"{i}.running_{what}" for i in (0, 1) for what in ("mean", "var")}
    assert running_statistics(model) == expected


class Trainable(BaseModel):
    """The model as the Runner trains it."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, inputs, mode="tensor"):
        return dict(loss=self.model(inputs).square().sum())


def run(work_dir, epochs, resume=False):
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(6, 3, 8, 6, generator=generator)
    data = [dict(inputs=image) for image in images]
    ema = Config.fromfile(EMA).default_hooks.ema
    runner = Runner(
        Trainable(Model()),
        str(work_dir),
        train_dataloader=DataLoader(data, batch_size=3),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.01)),
        custom_hooks=[dict(ema, momentum=MOMENTUM)],
        default_scope="mmpar",
        experiment_name=f"{work_dir.name}_{epochs}_{resume}",
        resume=resume,
    )
    runner.train()
    return torch.load(work_dir / f"epoch_{epochs}.pth", weights_only=False)


def test_the_hook_of_the_configs_saves_averaged_statistics_and_resumes(tmp_path):
    whole = run(tmp_path / "whole", 3)
    run(tmp_path / "parts", 2)
    parts = run(tmp_path / "parts", 3, resume=True)
    deployed, trained_on = whole["state_dict"], whole["ema_state_dict"]
    name = "model.stem.1.running_mean"
    assert (deployed[name] - trained_on[f"module.{name}"]).abs().max() > 1e-4
    counted = "model.stem.1.num_batches_tracked"
    assert deployed[counted] == trained_on[f"module.{counted}"] == 6
    for key, value in deployed.items():
        torch.testing.assert_close(parts["state_dict"][key], value, equal_nan=True)
