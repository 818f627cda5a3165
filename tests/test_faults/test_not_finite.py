"""A training whose numbers are not finite stops, names the images and saves nothing."""

import logging
import math
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmpretrain.structures import DataSample

from mmpar.engine import CheckpointHook, FiniteHook
from tests.test_engine.noisy_training import Net, Noise, runner, weights

NAN, INF = math.nan, math.inf


class Named(Noise):
    """Samples with a path and a label, one of which may be odd."""

    odd: dict = {}

    def __getitem__(self, index):
        sample = DataSample(metainfo=dict(img_path=f"crops/{index}.jpg"))
        sample.set_gt_score(torch.tensor([1.0, self.odd.get(f"label {index}", 0.0)]))
        inputs = super().__getitem__(index)["inputs"]
        inputs[1] += self.odd.get(f"pixel {index}", 0.0)
        return dict(inputs=inputs, data_samples=sample)


class LabelNet(Net):
    """Its loss reads labels, too, and its gradient may be spoilt."""

    def forward(self, inputs, data_samples=None, mode="tensor"):
        losses = super().forward(inputs, mode)
        if mode == "loss":
            labels = torch.stack([sample.gt_score for sample in data_samples])
            losses["loss_labels"] = labels.sum() * 1e-3
        return losses


def named_runner(work_dir, hooks=(), **fields):
    built = runner(work_dir, 0, hooks=hooks, **fields)
    built.model.__class__ = LabelNet
    built.train_dataloader.dataset.__class__ = Named
    return built


class Spoil(Hook):
    """Makes a number wrong in iterations, as they are counted from 0."""

    def __init__(self, iteration, spoil):
        self.iteration = iteration
        self.spoil = spoil

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.iteration:
            self.batch = [sample.img_path for sample in data_batch["data_samples"]]
            self.spoil(runner)


def spoil_gradient(value):
    def spoil(runner):
        weight = runner.model.layers[1].weight
        handle = weight.register_hook(lambda grad: handle.remove() or grad * value)

    return spoil


def stopped(work_dir, match, hooks=(), **fields):
    """Train until it stops; the error, with the first epoch's checkpoint as it was."""
    with pytest.raises(ValueError, match=match) as stop:
        named_runner(work_dir, hooks, **fields).train()
    assert [path.name for path in work_dir.glob("*.pth")] == ["epoch_1.pth"]
    assert weights(work_dir / "epoch_1.pth").isfinite().all()
    return str(stop.value)


@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.parametrize("what", ["pixel", "label"])
def test_the_image_with_the_odd_value_is_named_and_no_other(
    tmp_path, monkeypatch, what, value
):
    class OddLater(Hook):
        def before_train_epoch(self, runner):
            odd = {f"{what} 5": value} if runner.epoch == 1 else {}
            monkeypatch.setattr(Named, "odd", odd)

    said = stopped(tmp_path, r"loss.* is (nan|inf) at epoch 2", [OddLater()])
    assert "images with a value that is not finite: crops/5.jpg. " in said


@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.parametrize("clip", [None, dict(max_norm=1.0)])
# Within an epoch, and in its last iteration, whose weights would be saved.
@pytest.mark.parametrize("iteration", [5, 7])
def test_a_gradient_stops_it_before_the_next_batch_and_names_its_own_images(
    tmp_path, value, clip, iteration
):
    spoil = Spoil(iteration, spoil_gradient(value))
    match = rf"gradient norm is (nan|inf) at epoch 2, iteration {iteration + 1}; images"
    said = stopped(tmp_path, match, [spoil], clip_grad=clip)
    assert f"images: {', '.join(spoil.batch)}. " in said


def test_all_batches_of_an_accumulated_gradient_are_named(tmp_path):
    spoil = Spoil(5, spoil_gradient(NAN))
    said = stopped(
        tmp_path, "gradient norm is nan .* iteration 8", [spoil], accumulative_counts=4
    )
    assert all(f"crops/{index}.jpg" in said for index in range(8))


