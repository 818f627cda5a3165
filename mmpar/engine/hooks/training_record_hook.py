"""Writes into checkpoints what they were trained on and chosen by."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import CheckpointHook, Hook

from mmpar.datasets.training_record import name_split, record_data
from mmpar.engine.hooks.checkpoint_hook import BATCHES
from mmpar.registry import HOOKS
from mmpar.utils.checkpoint_search import best_score_of


@HOOKS.register_module()
class TrainingRecordHook(Hook):
    """Have checkpoints say where they come from, for who publishes or gets them.

    Their ``meta`` gets ``training_data``, see
    :func:`mmpar.datasets.training_record.record_data`, and ``chosen_by``:
    ``dict(metric, split, value)`` of the best checkpoint, None in others.
    """

    def before_train(self, runner: Any) -> None:
        """Read what is trained on; a warning if it does not say."""
        self.training_data: dict[str, Any] | None = None
        self.val_split = "unknown"
        try:
            self.training_data = record_data(runner.train_dataloader.dataset)
            if runner.val_loop is not None:
                self.val_split = name_split(runner.val_dataloader.dataset)
        except TypeError as error:
            runner.logger.warning(
                "checkpoints will not say all about the data: %s", error
            )

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Add both."""
        meta = checkpoint["meta"]
        meta["training_data"] = self.training_data
        meta["chosen_by"] = self._chosen_by(runner, meta)

    def _chosen_by(self, runner: Any, meta: dict[str, Any]) -> dict[str, Any] | None:
        if BATCHES in meta:  # not the weights that the epoch before it ended with
            return None
        savers = [hook for hook in runner.hooks if isinstance(hook, CheckpointHook)]
        names = [
            name for hook in savers for name in getattr(hook, "key_indicators", ())
        ]
        best = best_score_of(runner.message_hub.runtime_info, names, meta)
        return best and {**best, "split": self.val_split}
