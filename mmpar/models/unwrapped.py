"""The model inside a wrapper for distributed runs."""

from __future__ import annotations

from typing import Any

from mmengine.model import is_model_wrapper
from torch import nn


def unwrap_model(model: nn.Module) -> Any:
    """The model itself, whether or not it is wrapped for distributed runs."""
    return model.module if is_model_wrapper(model) else model
