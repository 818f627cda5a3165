"""A training that is killed and resumed ends as if nothing had happened."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook

from mmpar.engine import IterationSeedHook
from mmpar.engine.hooks import iteration_seed_hook
from mmpar.utils import seeding
from mmpar.utils.checkpoint_files import load_from_local
from mmpar.utils.config import check_config
from tests.test_engine.noisy_training import HOOKS, Noise, Scores, runner, weights
from tests.test_engine.tiny_training import log_of


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


@pytest.mark.parametrize(("counts", "left"), [(1, 0), (3, 2), (4, 0), (5, 3)])
def test_gradients_that_no_step_has_used_are_resumed(tmp_path, counts, left):
    """Of the 8 iterations before the last epoch, some were not stepped by."""
    runner(tmp_path / "whole", 0, accumulative_counts=counts).train()
    start = tmp_path / "whole" / "epoch_2.pth"
    assert ("gradients" in load_from_local(str(start))) == (left > 0)
    built = runner(tmp_path / "rest", 0, resume=start, accumulative_counts=counts)
    built.train()
    ends = [weights(tmp_path / run / "epoch_3.pth") for run in ("whole", "rest")]
    assert torch.equal(*ends)
    log = log_of(built)
    assert "gradient of some iterations is lost" not in log
    assert "without the gradients" not in log


@pytest.mark.parametrize(("counts", "lost"), [(1, False), (3, True), (4, False)])
def test_gradients_of_several_processes_are_lost_with_a_warning(
    tmp_path, monkeypatch, counts, lost
):
    number = "mmpar.engine.hooks.resume_hook.get_world_size"
    with monkeypatch.context() as several:
        several.setattr(number, lambda: 2)
        runner(tmp_path / "whole", 0, accumulative_counts=counts).train()
    start = tmp_path / "whole" / "epoch_2.pth"
    built = runner(tmp_path / "rest", 0, resume=start, accumulative_counts=counts)
    built.train()
    assert ("goes on without them" in log_of(built)) == lost


def test_a_training_that_ended_with_a_step_has_lost_no_gradients(tmp_path):
    """After its 4 iterations, of which the last was stepped by alone."""
    runner(tmp_path / "short", 0, steps=1, accumulative_counts=3).train()
    start = tmp_path / "short" / "epoch_1.pth"
    built = runner(tmp_path / "more", 0, resume=start, accumulative_counts=3)
    built.train()
    assert "goes on without them" not in log_of(built)


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


class Skipping(torch.utils.data.SequentialSampler):
    """Passes samples over without their loading, as onedl-mmengine's does to resume."""

    begin = 0

    def skip(self, num_samples):
        self.begin = num_samples

    def __iter__(self):
        return iter([*super().__iter__()][self.begin :])


def test_samples_after_those_that_were_passed_over_are_drawn_as_before():
    batches = []
    for begin in (0, 4):
        sampler = Skipping(Noise())
        loader = torch.utils.data.DataLoader(Noise(), batch_size=2, sampler=sampler)
        seeding.seed_samples(loader, 3)
        sampler.skip(begin)
        batches.append([batch["inputs"] for batch in loader])
    assert len(batches[1]) == len(batches[0]) - 2 > 0
    torch.testing.assert_close(batches[1], batches[0][2:], rtol=0, atol=0)


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


def test_the_checkpoint_of_a_validation_that_was_cut_off_learns_of_its_best(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(Scores, "compute_metrics", _score_of_epoch([1, 2, 3]))
    with pytest.raises(Killed):
        runner(tmp_path, 0, val=True, hooks=[killed_in_validation(3)]).train()
    runner(tmp_path, 0, resume=tmp_path / "epoch_3.pth", val=True).train()
    hub = load_from_local(str(tmp_path / "epoch_3.pth"))["message_hub"]
    assert hub["runtime_info"]["best_score"] == 3


def _score_of_epoch(scores, note=lambda epoch: None):
    def compute(self, results):
        note(Scores.epoch)
        return dict(mA=scores[Scores.epoch - 1])

    return compute


def sorted_hooks():
    """The shipped hooks as a written config has them."""
    hooks = HOOKS.default_hooks.to_dict()
    return {name: hooks[name] for name in sorted(hooks)}


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


@pytest.mark.parametrize("value", ["no", "false", "torch", 1])
def test_a_layout_is_no_word(value):
    with pytest.raises(ValueError, match="channels_last must be True or False, found"):
        check_config(Config(dict(channels_last=value)))


def test_a_hook_of_an_older_mmpar_is_named_with_what_is_written_now():
    hooks = dict(channels_last=dict(type="ChannelsLastHook"))
    with pytest.raises(ValueError, match=r"the config has .* set channels_last = True"):
        check_config(Config(dict(default_hooks=hooks)))


def test_a_config_may_have_variables_of_its_own():
    check_config(Config(dict(image_size=(64, 128), train_pipeline=[], schema="pa100k")))


@pytest.mark.parametrize("field", ["max_epochs", "max_iters", "val_interval"])
@pytest.mark.parametrize("value", [0, -1])
def test_a_training_of_no_length_is_an_error(field, value):
    with pytest.raises(ValueError, match=rf"train_cfg\.{field} is {value}"):
        check_config(Config(dict(train_cfg={field: value})))
    check_config(Config(dict(train_cfg={"by_epoch": True, field: 1})))
