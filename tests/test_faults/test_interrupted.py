"""SIGINT and SIGTERM leave a checkpoint from which a training goes on exactly."""

import os
import signal
import threading
import time
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop

from mmpar.engine import CheckpointHook, ResumableEpochLoop
from mmpar.engine.hooks import TrainingRecordHook
from mmpar.utils.checkpoint_files import load_from_local
from mmpar.utils.checkpoint_search import resolve_resume
from tests.test_engine.noisy_training import Noise, Scores, runner, weights
from tests.test_engine.tiny_training import log_of

INT, TERM = signal.SIGINT, signal.SIGTERM
EPOCHS, ITERATIONS = 3, 12  # of 4 iterations each, and as many in one go


@pytest.fixture(autouse=True)
def _in_the_foreground():
    """As a terminal starts a process; a shell has background jobs ignore SIGINT."""
    before = signal.signal(INT, signal.default_int_handler)
    yield
    signal.signal(INT, before)


class SignalAt(Hook):
    """Signals this process while an iteration, a validation or a save is under way."""

    priority = "VERY_HIGH"

    def __init__(self, iteration, number=TERM, during="train"):
        self.iteration = iteration
        self.number = number
        self.during = during

    def _signal(self, runner, during):
        if runner.iter == self.iteration and during == self.during:
            os.kill(os.getpid(), self.number)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self._signal(runner, "train")

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        self._signal(runner, "val")

    def before_save_checkpoint(self, runner, checkpoint):
        self._signal(runner, "save")


def interrupted(work_dir, hook, **fields):
    """Train until the signal; the status that the process would have ended with."""
    before = [signal.getsignal(one) for one in (INT, TERM)]
    with pytest.raises(SystemExit) as ended:
        runner(work_dir, hooks=[hook], **fields).train()
    assert [signal.getsignal(one) for one in (INT, TERM)] == before
    return ended.value.code


