"""Adam whose step is one call, where torch has that."""

from __future__ import annotations

from collections.abc import Iterator
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
                "MaybeFusedAdam is fused where torch can do that; to choose, use "
                "torch's Adam: optim_wrapper.optimizer.type='Adam'"
            )
        groups = [_copied(one) for one in params]
        try:  # torch writes its defaults into groups, even where it refuses
            torch.optim.Adam([_copied(one) for one in groups], fused=True, **kwargs)
            super().__init__(groups, fused=True, **kwargs)
        except RuntimeError as error:
            print_log(f"Adam is not fused: {error}", "current")
            super().__init__(groups, **kwargs)
        self._layout = self.register_step_pre_hook(_lay_out_like_weights)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy has hooks of its own."""
        super().__setstate__(state)
        if "_layout" not in self.__dict__:
            self._layout = self.register_step_pre_hook(_lay_out_like_weights)

    def state_dict(self) -> dict[str, Any]:
        """As ``torch.optim.Adam``'s that is not fused."""
        state = super().state_dict()
        for group in state["param_groups"]:
            group["fused"] = None
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As torch's, but fused as before."""
        saved, own = state_dict["param_groups"], self.param_groups
        if len(saved) == len(own):  # else torch has an error
            saved = [{**a, "fused": b["fused"]} for a, b in zip(saved, own)]
        super().load_state_dict({**state_dict, "param_groups": saved})


def _copied(one: Any) -> Any:
    """A parameter, or a copy of a group of them, whose generator is read once."""
    if not isinstance(one, dict):
        return one
    params = one["params"]
    return {**one, "params": list(params) if isinstance(params, Iterator) else params}


def _lay_out_like_weights(optimizer: torch.optim.Adam, *_: Any) -> None:
    """Lay gradients and moments out in memory as their weights are.

    torch's fused step on CPUs takes values by their place: moments of a training with
    the channels first, resumed with the channels last, would go to other weights.
    """
    for group in optimizer.param_groups:
        for weight in group["params"] if group["fused"] else ():
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
