"""Where one of several processes fails, all end within a minute, and none is left."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import pytest

from mmpar.datasets import SyntheticPAR
from mmpar.structures import SCHEMAS
from tests.fixtures.trained import write_thin_config
from tests.test_tools.run import REPOSITORY, environment, start_python

pytestmark = pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="processes are found on Linux only"
)
LIMIT = 60
"""Seconds from a failure to the end of all."""

ENDLESS = """
train_cfg["max_epochs"] = 1000
default_hooks["checkpoint"] = dict(type="CheckpointHook", interval=1, max_keep_ckpts=1)
train_dataloader = dict(
    batch_size=4, num_workers=1, persistent_workers=True,
    dataset=dict(
        _delete_=True, type="AttributeListDataset", data_root={folder!r},
        ann_file="list.csv", schema="pa100k",
        pipeline=[
            dict(type="LoadPersonImage"), dict(type="Resize", scale=(64, 128)),
            dict(type="PackPARInputs"),
        ],
    ),
)
"""


class Job(NamedTuple):
    """Processes of one training, what they print, and where it is."""

    processes: list
    outputs: list
    folder: Path

    @property
    def work_dir(self) -> Path:
        """Where checkpoints are."""
        return self.folder / "work"

    def output(self, rank: int) -> str:
        """What a process printed."""
        self.outputs[rank].seek(0)
        return self.outputs[rank].read().decode()


@pytest.fixture
def job(tmp_path):
    """A training by two processes, with a worker each, that has begun."""
    write_images(tmp_path)
    more = ENDLESS.format(folder=str(tmp_path))
    config = write_thin_config("linear", tmp_path, more=more)
    words = [REPOSITORY / "tools/train.py", config, "--launcher", "pytorch"]
    words += ["--work-dir", tmp_path / "work"]
    group = dict(MASTER_ADDR="127.0.0.1", MASTER_PORT=environment()["PORT"])
    group |= dict(WORLD_SIZE="2", LOCAL_WORLD_SIZE="2")
    with tempfile.TemporaryFile() as one, tempfile.TemporaryFile() as other:
        started = [
            start_python(words, file, RANK=rank, LOCAL_RANK=rank, **group)
            for rank, file in (("0", one), ("1", other))
        ]
        job = Job(started, [one, other], tmp_path)
        try:
            while not list(job.work_dir.glob("epoch_*.pth")):
                assert all(process.exitcode is None for process in started), job.output(
                    0
                ) + job.output(1)
                time.sleep(0.05)
            yield job
        finally:
            for process in started:
                process.kill()
                process.join()


def write_images(folder: Path) -> None:
    """Sixteen drawn people and their list."""
    people = SyntheticPAR(
        num_samples=16, split="train", pipeline=[dict(type="DrawSyntheticPerson")]
    )
    lines = [",".join(["path", *SCHEMAS["pa100k"].names])]
    for i, person in enumerate(people):
        cv2.imwrite(str(folder / f"{i}.png"), person["img"])
        lines.append(",".join([f"{i}.png", *(f"{v:.0f}" for v in person["gt_score"])]))
    (folder / "list.csv").write_text("\n".join(lines))


def kill_a_process(job: Job) -> None:
    os.kill(job.processes[1].pid, signal.SIGKILL)


def kill_a_worker(job: Job) -> None:
    (worker,) = children(job.processes[1].pid)
    os.kill(worker, signal.SIGKILL)


def break_an_image(job: Job) -> None:
    (job.folder / "3.png").write_bytes(b"not an image")


def lose_the_work_dir(job: Job) -> None:
    shutil.rmtree(job.work_dir)
    job.work_dir.write_text("only the first process writes here")


@pytest.mark.parametrize(
    ("fail", "error"),
    [
        (kill_a_process, "gloo"),
        (kill_a_worker, "DataLoader worker (pid"),
        (break_an_image, "3.png"),
        (lose_the_work_dir, "work"),
    ],
)
def test_all_processes_end_with_the_error_of_one(job, fail, error):
    ranks = [process.pid for process in job.processes]
    family = [*ranks, *(child for rank in ranks for child in children(rank))]
    assert len(family) == 4
    fail(job)
    end = time.monotonic() + LIMIT
    for process in job.processes:
        process.join(max(0, end - time.monotonic()))
    printed = job.output(0) + job.output(1)
    assert all(process.exitcode not in (None, 0) for process in job.processes), printed
    assert error in printed
    while any(map(is_alive, family)) and time.monotonic() < end:
        time.sleep(0.1)
    print(f"{fail.__name__}: ended after {LIMIT - end + time.monotonic():.1f} s")
    assert not any(map(is_alive, family))


def children(parent: int) -> list[int]:
    """Processes that a process started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(status(folder)[1]) == parent:
                found.append(int(folder.name))
    return found


def is_alive(process: int) -> bool:
    """Whether it runs; who ended and was not asked for its status does not."""
    try:
        return status(Path(f"/proc/{process}"))[0] != "Z"
    except OSError:
        return False


def status(folder: Path) -> list[str]:
    """State, parent, and more."""
    return (folder / "stat").read_text().rpartition(")")[2].split()
