"""Kills trainings at seeded random moments, resumes them, compares with undisturbed.

python -m tests.kill_and_resume FOLDER --runs 20
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.config import Config

from mmpar.utils.checkpoint_files import load_from_local
from mmpar.utils.checkpoint_search import find_checkpoint_to_test
from tests.fixtures.trained import write_thin_config
from tests.test_tools.run import REPOSITORY, start_python

METHODS = ("linear", "sspnet-learned")
EPOCHS = 5
AUGMENTED = """
default_hooks = dict(
    logger=dict(interval=1),
    ema=dict(type="EMAHook", ema_type="ExponentialMovingAverage", momentum=0.1,
             priority="ABOVE_NORMAL"),
)
train_pipeline = [
    dict(type="DrawSyntheticPerson"),
    dict(type="Resize", scale=(64, 128)),
    dict(type="RandomCrop", crop_size=(128, 64), padding=10),
    dict(type="RandomFlip", prob=0.5, direction="horizontal"),
    dict(type="PackPARInputs"),
]
train_dataloader.update(
    num_workers={workers}, persistent_workers={workers} > 0,
    dataset=dict(num_samples={num_train}, pipeline=train_pipeline),
)
param_scheduler = [dict(type="CosineAnnealingLR", by_epoch=True, T_max={epochs},
                        convert_to_iter_based=True)]
"""


class Moment(NamedTuple):
    """When a training is killed: so many seconds after an epoch's checkpoint."""

    epoch: int
    """0 is the start."""
    seconds: float


def tiny_config(folder: Path, method: str, workers: int, num_train: int = 16) -> Path:
    """Write a shipped config's tiny form: flip, crop, dropout, EMA."""
    more = AUGMENTED.format(workers=workers, num_train=num_train, epochs=EPOCHS)
    if method != "linear":
        more += "model['head'].update(dropout=0.3)\n"
    return write_thin_config(method, folder, epochs=EPOCHS, more=more)


def start(config: Path, work_dir: Path, processes: int = 1) -> BaseProcess:
    """A training, resumed where there is something to go on from."""
    words = [REPOSITORY / "tools/train.py", config, "--resume", "--work-dir", work_dir]
    if processes > 1:
        torchrun = ["-m", "torch.distributed.run", "--standalone"]
        words = [*torchrun, f"--nproc_per_node={processes}", *words]
        words += ["--launcher", "pytorch"]
    with log_of(work_dir).open("a") as log:
        return start_python(words, log)


def log_of(work_dir: Path) -> Path:
    """What the trainings of a work dir printed."""
    return work_dir.parent / f"{work_dir.name}.log"


def undisturbed(config: Path, work_dir: Path, processes: int = 1) -> float:
    """Train; the seconds that it took."""
    began = time.monotonic()
    finish(start(config, work_dir, processes), work_dir)
    return time.monotonic() - began


def disturbed(
    config: Path, work_dir: Path, moments: list[Moment], processes: int = 1
) -> None:
    """Train with SIGKILL at a moment of each start, then to the end."""
    for moment in moments:
        process = start(config, work_dir, processes)
        while moment.epoch and not (work_dir / f"epoch_{moment.epoch}.pth").exists():
            assert process.exitcode is None, f"see {log_of(work_dir)}"
            time.sleep(0.01)
        process.join(moment.seconds)
        assert process.exitcode is None, f"at its end before it was killed: {moment}"
        for one in _family(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        process.join()
    finish(start(config, work_dir, processes), work_dir)


def finish(process: BaseProcess, work_dir: Path) -> None:
    """Wait for the end of a training that succeeds."""
    process.join()
    assert process.exitcode == 0, f"see {log_of(work_dir)}"


def _family(parent: int) -> list[int]:
    """A process and its children: torchrun's are in sessions of their own."""
    found = [parent]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            ppid = int(stat.read_text().rpartition(")")[2].split()[1])
            found += [int(stat.parent.name)] if ppid == parent else []
    return found


def differences(config: Path, one: Path, other: Path) -> list[str]:
    """What differs between two trainings: files, weights, optimizer, tested file."""
    names = [[p.name for p in sorted(folder.glob("*.pth"))] for folder in (one, other)]
    if names[0] != names[1]:
        return [f"{names[0]} became {names[1]}"]
    cfg, found = Config.fromfile(config), []
    tested = [
        Path(find_checkpoint_to_test(cfg, str(f), print)).name for f in (one, other)
    ]
    if tested[0] != tested[1]:
        found.append(f"{tested[0]} was tested, now {tested[1]}")
    for name in names[0]:
        first, second = (
            load_from_local(str(folder / name), map_location="cpu")
            for folder in (one, other)
        )
        for part in ("state_dict", "ema_state_dict", "optimizer", "param_schedulers"):
            ours, theirs = flat(first.get(part, {})), flat(second.get(part, {}))
            found += [
                f"{name}: {part}{key}"
                for key in sorted(ours.keys() | theirs.keys())
                if not same(ours.get(key), theirs.get(key))
            ]
    return found


def flat(value, name: str = "") -> dict:
    """The leaves of nested dicts and lists by their path."""
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {k: v for n, x in items for k, v in flat(x, f"{name}/{n}").items()}
    return {name: value}


def same(one, other) -> bool:
    """Equal to the bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    return one == other


def main() -> None:
    """Report each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a new folder for the trainings")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1, help="joined by gloo")
    args = parser.parse_args()
    args.folder.mkdir(parents=True)
    rng = random.Random(args.seed)
    equal = 0
    durations = {}
    for run in range(args.runs):
        name = METHODS[run % len(METHODS)]
        config = tiny_config(args.folder, name, workers=run // 2 % 2)
        if name not in durations:  # all workers are to give the same
            durations[name] = undisturbed(config, args.folder / name, args.processes)
        epoch = rng.randrange(EPOCHS)
        moments = [Moment(epoch, rng.uniform(0, 0.5) * durations[name] / EPOCHS)]
        work_dir = args.folder / f"{name}_{run}"
        disturbed(config, work_dir, moments, args.processes)
        differ = differences(config, args.folder / name, work_dir)
        equal += not differ
        print(f"{run} {name} killed at {moments}: {differ[:3] or 'equal'}", flush=True)
    print(f"{equal} of {args.runs} equal")


if __name__ == "__main__":
    main()
