"""Shows the speed and the progress of a training."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from mmpar.registry import HOOKS


@HOOKS.register_module()
class ProgressHook(Hook):
    """Images/s in the log, and a progress bar where the console is a terminal."""

    priority = "HIGH"  # LoggerHook writes what was counted before it

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._since = 0.0

    def before_train(self, runner: Any) -> None:
        """Start the bar."""
        if is_main_process() and sys.stdout.isatty():
            self._bar = Progress(
                TextColumn("training"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[speed]}"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=Console(soft_wrap=True),  # paths in the log stay whole
            )
            self._bar.add_task(
                "", total=runner.max_iters, completed=runner.iter, speed=""
            )
            self._bar.start()
            _write_to(runner.logger, sys.stdout)  # above the bar

    def before_train_epoch(self, runner: Any) -> None:
        """Start the clock: a validation before it is not part of a training step."""
        self._since = time.perf_counter()

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Measure the speed of a step, loading and training together."""
        now = time.perf_counter()
        images = len(data_batch["inputs"]) * get_world_size()
        speed = images / max(now - self._since, 1e-9) if self._since else 0.0
        self._since = now
        runner.message_hub.update_scalar("train/images_per_s", speed)
        if self._bar is not None:
            self._bar.update(
                self._bar.task_ids[0],
                completed=runner.iter + 1,
                speed=f"{speed:.0f} images/s",
            )

    def before_val(self, runner: Any) -> None:
        """Stop the clock: the time until the next training step is validation's."""
        self._since = 0.0

    def after_train(self, runner: Any) -> None:
        """Remove the bar."""
        self.stop(runner)

    def stop(self, runner: Any) -> None:
        """Remove the bar, if there is one, and restore the terminal's cursor."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
            _write_to(runner.logger, sys.stdout)


def _write_to(logger: logging.Logger, stream: Any) -> None:
    for handler in logger.handlers:
        if type(handler) is logging.StreamHandler:
            handler.setStream(stream)
