"""Ends a training that is told to stop, with all that it has done."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import Any

import torch
from mmengine.dist import all_reduce, barrier, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop

from mmpar.engine.hooks.checkpoint_hook import CheckpointHook
from mmpar.engine.loops import ResumableEpochLoop
from mmpar.registry import HOOKS

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_AT_ONCE = 0.5
"""Seconds within which a signal is the same one, sent by several."""


@HOOKS.register_module()
class InterruptHook(Hook):
    """At SIGINT (Ctrl-C) or SIGTERM, finish the iteration, save all state, and end.

    The process ends as shells expect, with the status 128 + signal. A validation is
    ended at once: a resumed run repeats it. A second Ctrl-C acts as ever. A second
    SIGTERM does not: where a scheduler signals all processes, torchrun, which is one of
    them, passes it on.

    What the process ignores, as shells have background jobs ignore SIGINT, it goes on
    ignoring.

    Several processes agree in each iteration, as a signal may reach one before others,
    or one alone.
    """

    priority = "LOWEST"  # the iteration's own checkpoint is written before

    def __init__(self) -> None:
        self._signal = 0
        self._since = 0.0
        self._before: dict[int, Any] = {}
        self._process = 0

    def before_train(self, runner: Any) -> None:
        """Listen, where Python allows it: in the main thread."""
        self._signal, self._process = 0, os.getpid()
        if threading.current_thread() is threading.main_thread():
            self._before = {
                one: signal.signal(one, self._note)
                for one in _SIGNALS
                if signal.getsignal(one) != signal.SIG_IGN
            }

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Save and end, if told to."""
        number = self._agreed()
        if not number:
            return
        name, loop = signal.Signals(number).name, runner.train_loop
        saver = next((h for h in runner.hooks if isinstance(h, CheckpointHook)), None)
        by_epoch = isinstance(loop, EpochBasedTrainLoop)
        if saver is None or not _is_resumable(runner):
            saved = "nothing since the last checkpoint is saved"
        else:
            path = saver.save_interrupted(runner, batch_idx + 1 if by_epoch else 0)
            saved = f"its state is in {path}, --resume goes on from there"
        barrier()  # torchrun ends the others as soon as one has ended
        runner.logger.warning(
            "%s: the training ends after iteration %d; %s", name, runner.iter + 1, saved
        )
        raise SystemExit(128 + number)

    def after_val_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """End, if told to: the checkpoint was written before its validation.

        Several processes end after it, as one that left would break it for the others.
        """
        if self._signal and get_world_size() == 1:
            runner.logger.warning(
                "%s: the training ends in a validation, which --resume repeats",
                signal.Signals(self._signal).name,
            )
            raise SystemExit(128 + self._signal)

    def after_train(self, runner: Any) -> None:
        """A signal that came too late to save anything acts as ever."""
        self.stop(runner)
        if self._signal:
            signal.raise_signal(self._signal)

    def stop(self, runner: Any) -> None:
        """Listen no longer."""
        while self._before:
            signal.signal(*self._before.popitem())

    def _note(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:  # a forked child's signals are not for it
            return
        if not self._signal:
            self._signal, self._since = number, time.monotonic()
            # Neither print nor log: either may be what was interrupted.
            os.write(2, b"\nStopping after this iteration\n")
        elif number == signal.SIGINT and time.monotonic() - self._since > _AT_ONCE:
            self.stop(None)
            signal.raise_signal(number)

    def _agreed(self) -> int:
        if get_world_size() == 1:
            return self._signal
        number = torch.tensor(self._signal)
        all_reduce(number, op="max")
        return int(number)


def _is_resumable(runner: Any) -> bool:
    """Whether a training goes on from any iteration; by a strategy, from none."""
    loop = runner.train_loop
    by_epoch = isinstance(loop, EpochBasedTrainLoop)
    within_epochs = isinstance(loop, ResumableEpochLoop) or not by_epoch
    return within_epochs and not hasattr(runner, "strategy")


class OutliveSignals:
    """A worker's ``worker_init_fn`` that has it go on while the training ends.

    Ctrl-C, and schedulers such as Slurm, signal all processes at once; without its
    workers the training could not finish the iteration.

    Args:
        init: What else is to be called with the worker's number, or None.
    """

    def __init__(self, init: Any) -> None:
        self.init = init

    def __call__(self, worker: int) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if hasattr(signal, "sigwaitinfo"):  # not on macOS
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            args = (os.getppid(),)
            threading.Thread(target=_end_with, args=args, daemon=True).start()
        if self.init is not None:
            self.init(worker)


def _end_with(parent: int) -> None:
    """Heed the SIGTERM of this process's parent only, with which a loader ends it."""
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
