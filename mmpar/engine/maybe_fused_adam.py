"""Adam whose step is one call, where torch has that."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.logging import print_log

from mmpar.registry import OPTIMIZERS


@OPTIMIZERS.register_module()
def maybe_fused_adam(params: Any, **kwargs: Any) -> torch.optim.Adam:
    """torch's Adam, fused if torch can do so for these parameters.

    Results are equal but for rounding. torch before 2.4 fuses on GPUs only: where it
    refuses, the optimizer is the ordinary one, and the log says so.

    Args:
        params: What is trained, as for ``torch.optim.Adam``.
        **kwargs: As for ``torch.optim.Adam``, without ``fused``.
    """
    groups = list(params)  # a generator is read once, and there may be two attempts
    try:
        optimizer = torch.optim.Adam(groups, fused=True, **kwargs)
    except RuntimeError as error:
        print_log(f"Adam is not fused: {error}", "current")
        return torch.optim.Adam(groups, **kwargs)
    optimizer.register_step_pre_hook(_lay_out_like_weights)
    return optimizer


def _lay_out_like_weights(optimizer: torch.optim.Adam, *_: Any) -> None:
    """Lay gradients and moments out as their weights are.

    torch's fused step on CPUs takes them by their place in memory, so that moments of
    a training with the channels first, resumed with the channels last, would go to
    other weights without a word.
    """
    for group in optimizer.param_groups:
        for weight in group["params"]:
            if weight.grad is None:
                continue
            if weight.grad.stride() != weight.stride():
                weight.grad = _laid_out(weight.grad, weight)
            moments = optimizer.state.get(weight, {})
            for name, moment in moments.items():
                if moment.shape == weight.shape and moment.stride() != weight.stride():
                    moments[name] = _laid_out(moment, weight)


def _laid_out(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(weight, dtype=values.dtype).copy_(values)
