"""Builds the Runner of the tools."""

from __future__ import annotations

import logging
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmpar.engine.checkpoints import settle_resume
from mmpar.engine.config_check import check_config
from mmpar.engine.launch import prepare_cpu_launch, require_launcher_variables
from mmpar.engine.seeding import seed_samples

# MMEngine's own CheckpointHook causes these, in every run, whatever the config says.
_NOT_FOR_USERS = (
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
    "The prefix is not set in metric class DumpPredictions",
)

_CHECKS = dict(
    resume=dict(type="ResumeHook"), loaded_weights=dict(type="LoadedWeightsHook")
)


class ResumableRunner(Runner):
    """A Runner whose samples do not depend on what was drawn before them."""

    @staticmethod
    def build_dataloader(
        dataloader: Any, seed: int | None = None, diff_rank_seed: bool = False
    ) -> DataLoader:
        """As MMEngine's, with samples that are seeded one by one."""
        loader = Runner.build_dataloader(dataloader, seed, diff_rank_seed)
        if seed is not None and not isinstance(dataloader, DataLoader):
            seed_samples(loader, seed)
        return loader


def build_runner(cfg: Config) -> ResumableRunner:
    """The Runner of a config, on GPUs or CPUs, without warnings nobody can act on.

    Whatever hooks the config has, the Runner refuses checkpoints that do not fit.
    """
    check_config(cfg)
    require_launcher_variables(cfg.get("launcher", "none"))
    warnings: list[str] = []
    settle_resume(cfg, warnings.append)
    cfg.default_hooks = {**_CHECKS, **(cfg.get("default_hooks") or {})}
    prepare_cpu_launch(cfg)
    runner = ResumableRunner.from_cfg(cfg)
    runner.logger.addFilter(_concerns_users)
    for warning in warnings:
        runner.logger.warning(warning)
    return runner


def _concerns_users(record: logging.LogRecord) -> bool:
    return not any(text in record.getMessage() for text in _NOT_FOR_USERS)
