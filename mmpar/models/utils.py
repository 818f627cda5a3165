"""Helpers for whole models."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.model import is_model_wrapper
from torch import nn


def unwrap_model(model: nn.Module) -> Any:
    """The model itself, whether or not it is wrapped for distributed runs."""
    return model.module if is_model_wrapper(model) else model


@contextmanager
def without_hooks(model: nn.Module) -> Iterator[None]:
    """No forward hooks, so that nobody who counts the passes of a module is misled."""
    kinds = ("_forward_hooks", "_forward_pre_hooks")
    hooks = [(m, kind, getattr(m, kind)) for m in model.modules() for kind in kinds]
    for module, kind, _ in hooks:
        setattr(module, kind, OrderedDict())
    try:
        yield
    finally:
        for module, kind, own in hooks:
            setattr(module, kind, own)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Eval mode, and afterwards the mode that each module was in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
