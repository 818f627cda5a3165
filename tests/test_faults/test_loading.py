"""Faults of what a training reads: a vanished folder, a worker that was killed."""

import os
import signal
import threading

import cv2
import numpy as np
import pytest
import torch
from mmengine.hooks import Hook

from mmpar.datasets.transforms import LoadPersonImage
from mmpar.deploy.preprocessing import read_image
from mmpar.engine import PARRunner, killed_workers
from mmpar.engine.killed_workers import naming_killed_workers
from mmpar.utils import patient_reading
from tests.test_engine.noisy_training import Net, Noise, Scores, runner, weights


@pytest.fixture
def folder(tmp_path):
    """Eight grey images, of 10, 20, ..."""
    folder = tmp_path / "images"
    folder.mkdir()
    for index in range(8):
        grey = np.full((4, 4, 3), 10 * (index + 1), np.uint8)
        cv2.imwrite(str(folder / f"{index}.png"), grey)
    return folder


class Images(Noise):
    """Noise that also depends on an image."""

    folder = None
    load = LoadPersonImage()

    def __getitem__(self, index):
        inputs = super().__getitem__(index)["inputs"]
        read = self.load.transform(dict(img_path=str(self.folder / f"{index}.png")))
        inputs[0] = float(read["img"].mean())
        return dict(inputs=inputs)


class Vanish(Hook):
    """Takes a folder away, whole or what is in it, for a second."""

    def __init__(self, folder, how):
        self.folder = folder
        self.how = how

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 5:
            vanish(self.folder, self.how)


def vanish(folder, how, seconds=1.0):
    away = folder.with_name("away")
    folder.rename(away)
    if how == "unmounted":  # its mount point stays
        folder.mkdir()

    def bring_back():
        if how == "unmounted":
            folder.rmdir()
        away.rename(folder)

    threading.Timer(seconds, bring_back).start()


def train(work_dir, images, workers=0, hooks=(), resume=None):
    Images.folder = images
    built = runner(work_dir, workers, hooks=hooks, resume=resume)
    built.train_dataloader.dataset.__class__ = Images
    built.train()
    return weights(work_dir / "epoch_3.pth")


@pytest.mark.parametrize(("how", "workers"), [("gone", 0), ("unmounted", 1)])
def test_a_training_waits_for_its_images_and_ends_the_same(
    tmp_path, folder, how, workers
):
    undisturbed = train(tmp_path / "whole", folder)
    disturbed = train(tmp_path / "less", folder, workers, [Vanish(folder, how)])
    assert torch.equal(undisturbed, disturbed)


def test_a_folder_that_does_not_come_back_stops_a_training_that_can_be_resumed(
    tmp_path, folder, monkeypatch
):
    monkeypatch.setattr(patient_reading, "PATIENCE", 0.1)
    undisturbed = train(tmp_path / "whole", folder)
    gone = Vanish(folder, "gone")
    with pytest.raises(FileNotFoundError, match=r"\d\.png"):
        train(tmp_path / "less", folder, hooks=[gone])
    while not folder.exists():
        pass
    kept = tmp_path / "less" / "epoch_1.pth"
    assert torch.equal(undisturbed, train(tmp_path / "less", folder, resume=kept))


@pytest.mark.parametrize("read", [read_image, Images.load])
def test_a_reader_says_that_it_waits(folder, read):
    def pixels(index):
        path = str(folder / f"{index}.png")
        if read is read_image:
            return read(path)
        return read.transform(dict(img_path=path))["img"]

    pixels(0)
    vanish(folder, "gone", 0.2)
    with pytest.warns(UserWarning, match="images has vanished; waiting up to 60 s"):
        assert (pixels(3) == 40).all()


def test_what_was_never_there_is_an_error_at_once(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(patient_reading.time, "sleep", pytest.fail)
    reader = LoadPersonImage()
    read_image(str(folder / "0.png"))
    for path in (folder / "9.png", tmp_path / "mistyped" / "0.png"):
        with pytest.raises(FileNotFoundError):
            reader.transform(dict(img_path=str(path)))


class Killing(Noise):
    """A worker that is killed at its third sample, as the system does for memory."""

    drawn = 0

    def __getitem__(self, index):
        if torch.utils.data.get_worker_info() is not None:
            Killing.drawn += 1
            if Killing.drawn == 3:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(index)


def test_a_killed_worker_stops_a_training_that_can_be_resumed(tmp_path):
    runner(tmp_path / "whole", 0).train()
    built = runner(tmp_path / "less", 0, steps=1)
    built.train()
    kept = tmp_path / "less" / "epoch_1.pth"
    built = runner(tmp_path / "less", 2, resume=kept)
    built.train_dataloader.dataset.__class__ = Killing
    match = r"a process that loads images was killed \(.*lower .*num_workers"
    with pytest.raises(RuntimeError, match=match):
        built.train()
    assert [path.name for path in (tmp_path / "less").glob("*.pth")] == [kept.name]
    runner(tmp_path / "less", 2, resume=kept).train()
    ends = [weights(tmp_path / run / "epoch_3.pth") for run in ("whole", "less")]
    assert torch.equal(*ends)


@pytest.mark.parametrize("kind", [EOFError, ConnectionResetError])
def test_a_killed_worker_is_named_also_where_its_pipe_is_noticed_first(
    kind, monkeypatch
):
    monkeypatch.setattr(killed_workers, "_PATIENCE", 60)
    loader = torch.utils.data.DataLoader([1.0] * 8, num_workers=1)
    batches = iter(loader)
    next(batches)
    (worker,) = batches._workers
    threading.Timer(0.2, worker.kill).start()
    named = pytest.raises(RuntimeError, match=r"killed \(.*memory, use fewer")
    with named, naming_killed_workers("use fewer"):
        raise kind


def test_a_pipe_that_ends_for_another_reason_stays_its_error(monkeypatch):
    monkeypatch.setattr(killed_workers, "_PATIENCE", 0.1)
    kept = pytest.raises(EOFError, match="of an image")
    with kept, naming_killed_workers("use fewer"):
        raise EOFError("of an image")


@pytest.mark.parametrize("part", ["val", "test"])
def test_a_killed_worker_of_an_evaluation_has_its_own_remedy(tmp_path, part):
    loader = dict(
        batch_size=2,
        num_workers=1,
        dataset=Killing(),
        sampler=dict(type="DefaultSampler", shuffle=False),
    )
    built = PARRunner(
        model=Net(),
        work_dir=str(tmp_path),
        default_scope="mmpar",
        experiment_name=str(tmp_path),
        **{
            f"{part}_dataloader": loader,
            f"{part}_cfg": dict(),
            f"{part}_evaluator": [Scores()],
        },
    )
    with pytest.raises(RuntimeError, match=rf"memory, lower {part}_dataloader\.num"):
        getattr(built, part)()
