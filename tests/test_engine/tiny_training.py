"""A training of milliseconds by a config, for tests of checkpoints and work dirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, METRICS, MODELS
from torch import nn
from torch.utils.data import Dataset

from mmpar.engine import build_runner
from mmpar.models import PretrainedInit  # noqa: F401  registered for init_cfg


@MODELS.register_module()
class TinyModel(BaseModel):
    """Two linear layers; the loss is the mean of the output."""

    def __init__(self, width: int = 3, backbone: dict | None = None) -> None:
        super().__init__()
        self.backbone = TinyBackbone(**(backbone or {}))
        self.head = nn.Linear(2, width)

    def forward(self, inputs: Any, mode: str = "tensor") -> Any:
        output = self.head(self.backbone.layer(torch.stack(list(inputs))))
        return dict(loss=output.mean()) if mode == "loss" else [output]


class TinyBackbone(BaseModel):
    """One linear layer."""

    def __init__(self, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.layer = nn.Linear(2, 2)

    def forward(self, inputs: Any) -> Any:
        return self.layer(inputs)


@DATASETS.register_module()
class TinyDataset(Dataset):
    """Four samples."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict:
        return dict(inputs=torch.tensor([1.0, index]))


@METRICS.register_module()
class RisingMetric(BaseMetric):
    """Each evaluation is better than the one before."""

    def __init__(self) -> None:
        super().__init__()
        self.score = 0.0

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.append(0)

    def compute_metrics(self, results: list) -> dict:
        self.score += 1
        return dict(score=self.score)


def tiny_config(work_dir: Path, epochs: int = 3, **fields: Any) -> Config:
    """Two iterations an epoch, Adam, a schedule, the best by ``score``."""
    loader = dict(
        batch_size=2,
        num_workers=0,
        dataset=dict(type="TinyDataset"),
        sampler=dict(type="DefaultSampler", shuffle=False),
    )
    checkpoint = dict(
        type="CheckpointHook",
        interval=1,
        max_keep_ckpts=2,
        save_best="score",
        rule="greater",
    )
    defaults = dict(
        model=dict(type="TinyModel", backbone=dict()),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=epochs, val_interval=1),
        val_dataloader=loader,
        val_cfg=dict(),
        val_evaluator=dict(type="RisingMetric"),
        test_dataloader=loader,
        test_cfg=dict(),
        test_evaluator=dict(type="RisingMetric"),
        optim_wrapper=dict(optimizer=dict(type="Adam", lr=0.1)),
        param_scheduler=dict(type="MultiStepLR", milestones=[2]),
        default_hooks=dict(checkpoint=checkpoint),
        default_scope="mmpar",
        randomness=dict(seed=0),
        work_dir=str(work_dir),
        experiment_name=f"{work_dir}_{next(_NUMBERS)}",
        launcher="none",
    )
    return Config({**defaults, **fields})


def iteration_based(work_dir: Path, iterations: int, **checkpoint: Any) -> Config:
    """:func:`tiny_config` counted in iterations, with a checkpoint after each."""
    cfg = tiny_config(work_dir)
    cfg.train_cfg = dict(by_epoch=False, max_iters=iterations, val_interval=2)
    cfg.param_scheduler.by_epoch = False
    cfg.default_hooks.checkpoint.update(by_epoch=False, **checkpoint)
    return cfg


def train(cfg: Config) -> Any:
    """Train, and return the Runner."""
    runner = build_runner(cfg)
    runner.train()
    return runner


def log_of(runner: Any) -> str:
    """What the Runner wrote to its log file."""
    return Path(runner.log_dir, f"{runner.timestamp}.log").read_text()


_NUMBERS = iter(range(10**6))
