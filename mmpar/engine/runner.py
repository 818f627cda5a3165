"""Builds the Runner of the tools."""

from __future__ import annotations

import logging

from mmengine.config import Config
from mmengine.runner import Runner

from mmpar.engine.launch import prepare_cpu_launch

# MMEngine's own CheckpointHook causes these, in every run, whatever the config says.
_NOT_FOR_USERS = (
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
    "The prefix is not set in metric class DumpPredictions",
)


def build_runner(cfg: Config) -> Runner:
    """The Runner of a config, on GPUs or CPUs, without warnings nobody can act on."""
    prepare_cpu_launch(cfg)
    runner = Runner.from_cfg(cfg)
    runner.logger.addFilter(_concerns_users)
    return runner


def _concerns_users(record: logging.LogRecord) -> bool:
    return not any(text in record.getMessage() for text in _NOT_FOR_USERS)
