"""Builds the Runner of the tools."""

from __future__ import annotations

import logging
import os
import os.path as osp
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmpar.engine.launch import prepare_cpu_launch
from mmpar.engine.seeding import seed_samples

# MMEngine's own CheckpointHook causes these, in every run, whatever the config says.
_NOT_FOR_USERS = (
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
    "The prefix is not set in metric class DumpPredictions",
)


class ResumableRunner(Runner):
    """A Runner whose training survives a kill at any moment.

    Random samples do not depend on what was drawn before them, and a checkpoint is
    there whole or not at all.
    """

    @staticmethod
    def build_dataloader(
        dataloader: Any, seed: int | None = None, diff_rank_seed: bool = False
    ) -> DataLoader:
        """As MMEngine's, with samples that are seeded one by one."""
        loader = Runner.build_dataloader(dataloader, seed, diff_rank_seed)
        if seed is not None and not isinstance(dataloader, DataLoader):
            seed_samples(loader, seed)
        return loader

    def save_checkpoint(self, out_dir: str, filename: str, *args: Any, **kwargs: Any):
        """As MMEngine's, under another name until the file is on the disk."""
        if not osp.isdir(out_dir):  # a store that is no file system
            return super().save_checkpoint(out_dir, filename, *args, **kwargs)
        unfinished, path = f".{filename}.tmp", osp.join(out_dir, filename)
        super().save_checkpoint(out_dir, unfinished, *args, **kwargs)
        if is_main_process():
            _replace_durably(osp.join(out_dir, unfinished), path)


def _replace_durably(unfinished: str, path: str) -> None:
    """Rename a file once its bytes are on the disk; then the name is, too."""
    _sync(unfinished)
    os.replace(unfinished, path)
    _sync(osp.dirname(path))


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def build_runner(cfg: Config) -> ResumableRunner:
    """The Runner of a config, on GPUs or CPUs, without warnings nobody can act on."""
    prepare_cpu_launch(cfg)
    runner = ResumableRunner.from_cfg(cfg)
    runner.logger.addFilter(_concerns_users)
    return runner


def _concerns_users(record: logging.LogRecord) -> bool:
    return not any(text in record.getMessage() for text in _NOT_FOR_USERS)
