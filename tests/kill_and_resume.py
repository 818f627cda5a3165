"""Kills trainings at seeded random moments, resumes them, compares with undisturbed.

python -m tests.kill_and_resume FOLDER --runs 20
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch
from mmengine.config import Config

from mmpar.utils.checkpoint_files import load_from_local
from mmpar.utils.checkpoint_search import find_checkpoint_to_test

ROOT = Path(__file__).parents[1]
TINY = """
_base_ = "{root}/configs/{config}.py"
default_hooks = dict(
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
train_dataloader = dict(
    batch_size=4, num_workers={workers}, persistent_workers={workers} > 0,
    dataset=dict(num_samples=16, pipeline=train_pipeline),
)
val_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(num_samples=24)
)
param_scheduler = [dict(type="CosineAnnealingLR", by_epoch=True, T_max=5,
                        convert_to_iter_based=True)]
train_cfg = dict(by_epoch=True, max_epochs=5, val_interval=1)
"""
THIN = "backbone=dict(base_channels=8, stem_channels=8)"
CONFIGS = {
    "linear": (
        "baseline/baseline_r18_synthetic",
        f"model = dict({THIN}, head=dict(in_channels=64))",
    ),
    "sspnet": (
        "sspnet/sspnet-learned_r18_synthetic",
        f"model = dict({THIN}, neck=dict(in_channels=(8, 16, 32, 64), out_channels=16),"
        " head=dict(in_channels=16, dropout=0.3))",
    ),
}
"""A shipped config, and what makes its model small."""


def tiny_config(folder: Path, name: str, workers: int) -> Path:
    """Write a shipped config's tiny form: flip, crop, dropout, EMA."""
    path = folder / f"{name}.py"
    config, small = CONFIGS[name]
    path.write_text(TINY.format(root=ROOT, config=config, workers=workers) + small)
    return path


def start(config: Path, work_dir: Path, processes: int = 1) -> subprocess.Popen:
    """A training, resumed where there is something to go on from."""
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone"]
        command += [f"--nproc_per_node={processes}"]
    command += [ROOT / "tools/train.py", config, "--resume", "--work-dir", work_dir]
    if processes > 1:
        command += ["--launcher", "pytorch"]
    with (work_dir.parent / f"{work_dir.name}.log").open("a") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)


def undisturbed(config: Path, work_dir: Path, processes: int = 1) -> float:
    """Train; the seconds that it took."""
    began = time.monotonic()
    assert start(config, work_dir, processes).wait() == 0, f"see {work_dir}.log"
    return time.monotonic() - began


def disturbed(
    config: Path, work_dir: Path, moments: list[float], processes: int = 1
) -> None:
    """Train with SIGKILL after so many seconds of each start, then to the end."""
    for seconds in moments:
        process = start(config, work_dir, processes)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            for one in _family(process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
            process.wait()
    assert start(config, work_dir, processes).wait() == 0, f"see {work_dir}.log"


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
        name = list(CONFIGS)[run % len(CONFIGS)]
        config = tiny_config(args.folder, name, workers=run // 2 % 2)
        if name not in durations:  # all workers are to give the same
            durations[name] = undisturbed(config, args.folder / name, args.processes)
        moments = [rng.uniform(0.2, 1) * durations[name]]
        work_dir = args.folder / f"{name}_{run}"
        disturbed(config, work_dir, moments, args.processes)
        differ = differences(config, args.folder / name, work_dir)
        equal += not differ
        print(f"{run} {name} killed at {moments}: {differ[:3] or 'equal'}", flush=True)
    print(f"{equal} of {args.runs} equal")


if __name__ == "__main__":
    main()
