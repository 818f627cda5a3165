"""A training that is killed and resumed ends as if nothing had happened."""

import math
import random
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmpretrain.structures import DataSample
from torch import nn

from mmpar.engine import FiniteHook, IterationSeedHook, PARRunner
from mmpar.engine.hooks import iteration_seed_hook
from mmpar.utils import seeding
from mmpar.utils.checkpoint_files import load_from_local
from mmpar.utils.config import check_config
from tests import kill_and_resume
from tests.fixtures.trained import CONFIGS

HOOKS = Config.fromfile(CONFIGS / "_base_/default_runtime.py")


def hooks_without_schema():
    """The shipped hooks, but for those that read a PAR dataset's schema and labels."""
    hooks = HOOKS.default_hooks.to_dict()
    of_par = ("schema_check", "positive_ratio", "training_record")
    return {name: hook for name, hook in hooks.items() if name not in of_par}


class Noise(torch.utils.data.Dataset):
    """Eight samples that all three generators disturb, as augmentations do."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        drawn = [random.random(), np.random.rand(), torch.rand(()).item()]
        return dict(inputs=torch.tensor([index, *drawn], dtype=torch.float32))


class Net(BaseModel):
    """A linear layer behind dropout."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 1))

    def forward(self, inputs, mode="tensor"):
        out = self.layers(torch.stack(list(inputs)))
        return dict(loss=(out - 1).square().mean()) if mode == "loss" else list(out)


class Scores(BaseMetric):
    """The score that a test gives to the epoch that is validated."""

    default_prefix = "par"
    epoch = 0

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(mA=0.5)


def runner(work_dir, workers, by_epoch=True, resume=None, steps=3, val=False, hooks=()):
    """A Runner of the shipped hooks, with what needs a PAR model left out."""
    loader = dict(
        batch_size=2,
        num_workers=workers,
        persistent_workers=workers > 0,
        dataset=Noise(),
        sampler=dict(
            type="DefaultSampler" if by_epoch else "InfiniteSampler", shuffle=True
        ),
    )
    checkpoint = dict(HOOKS.default_hooks.checkpoint, by_epoch=by_epoch)
    if not val:
        checkpoint["save_best"] = None
    length = dict(max_epochs=steps) if by_epoch else dict(max_iters=steps)
    more = {}
    if val:
        sampler = dict(type="DefaultSampler", shuffle=False)
        more = dict(
            val_dataloader=dict(batch_size=8, dataset=Noise(), sampler=sampler),
            val_cfg=dict(),
            val_evaluator=[Scores()],
        )
    return PARRunner(
        model=Net(),
        work_dir=str(work_dir),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=by_epoch, val_interval=1, **length),
        optim_wrapper=dict(optimizer=dict(type="Adam", lr=0.01)),
        default_hooks=dict(hooks_without_schema(), checkpoint=checkpoint),
        custom_hooks=[EpochHook(), *hooks],
        load_from=str(resume) if resume else None,
        resume=resume is not None,
        randomness=dict(seed=3),
        default_scope="mmpar",
        experiment_name=f"{work_dir}{resume}{workers}",
        **more,
    )


def weights(path):
    """The state dict of a checkpoint, as one vector."""
    state = load_from_local(str(path), map_location="cpu")["state_dict"]
    return torch.cat([value.flatten() for value in state.values()])


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    ("by_epoch", "steps", "kept", "last"),
    [(True, 3, "epoch_2.pth", "epoch_3.pth"), (False, 7, "iter_6.pth", "iter_7.pth")],
)
def test_a_resumed_training_has_the_undisturbed_weights(
    tmp_path, workers, by_epoch, steps, kept, last
):
    runner(tmp_path / "whole", 0, by_epoch, steps=steps).train()
    start = tmp_path / "whole" / kept
    runner(tmp_path / "rest", workers, by_epoch, start, steps).train()
    undisturbed = weights(tmp_path / "whole" / last)
    assert torch.equal(undisturbed, weights(tmp_path / "rest" / last))
    assert not torch.equal(undisturbed, weights(start))


