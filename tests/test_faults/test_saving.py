"""A fault while a checkpoint is saved costs none that was there."""

import errno
import os
import shutil
import subprocess
from functools import partial

import pytest
import torch
from mmengine.config import Config
from mmengine.fileio import LocalBackend

from mmpar.engine import CheckpointHook
from mmpar.utils import atomic
from mmpar.utils.checkpoint_files import load_from_local, load_mapped
from mmpar.utils.checkpoint_search import LAST, resolve_resume
from tests.test_engine.noisy_training import Scores, runner, weights


class Killed(Exception):
    """Stands for the end of the process, after which nothing is done."""


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 1 MiB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no disk can be mounted here: {error}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk, leave):
    """Write a file that leaves so many bytes of a disk."""
    size = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - leave
    (disk / "other").write_bytes(b"0" * size)


def rising(monkeypatch):
    """Each epoch is the best."""
    scores = iter(range(1, 100))
    monkeypatch.setattr(
        Scores, "compute_metrics", lambda self, results: dict(mA=next(scores))
    )


def checkpoints(folder):
    """Name to weights of each file but logs."""
    return {path.name: weights(path) for path in folder.glob("*.pth")}


def same(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(one[name], other[name]) for name in one
    )


class FillAt:
    """Fills the disk after so many saves."""

    def __init__(self, monkeypatch, disk, saves, leave):
        self.saves = saves
        save = CheckpointHook.before_save_checkpoint

        def before(hook, runner, checkpoint):
            self.saves -= 1
            if self.saves == 0:
                self.before = checkpoints(disk / "run")
                fill(disk, leave)
            save(hook, runner, checkpoint)

        monkeypatch.setattr(CheckpointHook, "before_save_checkpoint", before)


# Of the third epoch: its checkpoint, the best, and the checkpoint with the new best.
@pytest.mark.parametrize("save", [7, 8, 9])
@pytest.mark.parametrize("leave", [0, 2000])
def test_a_full_disk_stops_the_run_and_leaves_every_checkpoint(
    small_disk, monkeypatch, tmp_path, save, leave
):
    fields = dict(workers=0, steps=4, val=True)
    rising(monkeypatch)
    runner(tmp_path / "whole", **fields).train()
    rising(monkeypatch)
    run = small_disk / "run"
    with monkeypatch.context() as patch:
        full = FillAt(patch, small_disk, save, leave)
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            runner(run, **fields).train()
    left = checkpoints(run)
    assert same(left, full.before)
    assert len(left) >= 3  # two epochs and the best
    (small_disk / "other").unlink()
    Scores.compute_metrics = lambda self, results: dict(mA=Scores.epoch)
    runner(run, resume=last(run), **fields).train()
    assert same(checkpoints(run), checkpoints(tmp_path / "whole"))


def last(folder, say=pytest.fail):
    return resolve_resume(Config(dict(resume="auto", work_dir=str(folder))), say)


