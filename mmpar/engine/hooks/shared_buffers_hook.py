"""Validates in all processes what the first one saves."""

from typing import Any

from mmengine.dist import broadcast, is_distributed
from mmengine.hooks import Hook

from mmpar.registry import HOOKS


@HOOKS.register_module()
class SharedBuffersHook(Hook):
    """Give all processes the first one's buffers before each validation.

    Each process has batch statistics of its own, and the first one's are saved. A score
    by others would belong to no file, and a resumed run could not reproduce it.
    """

    priority = "BELOW_NORMAL"  # after EMAHook, which puts the averaged model in place

    def before_val_epoch(self, runner: Any) -> None:
        """Broadcast, if there is more than one process."""
        if is_distributed():
            for buffer in runner.model.buffers():
                broadcast(buffer, src=0)