def test_samples_are_drawn_anew_in_each_epoch_and_place(tmp_path):
    loader = runner(tmp_path, 2).train_dataloader
    epochs = []
    for epoch in range(2):
        loader.sampler.set_epoch(epoch)
        epochs.append(torch.cat([torch.stack(batch["inputs"]) for batch in loader]))
    noise = torch.cat(epochs)[:, 1:]
    assert len(noise.unique(dim=0)) == 16
    loader.sampler.set_epoch(0)
    again = torch.cat([torch.stack(batch["inputs"]) for batch in loader])
    assert torch.equal(again, epochs[0])


def drawn(monkeypatch, rank, seed):
    """What a process draws for a batch of samples, and then in an iteration."""
    for module in (seeding, iteration_seed_hook):
        monkeypatch.setattr(module, "get_rank", lambda: rank)
    loader = torch.utils.data.DataLoader(Noise(), batch_size=8)
    seeding.seed_samples(loader, seed)
    (batch,) = loader
    state = SimpleNamespace(seed=seed, iter=5)
    IterationSeedHook().before_train_iter(state, 0)
    return [*batch["inputs"][:, 1:].flatten().tolist(), torch.rand(()).item()]


def test_each_process_and_each_seed_draws_numbers_of_its_own(monkeypatch):
    first = drawn(monkeypatch, rank=0, seed=3)
    assert first == drawn(monkeypatch, rank=0, seed=3)
    others = drawn(monkeypatch, rank=1, seed=3) + drawn(monkeypatch, rank=0, seed=4)
    assert len({*first, *others}) == 3 * (8 * 3 + 1)


class EpochHook(Hook):
    """Tells the scores of which epoch the weights are."""

    def before_val(self, runner):
        Scores.epoch = runner.epoch


class Killed(Exception):
    """The process ends."""


def killed_in_validation(epoch):
    """A hook that ends the run once an epoch's checkpoint is written."""

    class Kill(Hook):
        def before_val(self, runner):
            if runner.epoch == epoch:
                raise Killed

    return Kill()


@pytest.mark.parametrize(
    ("scores", "best"), [([1, 3, 2], 2), ([2, 3, 1], 2), ([1, 2, 3], 3), ([3, 2, 1], 1)]
)
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_validation_that_was_cut_off_is_made_up_for(
    tmp_path, monkeypatch, scores, best, at
):
    monkeypatch.setattr(Scores, "compute_metrics", _score_of_epoch(scores))
    with pytest.raises(Killed):
        runner(tmp_path, 0, val=True, hooks=[killed_in_validation(at)]).train()
    assert not (tmp_path / f"best_par_mA_epoch_{at}.pth").exists()
    runner(tmp_path, 0, resume=tmp_path / f"epoch_{at}.pth", val=True).train()
    found = [path.name for path in tmp_path.glob("best_*.pth")]
    assert found == [f"best_par_mA_epoch_{best}.pth"]


