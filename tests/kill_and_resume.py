"""Kills trainings at seeded random moments, resumes them, compares with undisturbed.

python -m tests.kill_and_resume FOLDER --method linear --runs 20
python -m tests.kill_and_resume FOLDER --method predict --runs 20
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from PIL import Image

from mmpar.utils.checkpoint_files import load_from_local
from mmpar.utils.checkpoint_search import find_checkpoint_to_test
from tests.fixtures.trained import train_once, write_thin_config
from tests.test_tools.run import REPOSITORY, start_python

METHODS = ("linear", "sspnet-learned", "alm")
PREDICT = "predict"
EPOCHS = 4
AUGMENTED = """
default_hooks = dict(
    logger=dict(interval=1),
    ema=dict(type="EMAHook", ema_type="ExponentialMovingAverage", momentum=0.1,
             update_buffers=True, priority="ABOVE_NORMAL"),
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


COMPARED = ("state_dict", "ema_state_dict", "optimizer", "param_schedulers", "best")


class Moment(NamedTuple):
    """When a training gets a signal: so many seconds after an epoch's checkpoint.

    Or with the next one, if that is earlier: machines are not always equally fast.
    """

    epoch: int
    """0 is the start."""
    seconds: float
    signal: str = "SIGKILL"


def tiny_config(folder: Path, method: str, workers: int, num_train: int = 8) -> Path:
    """Write a shipped config's tiny form: flip, crop, EMA, SSPNet's dropout."""
    more = AUGMENTED.format(workers=workers, num_train=num_train, epochs=EPOCHS)
    if method.startswith("sspnet"):
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


def undisturbed(
    config: Path, work_dir: Path, processes: int = 1
) -> tuple[float, float]:
    """Train; the seconds until the first checkpoint, and from one to the next."""
    began = time.time()
    finish(start(config, work_dir, processes), work_dir)
    saved = sorted(path.stat().st_mtime for path in work_dir.glob("epoch_*.pth"))
    between = saved[-1] - saved[-2]
    return saved[-1] - (EPOCHS - 1) * between - began, between


def disturbed(
    config: Path, work_dir: Path, moments: list[Moment], processes: int = 1
) -> list[Moment]:
    """Train with a signal at a moment of each start, then to the end.

    Returns:
        When the signals were sent: before a moment if the next checkpoint was.
    """
    sent = []
    for moment in moments:
        process = start(config, work_dir, processes)
        while moment.epoch and not (work_dir / f"epoch_{moment.epoch}.pth").exists():
            assert process.exitcode is None, f"see {log_of(work_dir)}"
            time.sleep(0.01)
        began = time.monotonic()
        following = work_dir / f"epoch_{moment.epoch + 1}.pth"
        while time.monotonic() < began + moment.seconds and not following.exists():
            time.sleep(0.002)
        assert process.exitcode is None, f"at its end before it was killed: {moment}"
        sent.append(moment._replace(seconds=time.monotonic() - began))
        send(process, signal.Signals[moment.signal])
    finish(start(config, work_dir, processes), work_dir)
    return sent


def send(process: BaseProcess, number: signal.Signals) -> None:
    """Send a signal to a process and its children, as schedulers do; wait for its end.

    A process that heeds it ends with the status of a shell, torchrun with its own.
    """
    for one in _family(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, number)
    process.join()
    assert process.exitcode in (-number, 128 + number, 1), process.exitcode


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
    """What differs between two trainings: files, all state in them, tested file."""
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
        first["best"], second["best"] = best_of(first), best_of(second)
        for part in COMPARED:
            ours, theirs = flat(first.get(part, {})), flat(second.get(part, {}))
            found += [
                f"{name}: {part}{key}"
                for key in sorted(ours.keys() | theirs.keys())
                if not same(ours.get(key), theirs.get(key))
            ]
    return found


def best_of(checkpoint: dict) -> dict:
    """The best score so far and the name of its file, and which files are kept."""
    info = checkpoint["message_hub"]["runtime_info"]
    best = os.path.basename(info.get("best_ckpt", ""))
    return dict(best=best, score=info.get("best_score"), kept=info["keep_ckpt_ids"])


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


def prediction(model: Path, images: Path, out: Path) -> BaseProcess:
    """Begin, or go on, to write the answers to a folder of images."""
    words = [REPOSITORY / "tools/predict.py", model, images, "--out", out]
    with log_of(out).open("a") as log:
        return start_python(words, log)


def kill_predictions(
    folder: Path, runs: int, seed: int, images: int = 2560
) -> Iterator[tuple[str, bool]]:
    """Kill a prediction at two moments each run; whether its file is the whole one's.

    There must be nothing else beside it, and no temporary file. 256 images are
    answered and written at once.
    """
    model, draw = train_once("linear", folder), random.Random(seed)
    crops = folder / "images"
    crops.mkdir()
    for number in range(images):
        path = crops / f"{number:04}.png"
        if number < 32:
            pixels = np.asarray(draw.choices(range(256), k=128 * 64 * 3), np.uint8)
            Image.fromarray(pixels.reshape(128, 64, 3)).save(path)
        else:
            os.link(crops / f"{number % 32:04}.png", path)
    whole = folder / "whole.jsonl"
    began = time.monotonic()
    finish(prediction(model, crops, whole), whole)
    seconds = time.monotonic() - began
    for run in range(runs):
        out = folder / str(run) / "out.jsonl"
        out.parent.mkdir()
        moments = [draw.uniform(0, 0.8) * seconds for _ in range(2)]
        for moment in moments:
            process = prediction(model, crops, out)
            process.join(moment)
            if process.exitcode is None:
                send(process, signal.SIGKILL)
        if not out.exists():
            finish(prediction(model, crops, out), out)
        left = {path.name for path in out.parent.iterdir()} - {log_of(out).name}
        same_file = out.read_bytes() == whole.read_bytes()
        yield f"{run} killed after {moments}", same_file and left == {out.name}


def kill_trainings(
    folder: Path, method: str, runs: int, seed: int, signals: list[str], processes: int
) -> Iterator[tuple[str, bool]]:
    """End a training at one moment each run; whether the resumed one equals a whole."""
    draw = random.Random(seed)
    lengths = None
    for run in range(runs):
        config = tiny_config(folder, method, workers=run % 2)
        if lengths is None:  # all workers are to give the same
            lengths = undisturbed(config, folder / method, processes)
        # Not in the last epoch, whose end may come sooner than the moment.
        epoch = draw.randrange(EPOCHS - 1)
        seconds = draw.random() * lengths[min(epoch, 1)]
        moment = Moment(epoch, seconds, signals[run % len(signals)])
        work_dir = folder / f"{method}_{run}"
        sent = disturbed(config, work_dir, [moment], processes)
        differ = differences(config, folder / method, work_dir)
        yield f"{run} {method}, {sent[0]} {differ[:3]}", not differ


def main() -> None:
    """Report each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a new folder for the trainings")
    parser.add_argument("--method", choices=[*METHODS, PREDICT], default="linear")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--signals", nargs="+", default=["SIGKILL"], help="in turn")
    parser.add_argument("--processes", type=int, default=1, help="joined by gloo")
    args = parser.parse_args()
    if args.folder.exists():
        parser.error(f"{args.folder} is there already; give a new folder")
    args.folder.mkdir(parents=True)
    if args.method == PREDICT:
        results = kill_predictions(args.folder, args.runs, args.seed)
    else:
        results = kill_trainings(
            *(args.folder, args.method, args.runs, args.seed),
            *(args.signals, args.processes),
        )
    equal = 0
    for said, is_equal in results:
        equal += is_equal
        print(f"{said}: {'equal' if is_equal else 'DIFFERENT'}", flush=True)
    print(f"{equal} of {args.runs} equal")


if __name__ == "__main__":
    main()
