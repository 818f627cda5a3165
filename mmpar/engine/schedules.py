"""Fits a learning rate schedule to a training of another length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_SPANS = ("begin", "end", "T_max")
_STEPS = ("milestones", "step_size")


def scaled_schedule(param_scheduler: Any, new: int, old: int) -> Any:
    """The ``param_scheduler`` of a config for ``new`` epochs instead of ``old``.

    Scaled are ``begin``, ``end``, ``T_max``, ``milestones``, ``step_size``. The first
    three are exact where ``convert_to_iter_based`` lets them lie within an epoch; all
    else is rounded to whole steps, 1 at least. A schedule without these fields, as
    ``ReduceOnPlateauLR``, stays as it is.

    Args:
        param_scheduler: One, or a list of them; None for none.
        new: Epochs of the training to come.
        old: Epochs the schedule was written for.
    """
    if param_scheduler is None:
        return None
    if not isinstance(param_scheduler, dict):
        return [scaled_schedule(part, new, old) for part in param_scheduler]
    scaled = dict(param_scheduler)
    exact = scaled.get("convert_to_iter_based", False)
    for field in (*_SPANS, *_STEPS):
        if scaled.get(field) is not None:
            whole = field in _STEPS or not exact
            scaled[field] = _scaled(scaled[field], new, old, whole)
    return scaled


def _scaled(value: Any, new: int, old: int, whole: bool) -> Any:
    if isinstance(value, Sequence):
        return [_scaled(part, new, old, whole) for part in value]
    product = value * new / old
    return max(round(product), min(value, 1)) if whole else product
