"""Saves checkpoints so that no fault while saving costs one that was there."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mmengine.hooks
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend

from mmpar.registry import HOOKS
from mmpar.utils.atomic import delete_parts, write_atomically
from mmpar.utils.checkpoint_search import INTERRUPTED, LAST

_OUTDATED = "outdated_checkpoints"
BATCHES = "batches_of_epoch"
"""In ``meta`` of what was saved within an epoch: how many were trained on."""


@HOOKS.register_module()
class CheckpointHook(mmengine.hooks.CheckpointHook):
    """MMEngine's, which deletes a checkpoint only when its successor is on the disk.

    MMEngine deletes first: a full disk, or a kill in between, would cost the best
    checkpoint, and with ``max_keep_ckpts=1`` every one. So there must be room for one
    more. Each checkpoint names those that are deleted next: a resumed run deletes what
    a killed one had no time for, and the files that it had only begun to write.

    A training that is interrupted saves ``interrupted.pth``, which the next checkpoint
    replaces; resumed from it, an epoch goes on with its next batch.
    """

    best_ckpt_path: str | None
    _left: Sequence[str] = ()

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Note what is left to delete."""
        if runner._resume:
            self._left = checkpoint["meta"].get(_OUTDATED, [])

    def before_train(self, runner: Any) -> None:
        """Prepare, and tidy up after a killed run."""
        super().before_train(runner)
        # MMEngine forgets that a resumed run has a checkpoint to tell of a new best.
        self.last_ckpt = runner.message_hub.runtime_info.get("last_ckpt")
        self._look_for_best_here()
        self.file_backend: Any = _Postponing(self.file_backend)
        if not is_main_process():
            return
        for name in self._left:
            self._remove(os.path.basename(name))
        self._delete_outdated()
        if isinstance(self.file_backend.backend, LocalBackend):
            for name in {self.filename_tmpl, INTERRUPTED}:
                ending = os.path.splitext(name)[1]
                delete_parts(Path(self.out_dir), "*" + glob.escape(ending))

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Name what is deleted next."""
        outdated = map(os.path.basename, self.file_backend.outdated)
        checkpoint["meta"][_OUTDATED] = list(outdated)

    def save_interrupted(self, runner: Any, batches: int) -> str:
        """Save all state after an iteration, inside the hooks that follow it.

        Args:
            runner: The Runner.
            batches: That the epoch has had; 0 if the loop finds its place itself.

        Returns:
            Where it is.
        """
        meta = dict(epoch=runner.epoch, iter=runner.iter + 1)
        if batches:
            meta[BATCHES] = batches
        runner.save_checkpoint(
            self.out_dir, INTERRUPTED, meta=meta, backend_args=self.backend_args
        )
        path = self.file_backend.join_path(self.out_dir, INTERRUPTED)
        if is_main_process():
            write_atomically(Path(runner.work_dir, LAST), path)
        return path

    def _look_for_best_here(self) -> None:
        """A copied work dir names the best of the original, which is not to delete."""
        if getattr(self, "best_ckpt_path", None):
            self.best_ckpt_path = self._find_here(self.best_ckpt_path)
        several = getattr(self, "best_ckpt_path_dict", {})
        several.update({name: self._find_here(path) for name, path in several.items()})

    def _find_here(self, path: str | None) -> str | None:
        """The file of this name in the own folder, None if there is none."""
        if path is None:
            return None
        here = self.file_backend.join_path(self.out_dir, os.path.basename(path))
        return here if self.file_backend.isfile(here) else None

    def _save_checkpoint(self, runner: Any) -> None:
        if is_main_process():
            self._remove(INTERRUPTED)
        super()._save_checkpoint(runner)
        self._delete_outdated()

    def _save_best_checkpoint(self, runner: Any, metrics: dict) -> None:
        super()._save_best_checkpoint(runner, metrics)
        self._delete_outdated()

    def _remove(self, name: str) -> None:
        path = self.file_backend.join_path(self.out_dir, name)
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)

    def _delete_outdated(self) -> None:
        best = getattr(self, "best_ckpt_path_dict", {}).values()
        current = {self.last_ckpt, getattr(self, "best_ckpt_path", None), *best}
        self.file_backend.delete_outdated(current)


class _Postponing:
    """A file backend that deletes files only when it is told to."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.outdated: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def remove(self, path: str) -> None:
        """Note a file to delete."""
        self.outdated.append(path)

    def delete_outdated(self, but: set) -> None:
        """Delete those that were not written anew under the same name."""
        for path in self.outdated:
            if path not in but:
                self.backend.remove(path)
        self.outdated.clear()
