"""One of several processes that train or test together; prints what it saw, JSON."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import EMAHook, Hook

from mmpar.engine import build_runner
from mmpar.models.utils import unwrap_model
from mmpar.utils.config import add_dump_metric, use_checkpoint
from mmpar.utils.launch import leaving_process_group

SIZES = (3, 11, 21)
"""Images that are tested, in batches of 4: the first is less than 4 x 4."""


class Seen(Hook):
    """The samples of each epoch, and digests of what is validated and averaged."""

    priority = "VERY_LOW"

    def __init__(self) -> None:
        self.epochs: list[list[int]] = []
        self.validated: list[str] = []
        self.averaged: list[str] = []

    def before_train_epoch(self, runner: Any) -> None:
        self.epochs.append([])

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        self.epochs[-1] += [s.sample_idx for s in data_batch["data_samples"]]

    def after_train_epoch(self, runner: Any) -> None:
        (ema,) = (hook.ema_model for hook in runner.hooks if isinstance(hook, EMAHook))
        self.averaged.append(digest(ema))

    def before_val_epoch(self, runner: Any) -> None:
        self.validated.append(digest(runner.model))


def digest(model: Any) -> str:
    """Changes with any bit of any weight or buffer."""
    state = unwrap_model(model).state_dict()
    bits = b"".join(value.cpu().numpy().tobytes() for value in state.values())
    return hashlib.sha256(bits).hexdigest()


def train(folder: Path, config: str) -> dict:
    """Train by a config."""
    runner = build_runner(_launched(folder, config))
    seen = Seen()
    runner.register_hook(seen)
    runner.train()
    ratio = unwrap_model(runner.model).head.positive_ratio.tolist()
    found = dict(
        epochs=seen.epochs,
        validated=seen.validated,
        averaged=seen.averaged,
        ratio=ratio,
    )
    runner.close()
    return found


def test(folder: Path, *methods: str) -> dict:
    """Test the shared models on each size and on a joined dataset; the metrics."""
    found = {}
    for method in methods:
        for case in (*SIZES, "joint"):
            cfg = _launched(folder, f"{method}.py")
            cfg.work_dir += f"_{os.environ['WORLD_SIZE']}_{case}"
            use_checkpoint(cfg, str(folder / method))
            data = cfg.test_dataloader.dataset
            data.num_samples = case if case in SIZES else 5
            if case == "joint":
                parts = [data, {**data, "num_samples": 6}]
                cfg.test_dataloader.dataset = dict(type="JointDataset", datasets=parts)
            out = f"{cfg.work_dir}.json"
            cfg.test_evaluator = add_dump_metric(cfg.test_evaluator, out)
            runner = build_runner(cfg)
            found[out.rpartition("_")[2] + method] = runner.test()
            runner.close()
    return found


def _launched(folder: Path, config: str) -> Config:
    cfg = Config.fromfile(folder / config)
    cfg.launcher = "pytorch"
    cfg.work_dir = str(folder / "works" / Path(config).stem)
    cfg.experiment_name = f"{config}_{id(cfg)}"
    return cfg


if __name__ == "__main__":
    verb, where, *rest = sys.argv[1:]
    with leaving_process_group():
        print(json.dumps(dict(train=train, test=test)[verb](Path(where), *rest)))
