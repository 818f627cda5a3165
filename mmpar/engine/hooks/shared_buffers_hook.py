"""Validates in all processes what the first one saves."""

from itertools import chain
from typing import Any

from mmengine.dist import broadcast, is_distributed
from mmengine.hooks import EMAHook, Hook

from mmpar.registry import HOOKS


@HOOKS.register_module()
class SharedBuffersHook(Hook):
    """Give all processes the first one's buffers before each validation.

    Each process has batch statistics of its own, and the first one's are saved. A score
    by others would belong to no file, and a resumed run could not reproduce it. Those
    of averaged weights and of the others are shared, at the end of each epoch too.
    """

    priority = "BELOW_NORMAL"  # after EMAHook, which puts the averaged model in place

    def before_val_epoch(self, runner: Any) -> None:
        """Broadcast, if there is more than one process."""
        _share_buffers(runner)

    def after_train_epoch(self, runner: Any) -> None:
        """The same where nothing is validated."""
        _share_buffers(runner)


def _share_buffers(runner: Any) -> None:
    if is_distributed():
        averages = [h.ema_model for h in runner.hooks if isinstance(h, EMAHook)]
        for buffer in chain(*(model.buffers() for model in [runner.model, *averages])):
            broadcast(buffer, src=0)
