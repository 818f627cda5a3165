"""Trains with DeepSpeed; what it saves is what other trainings save."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mmengine._strategy
from mmengine.runner.checkpoint import weights_to_cpu

from mmpar.registry import STRATEGIES


@STRATEGIES.register_module()
class DeepSpeedStrategy(mmengine._strategy.DeepSpeedStrategy):
    """MMEngine's, whose checkpoints are one file with the whole weights.

    MMEngine writes a folder to resume from, which mmpar does not support, and calls no
    hook, so a checkpoint would name neither data nor score, and no weight would be
    looked at for NaN.

    Raises:
        ValueError: ZeRO's stage 3 is asked for, which leaves no process whole weights,
            or a checkpoint without the frozen ones, which could not be tested.
    """

    def __init__(
        self, *, exclude_frozen_parameters: bool | None = None, **kwargs: Any
    ) -> None:
        if exclude_frozen_parameters:
            raise ValueError(
                "strategy.exclude_frozen_parameters leaves weights out of checkpoints, "
                "which could then not be tested; leave it out"
            )
        super().__init__(**kwargs)
        if self.config.get("zero_optimization", {}).get("stage") == 3:
            raise ValueError(
                "strategy.zero_optimization.stage is 3, which splits the weights, so "
                "that no checkpoint can be saved; take stage 2, or FSDP to split them"
            )

    def save_checkpoint(
        self,
        filename: str,
        *,
        save_optimizer: bool = True,
        save_param_scheduler: bool = True,
        extra_ckpt: dict | None = None,
        callback: Callable[[dict], Any] | None = None,
    ) -> None:
        """Save the weights and what hooks add, without the optimizer."""
        checkpoint = dict(extra_ckpt or dict(meta={}))
        checkpoint["state_dict"] = weights_to_cpu(self.model.module_state_dict())
        if callback is not None:
            callback(checkpoint)
        super().save_checkpoint(
            filename,
            save_optimizer=False,
            save_param_scheduler=save_param_scheduler,
            extra_ckpt=checkpoint,
        )