def test_a_validation_that_is_in_the_checkpoint_is_not_repeated(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(
        Scores, "compute_metrics", _score_of_epoch([1, 2, 3], calls.append)
    )
    runner(tmp_path, 0, val=True, steps=2).train()
    assert calls == [1, 2]
    runner(tmp_path, 0, resume=tmp_path / "epoch_2.pth", val=True).train()
    assert calls == [1, 2, 3]


def _score_of_epoch(scores, note=lambda epoch: None):
    def compute(self, results):
        note(Scores.epoch)
        return dict(mA=scores[Scores.epoch - 1])

    return compute


def step(numbers, wrapper=None, norm=None):
    """FiniteHook after an iteration of which these are the log's numbers."""
    hub = MessageHub(f"finite{norm}{numbers}")
    if norm is not None:
        hub.update_scalar("train/grad_norm", norm)
    sample = DataSample(metainfo=dict(img_path="crops/7.jpg"))
    state = SimpleNamespace(
        optim_wrapper=wrapper or object(), message_hub=hub, epoch=4, iter=99
    )
    FiniteHook().after_train_iter(state, 0, dict(data_samples=[sample]), numbers)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_the_training(value):
    step(dict(loss=torch.tensor(1.0)), norm=2.0)
    with pytest.raises(ValueError, match=r"loss is .*epoch 5, iteration 100.*7\.jpg"):
        step(dict(loss=torch.tensor(value)))


def test_a_gradient_norm_that_is_not_finite_stops_unless_amp_scales_it():
    with pytest.raises(ValueError, match="grad_norm is inf"):
        step(dict(loss=torch.tensor(1.0)), norm=float("inf"))
    scaling = SimpleNamespace(loss_scaler=object())
    step(dict(loss=torch.tensor(1.0)), scaling, norm=float("inf"))


def test_no_checkpoint_of_a_training_that_came_to_nan_is_written(tmp_path):
    diverging = runner(tmp_path, 0)
    weight = diverging.model.layers[1].weight

    def spoil(grad):
        return (
            grad * float("nan") if diverging.iter == 7 else grad
        )  # the last of epoch 2

    weight.register_hook(spoil)
    with pytest.raises(ValueError, match=r"weight layers\.1\.weight is not finite"):
        diverging.train()
    assert [path.name for path in tmp_path.glob("*.pth")] == ["epoch_1.pth"]
    assert weights(tmp_path / "epoch_1.pth").isfinite().all()


def sorted_hooks():
    """The shipped hooks as a written config has them."""
    hooks = HOOKS.default_hooks.to_dict()
    return {name: hooks[name] for name in sorted(hooks)}


@pytest.mark.parametrize("part", ["state_dict", "ema_state_dict"])
def test_averaged_weights_are_looked_at_before_they_are_saved(part):
    state = SimpleNamespace(epoch=1, iter=9)
    good = {"state_dict": {"w": torch.ones(2)}, "ema_state_dict": {}}
    ratio = dict.fromkeys(["head.positive_ratio"], torch.tensor(math.nan))
    FiniteHook().before_save_checkpoint(state, {**good, part: ratio})
    with pytest.raises(ValueError, match=r"module\.w is not finite after epoch 1"):
        FiniteHook().before_save_checkpoint(
            state, {**good, part: {"module.w": torch.tensor([1, math.inf])}}
        )


def test_a_written_config_runs_its_hooks_in_the_same_order(tmp_path):
    built, orders = runner(tmp_path, 0), []
    for hooks in (HOOKS.default_hooks.to_dict(), sorted_hooks()):
        built._hooks = []
        built.register_default_hooks(hooks)
        orders.append([type(hook).__name__ for hook in built.hooks])
    assert orders[0] == orders[1]
    assert len(orders[0]) == len(HOOKS.default_hooks) + 1  # RuntimeInfoHook
    order = orders[0].index
    assert order("ValidatedHook") < order("CheckpointHook") < order("DueValidationHook")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("trian_cfg", "train_cfg"),
        ("load_form", "load_from"),
        ("custom_hook", "custom_hooks"),
        ("param_schedulers", "param_scheduler"),
    ],
)
def test_a_mistyped_field_is_an_error_with_the_nearest_name(name, meant):
    with pytest.raises(ValueError, match=f"'{name}'.*did you mean '{meant}'"):
        check_config(Config({name: 1}))


def test_a_config_may_have_variables_of_its_own():
    check_config(Config(dict(image_size=(64, 128), train_pipeline=[], schema="pa100k")))


@pytest.mark.parametrize("field", ["max_epochs", "max_iters", "val_interval"])
@pytest.mark.parametrize("value", [0, -1])
def test_a_training_of_no_length_is_an_error(field, value):
    with pytest.raises(ValueError, match=rf"train_cfg\.{field} is {value}"):
        check_config(Config(dict(train_cfg={field: value})))
    check_config(Config(dict(train_cfg={field: 1})))


@pytest.mark.slow
@pytest.mark.parametrize("method", kill_and_resume.METHODS)
def test_a_killed_training_ends_as_the_undisturbed_one(tmp_path, method):
    config = kill_and_resume.tiny_config(tmp_path, method, workers=1, num_train=8)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    seconds = kill_and_resume.undisturbed(config, whole)
    chance = random.Random(method)
    later = chance.uniform(0, 0.5) * seconds / kill_and_resume.EPOCHS
    moment = kill_and_resume.Moment(chance.choice([1, 2, 3]), later)
    kill_and_resume.disturbed(config, killed, [moment])
    told = kill_and_resume.log_of(killed).read_text()
    resumed = int(re.search(r"resumed epoch: (\d)", told).group(1))
    assert moment.epoch <= resumed < kill_and_resume.EPOCHS
    assert not kill_and_resume.differences(config, whole, killed)
