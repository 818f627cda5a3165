"""Where one of several processes fails, all end within a minute, and none is left."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
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
    config = endless_training(tmp_path)
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


def endless_training(folder: Path) -> Path:
    """The config of a training on sixteen drawn people, written as images."""
    people = SyntheticPAR(
        num_samples=16, split="train", pipeline=[dict(type="DrawSyntheticPerson")]
    )
    lines = [",".join(["path", *SCHEMAS["pa100k"].names])]
    for i, person in enumerate(people):
        cv2.imwrite(str(folder / f"{i}.png"), person["img"])
        lines.append(",".join([f"{i}.png", *(f"{v:.0f}" for v in person["gt_score"])]))
    (folder / "list.csv").write_text("\n".join(lines))
    more = ENDLESS.format(folder=str(folder))
    return write_thin_config("linear", folder, more=more)


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
        (lose_the_work_dir, "Not a directory: "),
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


@pytest.mark.slow
def test_two_machines_train_together_and_end_where_one_is_lost(tmp_path):
    """The launcher of the second is killed, as if the machine had been."""
    config = endless_training(tmp_path)
    words = ["bash", REPOSITORY / "tools/dist_train.sh", config, 1]
    words += ["--work-dir", tmp_path / "work"]
    two = dict(environment(), NNODES="2", MASTER_ADDR="127.0.0.1")
    log = (tmp_path / "log").open("w")
    machines = [
        subprocess.Popen(
            list(map(str, words)), env=dict(two, NODE_RANK=n), stdout=log, stderr=log
        )
        for n in "01"
    ]
    printed = Path(log.name).read_text
    family = []
    try:
        while not list(tmp_path.glob("work/epoch_*.pth")):
            assert all(machine.poll() is None for machine in machines), printed()
            time.sleep(0.1)
        family = [pid for machine in machines for pid in descendants(machine.pid)]
        assert len(family) == 6  # each: torchrun, the training, its worker
        os.kill(children(machines[1].pid)[0], signal.SIGKILL)
        end = time.monotonic() + LIMIT
        for machine in machines:
            assert machine.wait(end - time.monotonic()) != 0
        while any(map(is_alive, family)) and time.monotonic() < end:
            time.sleep(0.1)
        print(f"ended after {LIMIT - end + time.monotonic():.1f} s")
        assert not any(map(is_alive, family))
        assert "2 processes" in printed()
        assert "Root Cause" in printed()
        # The orphan is told to stop, and both agree to.
        assert "its state is in" in printed()
    finally:
        for pid in filter(is_alive, [*family, *(m.pid for m in machines)]):
            os.kill(pid, signal.SIGKILL)


def descendants(parent: int) -> list[int]:
    """Processes that a process started, and those that these did."""
    own = children(parent)
    return own + [pid for child in own for pid in descendants(child)]


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
