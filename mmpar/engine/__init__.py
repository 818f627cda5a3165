"""What joins MMEngine's Runner: hooks, and the launch on machines without a GPU."""

from mmpar.engine.hooks import PositiveRatioHook, SchemaCheckHook
from mmpar.engine.launch import prepare_cpu_launch

__all__ = ["PositiveRatioHook", "SchemaCheckHook", "prepare_cpu_launch"]