def resume(work_dir, **fields):
    """Resume from what --resume would find, to the end."""
    cfg = Config(dict(resume="auto", work_dir=str(work_dir)))
    path = resolve_resume(cfg, pytest.fail)
    runner(work_dir, resume=path, **fields).train()
    return os.path.basename(path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The last weights and the files of a whole training, epoch- or iteration-based."""
    found = {}
    for by_epoch, steps in ((True, EPOCHS), (False, ITERATIONS)):
        folder = tmp_path_factory.mktemp("whole")
        runner(folder, 0, by_epoch, steps=steps, val=True).train()
        found[by_epoch] = files(folder)
    return found


def files(folder):
    """Name to weights of each checkpoint in a folder."""
    return {path.name: weights(path) for path in folder.glob("*.pth")}


def require_same(folder, expected):
    found = files(folder)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name
    assert not [*folder.glob(".*.part")]


# The first iteration, within and at the ends of epochs of 4, the last but one.
@pytest.mark.parametrize(
    ("by_epoch", "iteration"),
    [(True, 0), (True, 3), (True, 5), (True, 10), (False, 0), (False, 3), (False, 7)],
)
def test_an_interrupted_training_goes_on_with_the_next_batch(
    tmp_path, undisturbed, by_epoch, iteration
):
    number, workers = [(INT, 0), (TERM, 2)][iteration % 2]
    steps = EPOCHS if by_epoch else ITERATIONS
    fields = dict(workers=workers, by_epoch=by_epoch, steps=steps, val=True)
    status = interrupted(tmp_path, SignalAt(iteration, number), **fields)
    assert status == 128 + number
    saved = load_from_local(str(tmp_path / "interrupted.pth"))
    assert saved["meta"]["iter"] == iteration + 1
    assert (tmp_path / "last_checkpoint").read_text().endswith("interrupted.pth")
    assert resume(tmp_path, **fields) == "interrupted.pth"
    require_same(tmp_path, undisturbed[by_epoch])


@pytest.mark.parametrize("during", ["val", "save"])
def test_a_signal_in_a_validation_or_a_save_loses_neither(
    tmp_path, undisturbed, during
):
    fields = dict(workers=0, steps=EPOCHS, val=True)
    hook = SignalAt(8, during=during)
    assert interrupted(tmp_path, hook, **fields) == 128 + TERM
    assert resume(tmp_path, **fields) == "epoch_2.pth"
    require_same(tmp_path, undisturbed[True])


def test_interrupted_again_and_again_it_ends_the_same(tmp_path, undisturbed):
    fields = dict(workers=0, steps=EPOCHS, val=True)
    interrupted(tmp_path, SignalAt(1), **fields)
    for iteration in (2, 5, 6, 9):
        path = tmp_path / "interrupted.pth"
        interrupted(tmp_path, SignalAt(iteration), resume=path, **fields)
    resume(tmp_path, **fields)
    require_same(tmp_path, undisturbed[True])


def test_an_epoch_that_was_interrupted_is_validated_only_at_its_end(
    tmp_path, monkeypatch
):
    validated = []
    monkeypatch.setattr(
        Scores,
        "compute_metrics",
        lambda self, results: validated.append(Scores.epoch) or dict(mA=1.0),
    )
    interrupted(tmp_path, SignalAt(5), workers=0, val=True)
    resume(tmp_path, workers=0, val=True)
    assert validated == [1, 2, 3]


def test_a_training_by_a_strategy_saves_nothing_that_it_could_not_resume(tmp_path):
    built = runner(tmp_path, 0, hooks=[SignalAt(5)])
    built.strategy = object()
    with pytest.raises(SystemExit):
        built.train()
    assert [*files(tmp_path)] == ["epoch_1.pth"]
    assert "nothing since the last checkpoint is saved" in log_of(built)


@pytest.mark.parametrize("name", ["EpochBasedTrainLoop", EpochBasedTrainLoop])
def test_the_loop_of_mmengine_by_name_is_resumed_within_an_epoch(tmp_path, name):
    built = runner(tmp_path, 0)
    loop = built.build_train_loop(dict(type=name, max_epochs=2, val_interval=2))
    assert type(loop) is ResumableEpochLoop
    assert (loop.max_epochs, loop.val_interval) == (2, 2)


class OwnLoop(EpochBasedTrainLoop):
    """Of a user, who need not know of interrupted epochs."""


def test_another_loop_is_not_begun_within_an_epoch(tmp_path):
    interrupted(tmp_path, SignalAt(5), workers=0)
    built = runner(tmp_path, 0, resume=tmp_path / "interrupted.pth")
    built._train_loop = dict(type=OwnLoop, max_epochs=3)
    with pytest.raises(ValueError, match=r"interrupted\.pth .* where OwnLoop cannot"):
        built.train()


@pytest.mark.parametrize("start", ["epoch_1", "interrupted"])
@pytest.mark.parametrize("batch_size", [2, 4])
def test_another_number_of_batches_per_epoch_is_a_warning(tmp_path, start, batch_size):
    interrupted(tmp_path, SignalAt(5), workers=0)
    built = runner(tmp_path, 0, resume=tmp_path / f"{start}.pth")
    built._train_dataloader["batch_size"] = batch_size
    built.train()
    warned = "the batch size, the number of processes or the images were others"
    assert (warned in log_of(built)) == (batch_size == 4)


@pytest.mark.parametrize("meta", [dict(), dict(batches_of_epoch=2)])
def test_weights_within_an_epoch_are_not_the_best_of_the_epoch_before(meta):
    hub = SimpleNamespace(
        runtime_info=dict(best_ckpt="best_par_mA_epoch_2.pth", best_score=70.0)
    )
    saver = CheckpointHook(save_best="par/mA", rule="greater")
    record = TrainingRecordHook()
    record.training_data, record.val_split = None, "val"
    meta = dict(meta, epoch=2, iter=10)
    state = SimpleNamespace(hooks=[saver], message_hub=hub)
    record.before_save_checkpoint(state, dict(meta=meta))
    assert (meta["chosen_by"] is None) == ("batches_of_epoch" in meta)


class Twice(SignalAt):
    """Signals, and once more after some seconds."""

    seconds = 0.0

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        super().before_train_iter(runner, batch_idx)
        time.sleep(self.seconds)
        super().before_train_iter(runner, batch_idx)


def test_a_second_ctrl_c_stops_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(Twice, "seconds", 0.6)
    with pytest.raises(KeyboardInterrupt):
        runner(tmp_path, 0, hooks=[Twice(0, INT)]).train()
    assert not (tmp_path / "interrupted.pth").exists()


@pytest.mark.parametrize(("number", "seconds"), [(INT, 0.0), (TERM, 0.0), (TERM, 0.6)])
def test_a_signal_that_comes_twice_still_saves(tmp_path, monkeypatch, number, seconds):
    monkeypatch.setattr(Twice, "seconds", seconds)
    assert interrupted(tmp_path, Twice(0, number), workers=0) == 128 + number
    assert (tmp_path / "interrupted.pth").exists()


def test_a_signal_after_the_last_save_ends_the_process_all_the_same(tmp_path):
    class AtTheEnd(Hook):
        def after_train(self, runner):
            os.kill(os.getpid(), INT)

    with pytest.raises(KeyboardInterrupt):
        runner(tmp_path, 0, hooks=[AtTheEnd()]).train()
    assert (tmp_path / "epoch_3.pth").exists()


def test_a_training_in_the_background_goes_on_ignoring_ctrl_c(tmp_path):
    signal.signal(INT, signal.SIG_IGN)
    runner(tmp_path, 0, hooks=[SignalAt(1, INT)]).train()
    assert signal.getsignal(INT) == signal.SIG_IGN
    assert (tmp_path / "epoch_3.pth").exists()


def test_a_training_in_a_thread_leaves_signals_alone(tmp_path):
    training = threading.Thread(target=runner(tmp_path, 0).train)
    training.start()
    training.join()
    assert (tmp_path / "epoch_3.pth").exists()


def signalled(self, index, item=Noise.__getitem__):
    """A sample of a worker that gets what is sent to all processes."""
    if torch.utils.data.get_worker_info() is not None:
        for number in (INT, TERM):
            os.kill(os.getpid(), number)
    return item(self, index)


# Workers are forked before or after the training listens to signals.
@pytest.mark.parametrize(("by_epoch", "last"), [(True, "epoch_3"), (False, "iter_3")])
def test_workers_outlive_a_signal_to_all_processes(
    tmp_path, monkeypatch, by_epoch, last
):
    monkeypatch.setattr(Noise, "__getitem__", signalled)
    runner(tmp_path, 2, by_epoch).train()
    assert (tmp_path / f"{last}.pth").exists()
