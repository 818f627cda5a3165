"""What makes training faster: one switch after another, in turns, in one run.

python tools/benchmarks/train_speed.py CONFIG [--switches "as it is" bfloat16 ...]

Every switch trains a model of its own on the config's training data; "plain" is without
what a config may have to be faster. An optimizer that is not Adam stays. Workers are
persistent. In each turn, in random order, it trains until what its workers had loaded
ahead is used up, and is then timed for some steps. Prints images/s, medians of the
turns, and which share of the time went into waiting for data, forward with the loss,
backward, and the optimizer with gradient clipping.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Iterator
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, set_random_seed

from mmpar.registry import MODELS
from mmpar.utils.allocator import keeping_freed_memory
from mmpar.utils.cli import config_arguments
from mmpar.utils.config import check_config

BFLOAT16 = {"optim_wrapper.type": "BFloat16OptimWrapper"}
FLOAT32 = {"optim_wrapper.type": "OptimWrapper"}
CHANNELS_LAST = {"channels_last": True}
CHANNELS_FIRST = {"channels_last": None}
OPTIMIZER = "optim_wrapper.optimizer.type"
ADAM = {OPTIMIZER: "Adam"}
SWITCHES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "plain": {**FLOAT32, **CHANNELS_FIRST, **ADAM},
    "float32": FLOAT32,
    "bfloat16": BFLOAT16,
    "channels first": CHANNELS_FIRST,
    "channels last": CHANNELS_LAST,
    "Adam": ADAM,
    "fused Adam": {OPTIMIZER: "MaybeFusedAdam"},
    "2 steps accumulated": {"optim_wrapper.accumulative_counts": 2},
    "no worker": {"train_dataloader.num_workers": 0},
    "1 worker": {"train_dataloader.num_workers": 1},
    "2 workers": {"train_dataloader.num_workers": 2},
    "compile": {"compile": True},
    "bfloat16, compile": {**BFLOAT16, "compile": True},
}
SHARES = ("data", "forward", "backward", "optimizer")


class Training:
    """A model in training, step by step, with the seconds of each part."""

    def __init__(self, config: str, options: dict[str, Any], device: str) -> None:
        cfg = Config.fromfile(config)
        cfg.merge_from_dict(options)
        # Workers rest between turns, and keep what a dataset of them keeps.
        cfg.train_dataloader.persistent_workers = cfg.train_dataloader.num_workers > 0
        check_config(cfg)
        set_random_seed(0)
        cfg.model.backbone.init_cfg = None  # random weights are as fast
        self.model = MODELS.build(cfg.model)
        self.model.head.set_positive_ratio([0.5] * len(self.model.head.schema))
        self.model.to(device).train()
        if cfg.get("channels_last"):
            self.model.to(memory_format=torch.channels_last)
        self.optimizer = build_optim_wrapper(self.model, cfg.optim_wrapper)
        if cfg.get("compile"):
            self.model.forward = torch.compile(self.model.forward)
        self.loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
        self.device = device
        self.turns: list[dict[str, float]] = []
        self._spent = dict.fromkeys(SHARES, 0.0)
        for name, share in (("backward", "backward"), ("step", "optimizer")):
            timed = self._timed(getattr(self.optimizer, name), share)
            setattr(self.optimizer, name, timed)

    def _timed(self, call: Any, share: str) -> Any:
        def timed(*args: Any, **kwargs: Any) -> Any:
            start = self._now()
            result = call(*args, **kwargs)
            self._spent[share] += self._now() - start
            return result

        return timed

    def _now(self) -> float:
        if self.device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def turn(self, steps: int) -> None:
        """Train, and note the seconds of each part over the last ``steps``."""
        batches = self._endless()
        ahead = self.loader.num_workers * (self.loader.prefetch_factor or 0)
        for _ in range(ahead + 2):  # and two to warm up
            self._step(batches)
        self._spent = dict.fromkeys(SHARES, 0.0)
        for _ in range(steps):
            self._step(batches)
        self.turns.append(self._spent)

    def _endless(self) -> Iterator[dict[str, Any]]:
        while True:
            yield from self.loader

    def _step(self, batches: Iterator[dict[str, Any]]) -> None:
        before = sum(self._spent.values())
        start = self._now()
        batch = next(batches)
        self._spent["data"] += self._now() - start
        self.model.train_step(batch, self.optimizer)
        others = sum(self._spent.values()) - before
        self._spent["forward"] += self._now() - start - others


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = config_arguments(__doc__ or "")
    parser.add_argument("--switches", nargs="+", choices=SWITCHES, default=[*SWITCHES])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--steps", type=int, default=8, help="timed in a turn")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args()


def main() -> None:
    """Time all switches and print the table."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    init_default_scope("mmpar")
    device = get_device()
    options = args.cfg_options or {}
    changes = changes_of(args.switches, args.config, options)
    trainings = {
        name: Training(args.config, {**options, **change}, device)
        for name, change in changes.items()
    }
    shuffled = random.Random(0)
    with keeping_freed_memory():  # as every training does
        for training in trainings.values():
            training.turn(args.steps)  # the first is slower, and compiles
            training.turns.clear()
        for _ in range(args.turns):
            for name in shuffled.sample([*changes], len(changes)):
                trainings[name].turn(args.steps)
    print(f"torch {torch.__version__}, {device}, {args.threads} CPU threads")
    print("| switch | images/s | " + " | ".join(SHARES) + " |")
    print("|---" * (len(SHARES) + 2) + "|")
    for name, training in trainings.items():
        images = training.loader.batch_size * args.steps
        print(f"| {name} | {row(training.turns, images)} |")


def changes_of(
    switches: list[str], config: str, options: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """What switches change, which leave an optimizer that is not Adam as it is.

    Raises:
        SystemExit: That is nothing.
    """
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(options)
    if cfg.optim_wrapper.optimizer.type in ("Adam", "MaybeFusedAdam"):
        return {name: SWITCHES[name] for name in switches}
    left = [name for name in switches if SWITCHES[name].keys() == {OPTIMIZER}]
    if left:
        print(f"left out, as the config's optimizer is not Adam: {', '.join(left)}")
    if left == switches:
        raise SystemExit("no switch is left")
    return {
        name: {key: one for key, one in SWITCHES[name].items() if key != OPTIMIZER}
        for name in switches
        if name not in left
    }


def row(turns: list[dict[str, float]], images: int) -> str:
    """Cells of the table."""
    seconds = [sum(turn.values()) for turn in turns]
    rate = images / statistics.median(seconds)
    shares = [sum(turn[share] for turn in turns) / sum(seconds) for share in SHARES]
    return " | ".join([f"{rate:.1f}", *(f"{100 * share:.0f} %" for share in shares)])


if __name__ == "__main__":
    main()
