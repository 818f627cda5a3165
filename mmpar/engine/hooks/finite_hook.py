"""Stops a training whose numbers are no longer finite."""

from __future__ import annotations

import math
from itertools import chain
from typing import Any

import torch
from mmengine.hooks import Hook

from mmpar.registry import HOOKS


@HOOKS.register_module()
class FiniteHook(Hook):
    """Raise at the first loss or gradient norm that is not finite.

    Under AMP the scaler finds infinite gradients itself, skips the step and lowers the
    scale: there only the loss is checked. Without ``clip_grad`` there is no gradient
    norm; the weights are checked before they are saved.
    """

    # After EMAHook, whose weights are saved; before CheckpointHook, so that none is.
    priority = "BELOW_NORMAL"

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None):
        """``ValueError`` with the number, epoch, iteration and the images."""
        numbers = {
            name: float(value.detach() if isinstance(value, torch.Tensor) else value)
            for name, value in (outputs or {}).items()
        }
        if not hasattr(runner.optim_wrapper, "loss_scaler"):
            norms = runner.message_hub.log_scalars.get("train/grad_norm")
            if norms is not None:
                numbers["grad_norm"] = norms.current()
        for name, value in numbers.items():
            if not math.isfinite(value):
                raise ValueError(
                    f"{name} is {value} at epoch {runner.epoch + 1}, iteration "
                    f"{runner.iter + 1}; images: {', '.join(_images(data_batch))}. "
                    "Nothing of it was saved: check these images' labels, lower the "
                    "learning rate or clip gradients, then --resume"
                )

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """``ValueError`` with the first weight that is not finite."""
        averaged = checkpoint.get("ema_state_dict", {})  # or those that were averaged
        for name, value in chain(checkpoint["state_dict"].items(), averaged.items()):
            if (
                isinstance(value, torch.Tensor)
                and value.is_floating_point()
                and not name.endswith("head.positive_ratio")
                and not value.isfinite().all()
            ):
                raise ValueError(
                    f"the weight {name} is not finite after epoch {runner.epoch}, "
                    f"iteration {runner.iter}; the checkpoint was not written. Lower "
                    "the learning rate or clip gradients, then --resume"
                )


def _images(data_batch: Any) -> list[str]:
    samples = (data_batch or {}).get("data_samples", [])
    return [str(sample.get("img_path", "no path")) for sample in samples]
