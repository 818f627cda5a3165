"""What makes training faster: one switch after another, in turns, in one run.

python tools/benchmarks/train_speed.py CONFIG [--switches "as it is" bfloat16 ...]

Every switch trains a model of its own on the config's training data, some steps at a
time, in random order. Prints images/s, and how much of a step is waiting for data,
forward with the loss, backward, and the optimizer with gradient clipping; medians.
"compile" reports forward and backward together where the compiler joins them.
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
from mmpar.utils.config import check_config

BFLOAT16 = {"optim_wrapper.type": "BFloat16OptimWrapper"}
CHANNELS_LAST = {"default_hooks.channels_last.type": "ChannelsLastHook"}
SWITCHES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "channels_last": CHANNELS_LAST,
    "bfloat16": BFLOAT16,
    "bfloat16, channels_last": {**BFLOAT16, **CHANNELS_LAST},
    "fused optimizer": {"optim_wrapper.optimizer.fused": True},
    "2 steps accumulated": {"optim_wrapper.accumulative_counts": 2},
    "no worker": {
        "train_dataloader.num_workers": 0,
        "train_dataloader.persistent_workers": False,
    },
    "2 workers": {"train_dataloader.num_workers": 2},
    "compile": {"compile": True},
}
SHARES = ("data", "forward", "backward", "optimizer")


class Training:
    """A model in training, step by step, with the seconds of each part."""

    def __init__(self, config: str, options: dict[str, Any], device: str) -> None:
        cfg = Config.fromfile(config)
        cfg.merge_from_dict(options)
        check_config(cfg)
        set_random_seed(0)
        cfg.model.backbone.init_cfg = None  # random weights are as fast
        self.model = MODELS.build(cfg.model)
        self.model.head.set_positive_ratio([0.5] * len(self.model.head.schema))
        self.model.to(device).train()
        if cfg.default_hooks.get("channels_last"):
            self.model.to(memory_format=torch.channels_last)
        self.optimizer = build_optim_wrapper(self.model, cfg.optim_wrapper)
        if cfg.get("compile"):
            self.model.forward = torch.compile(self.model.forward)
        self.loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
        self.batches = self._endless()
        self.device = device
        self.seconds: dict[str, list[float]] = {share: [] for share in SHARES}
        self._spent = dict.fromkeys(SHARES, 0.0)
        for name, share in (("backward", "backward"), ("step", "optimizer")):
            timed = self._timed(getattr(self.optimizer, name), share)
            setattr(self.optimizer, name, timed)

    def _endless(self) -> Iterator[dict[str, Any]]:
        while True:
            yield from self.loader

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

    def step(self) -> None:
        """One step of training."""
        self._spent = dict.fromkeys(SHARES, 0.0)
        start = self._now()
        batch = next(self.batches)
        self._spent["data"] = self._now() - start
        self.model.train_step(batch, self.optimizer)
        inner = sum(self._spent.values())
        self._spent["forward"] = self._now() - start - inner
        for share, seconds in self._spent.items():
            self.seconds[share].append(seconds)

    def forget(self) -> None:
        """Leave out the steps so far."""
        self.seconds = {share: [] for share in SHARES}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config")
    parser.add_argument("--switches", nargs="+", choices=SWITCHES, default=[*SWITCHES])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5, help="of each switch in a turn")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args()


def main() -> None:
    """Time all switches and print the table."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    init_default_scope("mmpar")
    device = get_device()
    trainings = {
        name: Training(args.config, SWITCHES[name], device) for name in args.switches
    }
    for training in trainings.values():
        for _ in range(3):  # the first are slower, and compile
            training.step()
        training.forget()
    shuffled = random.Random(0)
    for _ in range(args.turns):
        for name in shuffled.sample(args.switches, len(args.switches)):
            trainings[name].step()  # what the others left in the caches
            for share in SHARES:
                trainings[name].seconds[share].pop()
            for _ in range(args.steps):
                trainings[name].step()
    print(f"torch {torch.__version__}, {device}, {args.threads} CPU threads")
    print("| switch | images/s | " + " | ".join(SHARES) + " |")
    print("|---" * (len(SHARES) + 2) + "|")
    for name, training in trainings.items():
        print(row(name, training))


def row(name: str, training: Training) -> str:
    """A line of the table."""
    steps = zip(*training.seconds.values())
    total = statistics.median(map(sum, steps))
    images = training.loader.batch_size / total
    means = [statistics.mean(training.seconds[share]) for share in SHARES]
    cells = [f"{100 * mean / sum(means):.0f} %" for mean in means]
    return f"| {name} | {images:.1f} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
