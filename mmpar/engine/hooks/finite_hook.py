"""Stops a training whose numbers are no longer finite."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain
from typing import Any

import torch
from mmengine.hooks import Hook
from torch import Tensor

from mmpar.engine.optim_wrappers import each_wrapper
from mmpar.registry import HOOKS

_INPUT_FIELDS = ("gt_score", "gt_keypoints")


@HOOKS.register_module()
class FiniteHook(Hook):
    """Raise at the first loss, gradient norm or saved number that is not finite.

    The images named are those with a pixel, label or keypoint that is not finite; if
    none has one, all that the number was computed from.

    Under AMP the scaler finds infinite gradients itself, skips the step and lowers the
    scale: there, and where an optimizer is not torch's, only the loss is checked.
    """

    # After EMAHook, whose weights are saved; before CheckpointHook, so that none is.
    priority = "BELOW_NORMAL"

    def __init__(self) -> None:
        self._notes_norms = False
        self._norm: Tensor | None = None
        self._batches: list[Any] = []  # since the last step, which used them all

    def before_train(self, runner: Any) -> None:
        """Have each step of an optimizer note the norm of its gradients."""
        for one in each_wrapper(runner.optim_wrapper):
            if hasattr(one, "loss_scaler"):
                continue
            if not isinstance(one.optimizer, torch.optim.Optimizer):  # DeepSpeed's
                runner.logger.warning(
                    "only losses and what is saved are checked for NaN, not the "
                    "gradients: %s has no hooks",
                    type(one.optimizer).__name__,
                )
                continue
            self._notes_norms = True
            one.optimizer.register_step_pre_hook(self._note_norm)

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None):
        """``ValueError`` with the number, epoch, iteration and the images."""
        for name, value in (outputs or {}).items():
            value = value.detach() if isinstance(value, Tensor) else value
            self._require_finite(runner, name, value, [data_batch])
        if self._notes_norms:
            self._batches.append(data_batch)
        if self._norm is not None:
            self._require_finite(runner, "gradient norm", self._norm, self._batches)
            self._norm, self._batches = None, []

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """``ValueError`` with the first weight that is not finite."""
        for name, value in _saved_tensors(checkpoint):
            if value.is_floating_point() and not value.isfinite().all():
                raise ValueError(
                    f"{name} is not finite after epoch {runner.epoch}, "
                    f"iteration {runner.iter}; the checkpoint was not written. Lower "
                    "the learning rate or clip gradients, then --resume"
                )

    def _note_norm(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        parameters = chain(*(group["params"] for group in optimizer.param_groups))
        norms = [p.grad.norm() for p in parameters if p.grad is not None]
        if norms:
            norm = torch.stack(norms).norm()
            self._norm = norm if self._norm is None else self._norm + norm

    def _require_finite(
        self, runner: Any, name: str, value: Any, batches: list[Any]
    ) -> None:
        if math.isfinite(value):
            return
        samples = list(chain(*map(_samples, batches)))
        odd = [path for path, is_finite in samples if not is_finite]
        kind = "images with a value that is not finite" if odd else "images"
        paths = odd or [path for path, _ in samples]
        raise ValueError(
            f"{name} is {float(value)} at epoch {runner.epoch + 1}, iteration "
            f"{runner.iter + 1}; {kind}: {', '.join(paths)}. Nothing of it was saved: "
            "check these images and their labels, lower the learning rate or clip "
            "gradients, then --resume"
        )


def _samples(batch: Any) -> Iterator[tuple[str, bool]]:
    """The path of each image in a batch, and whether what it brings is finite."""
    batch = batch or {}
    samples = batch.get("data_samples") or []
    inputs = batch.get("inputs")
    for position, sample in enumerate(samples):
        values = [sample.get(field) for field in _INPUT_FIELDS]
        values += [] if inputs is None else [inputs[position]]
        tensors = [value for value in values if isinstance(value, Tensor)]
        is_finite = all(bool(value.isfinite().all()) for value in tensors)
        yield str(sample.get("img_path", "no path")), is_finite


def _saved_tensors(checkpoint: dict) -> Iterator[tuple[str, Tensor]]:
    """Weights, those that were averaged, and the optimizer's own numbers."""
    weights = {**checkpoint.get("ema_state_dict", {}), **checkpoint["state_dict"]}
    for name, value in weights.items():
        # Unknown where the training data has no label.
        if isinstance(value, Tensor) and not name.endswith("head.positive_ratio"):
            yield f"the weight {name}", value
    for number, state in checkpoint.get("optimizer", {}).get("state", {}).items():
        for name, value in state.items():
            if isinstance(value, Tensor):
                yield f"the optimizer's {name} of parameter {number}", value
