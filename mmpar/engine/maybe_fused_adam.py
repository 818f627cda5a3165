"""Adam whose step is one call, where torch has that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from mmengine.logging import print_log

from mmpar.registry import OPTIMIZERS


@OPTIMIZERS.register_module()
class MaybeFusedAdam(torch.optim.Adam):
    """torch's Adam, fused if torch can do so for these parameters.

    Results are equal but for rounding. torch before 2.4 fuses on GPUs only: where it
    refuses, the step is the ordinary one, and the log says so. Checkpoints do not say
    which it was: they are those of ``torch.optim.Adam``, and are resumed by either.

    Args:
        params: What is trained, as for ``torch.optim.Adam``.
        **kwargs: As for ``torch.optim.Adam``, without ``fused``.

    Raises:
        ValueError: ``fused`` is given.
    """

    def __init__(self, params: Any, **kwargs: Any) -> None:
        if "fused" in kwargs:
            raise ValueError(
                "MaybeFusedAdam is fused where torch can do that; to say whether, take "
                "torch's: optim_wrapper.optimizer.type='Adam'"
            )
        groups = list(params)  # a generator is read once
        # torch writes its defaults into groups, even where it refuses.
        copies = [dict(one) if isinstance(one, dict) else one for one in groups]
        try:
            super().__init__(copies, fused=True, **kwargs)
        except RuntimeError as error:
            print_log(f"Adam is not fused: {error}", "current")
            super().__init__(groups, **kwargs)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """As torch's, wherever gradients and moments lie in memory.

        Its fused step on CPUs takes values by their place: moments of a training with
        the channels first, resumed with the channels last, would go to other weights.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            if group["fused"]:
                for weight in group["params"]:
                    _lay_out_like(weight, self.state.get(weight, {}))
        super().step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """As ``torch.optim.Adam``'s that is not fused."""
        state = super().state_dict()
        for group in state["param_groups"]:
            group["fused"] = None
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As torch's, but fused as before."""
        fused = [group["fused"] for group in self.param_groups]
        super().load_state_dict(state_dict)
        for group, before in zip(self.param_groups, fused):
            group["fused"] = before


def _lay_out_like(weight: torch.Tensor, moments: dict[str, torch.Tensor]) -> None:
    """Lay the gradient and the moments of a weight out in memory as it is."""
    if weight.grad is None:
        return
    if weight.grad.stride() != weight.stride():
        weight.grad = _laid_out(weight.grad, weight)
    for name, moment in moments.items():
        if moment.shape == weight.shape and moment.stride() != weight.stride():
            moments[name] = _laid_out(moment, weight)


def _laid_out(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(weight, dtype=values.dtype).copy_(values)