@pytest.mark.parametrize("keep", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_killed_at_any_call_that_writes_or_deletes_it_ends_the_same(
    tmp_path, monkeypatch, keep
):
    """Every moment between two such calls at the second epoch's end, one by one."""
    monkeypatch.setattr(Scores, "compute_metrics", _score)
    whole = tmp_path / "whole"
    train(whole, keep)
    for count in range(100):
        run = tmp_path / str(count)
        with monkeypatch.context() as patch:
            try:
                train(run, keep, prepare=partial(kill_at, patch, count))
            except Killed:
                assert [*run.glob("epoch_*.pth")]
            else:
                break
        train(run, keep, resume=last(run))
        assert same(checkpoints(run), checkpoints(whole)), count
        assert not [*run.glob(".*.part")], count
    assert count >= 8  # three checkpoints and the record renamed, two deleted


def _score(self, results):
    return dict(mA=Scores.epoch)


def train(folder, keep, resume=None, prepare=lambda built: None):
    built = runner(folder, 0, resume=resume, val=True, steps=2)
    (hook,) = (hook for hook in built.hooks if isinstance(hook, CheckpointHook))
    hook.max_keep_ckpts = keep
    prepare(built)
    built.train()


def kill_at(monkeypatch, count, built):
    """End the process at one of the calls, counted from the end of the first epoch."""
    calls = iter(range(1000))

    def killing(function):
        def call(*args, **kwargs):
            if built.epoch >= 1 and next(calls) == count:
                raise Killed
            return function(*args, **kwargs)

        return call

    monkeypatch.setattr(os, "replace", killing(os.replace))
    monkeypatch.setattr(atomic, "delete", lambda part: None)  # a dead process does not
    monkeypatch.setattr(LocalBackend, "remove", killing(LocalBackend.remove))
    monkeypatch.setattr(atomic, "_sync_folder", killing(atomic._sync_folder))


def test_the_torn_newest_checkpoint_is_passed_over_and_no_file_is_loaded_twice(
    tmp_path, monkeypatch
):
    runner(tmp_path, 0).train()
    newest = tmp_path / "epoch_3.pth"
    newest.write_bytes(newest.read_bytes()[:-300])
    loaded, load, said = [], torch.load, []

    def noting(file, *args, **kwargs):
        if not kwargs.get("mmap"):
            loaded.append(os.path.basename(str(file)))
        return load(file, *args, **kwargs)

    monkeypatch.setattr(torch, "load", noting)
    path = last(tmp_path, said.append)
    assert loaded == []
    assert "epoch_3.pth is not whole" in said[0]
    assert "Looking for another" in said[0]
    runner(tmp_path, 0, resume=path).train()
    assert loaded == ["epoch_2.pth"]


def test_a_byte_that_the_disk_changed_in_a_tensor_is_found_without_loading(tmp_path):
    runner(tmp_path, 0).train()
    newest = tmp_path / "epoch_3.pth"
    weight = load_from_local(str(newest))["state_dict"]["layers.1.weight"]
    content = bytearray(newest.read_bytes())
    content[content.index(weight.numpy().tobytes())] ^= 1
    newest.write_bytes(content)
    with pytest.raises(ValueError, match=r"epoch_3\.pth is damaged: the checksum"):
        load_mapped(str(newest))
    assert last(tmp_path, lambda text: None).endswith("epoch_2.pth")


def test_a_record_that_a_kill_left_empty_is_no_obstacle(tmp_path):
    runner(tmp_path, 0).train()
    (tmp_path / LAST).write_text("")
    assert last(tmp_path).endswith("epoch_3.pth")


@pytest.mark.parametrize("metrics", ["par/mA", ["par/mA", "par/F1"]])
def test_a_copied_work_dir_is_trained_on_without_touching_the_original(
    tmp_path, monkeypatch, metrics
):
    def score(self, results):
        return dict(mA=Scores.epoch, F1=Scores.epoch)

    def train(folder, steps, resume=None):
        built = runner(folder, 0, resume=resume, val=True, steps=steps)
        hooks = [h for h in built.hooks if not isinstance(h, CheckpointHook)]
        built._hooks = hooks
        saver = CheckpointHook(save_best=metrics, rule="greater", max_keep_ckpts=2)
        built.register_hook(saver)
        built.train()

    monkeypatch.setattr(Scores, "compute_metrics", score)
    original, copy = tmp_path / "original", tmp_path / "copy"
    train(original, 2)
    before = checkpoints(original)
    shutil.copytree(original, copy)
    train(copy, 3, last(copy))
    assert same(checkpoints(original), before)
    names = [name.replace("epoch_2", "epoch_3") for name in before if "best" in name]
    assert {*checkpoints(copy)} == {"epoch_2.pth", "epoch_3.pth", *names}
    elsewhere = tmp_path / "elsewhere"
    train(elsewhere, 3, last(original))
    assert same(checkpoints(original), before)
    assert {*checkpoints(elsewhere)} == {"epoch_3.pth", *names}
