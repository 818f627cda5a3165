"""Builds the Runner of the tools."""

from __future__ import annotations

import logging

from mmengine.config import Config
from mmengine.runner import Runner

from mmpar.engine.checkpoints import settle_resume
from mmpar.engine.launch import prepare_cpu_launch, require_launcher_variables

# MMEngine's own CheckpointHook causes these, in every run, whatever the config says.
_NOT_FOR_USERS = (
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
    "The prefix is not set in metric class DumpPredictions",
)

_CHECKS = dict(
    resume=dict(type="ResumeHook"), loaded_weights=dict(type="LoadedWeightsHook")
)


def build_runner(cfg: Config) -> Runner:
    """The Runner of a config, on GPUs or CPUs, without warnings nobody can act on.

    Whatever hooks the config has, the Runner refuses checkpoints that do not fit.
    """
    require_launcher_variables(cfg.get("launcher", "none"))
    warnings: list[str] = []
    settle_resume(cfg, warnings.append)
    cfg.default_hooks = {**_CHECKS, **(cfg.get("default_hooks") or {})}
    prepare_cpu_launch(cfg)
    runner = Runner.from_cfg(cfg)
    runner.logger.addFilter(_concerns_users)
    for warning in warnings:
        runner.logger.warning(warning)
    return runner


def _concerns_users(record: logging.LogRecord) -> bool:
    return not any(text in record.getMessage() for text in _NOT_FOR_USERS)