def test_batches_are_not_kept_longer_than_their_step(tmp_path):
    built = named_runner(tmp_path)
    (hook,) = (hook for hook in built.hooks if isinstance(hook, FiniteHook))
    built.train()
    assert hook._batches == []


def test_where_amp_scales_gradients_it_is_left_to_skip_a_step(tmp_path):
    built = named_runner(tmp_path, [Spoil(5, spoil_gradient(INF))])
    wrapper = built.build_optim_wrapper(built.optim_wrapper)
    wrapper.loss_scaler = object()
    built.optim_wrapper = wrapper
    with pytest.raises(ValueError, match=r"loss is nan .*iteration 7"):
        built.train()  # nothing skips it here: the next loss shows it


def test_an_optimizer_without_hooks_is_said_to_go_unchecked(caplog):
    """Such as DeepSpeed's, which are no optimizers of torch."""
    wrapper = SimpleNamespace(optimizer=object())
    logger = logging.getLogger("finite")
    one = SimpleNamespace(optim_wrapper=wrapper, logger=logger, epoch=0, iter=0)
    hook = FiniteHook()
    hook.before_train(one)
    assert "not the gradients: object has no hooks" in caplog.text
    with pytest.raises(ValueError, match="loss is nan"):
        hook.after_train_iter(one, 0, {}, dict(loss=NAN))


def spoil_weight(runner):
    with torch.no_grad():
        runner.model.layers[1].bias.fill_(NAN)


def spoil_optimizer(runner):
    for state in runner.optim_wrapper.optimizer.state.values():
        state["exp_avg_sq"].fill_(INF)


class Later(Spoil):
    """After the iteration, when no loss shows it any more."""

    priority = "LOWEST"

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        pass

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == self.iteration:
            self.spoil(runner)


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (spoil_weight, r"weight layers\.1\.bias is not finite after epoch 1"),
        (spoil_optimizer, "optimizer's exp_avg_sq of parameter 0 is not finite"),
    ],
)
def test_what_no_loss_shows_is_found_before_it_is_saved(tmp_path, spoil, match):
    stopped(tmp_path, match, [Later(7, spoil)])


@pytest.mark.parametrize("name", ["module.w", "module.bn.running_var"])
def test_averaged_weights_are_looked_at_before_they_are_saved(name):
    hook, state = FiniteHook(), type("State", (), dict(epoch=1, iter=9))
    good = {"state_dict": {"w": torch.ones(2)}, "ema_state_dict": {}}
    unknown = {"module.head.positive_ratio": torch.tensor(NAN)}
    hook.before_save_checkpoint(state, {**good, "ema_state_dict": unknown})
    averaged = {name: torch.tensor([1, INF])}
    with pytest.raises(ValueError, match=rf"weight {name} is not finite after epoch 1"):
        hook.before_save_checkpoint(state, {**good, "ema_state_dict": averaged})


def test_nothing_that_is_not_finite_becomes_the_best(tmp_path):
    """Validated more often than it is saved, by scores that would be better."""
    built = named_runner(tmp_path, [Later(3, spoil_weight)], val=True)
    (hook,) = (hook for hook in built.hooks if isinstance(hook, CheckpointHook))
    hook.interval = 10
    with pytest.raises(ValueError, match="is not finite"):
        built.train()
    assert not [*tmp_path.glob("*.pth")]


def test_what_is_left_can_be_resumed_from(tmp_path):
    whole = named_runner(tmp_path / "whole")
    whole.train()
    odd = Spoil(6, spoil_gradient(NAN))
    (tmp_path / "odd").mkdir()
    stopped(tmp_path / "odd", "gradient norm is nan", [odd])
    named_runner(tmp_path / "odd", resume=tmp_path / "odd/epoch_1.pth").train()
    ends = [weights(tmp_path / run / "epoch_3.pth") for run in ("whole", "odd")]
    assert torch.equal(*ends)
