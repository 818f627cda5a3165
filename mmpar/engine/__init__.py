"""What joins MMEngine's Runner: hooks, the tools' arguments, the launch on CPUs."""

from mmpar.engine.command_line import runner_arguments, runner_config
from mmpar.engine.hooks import PositiveRatioHook, SchemaCheckHook
from mmpar.engine.launch import prepare_cpu_launch

__all__ = [
    "PositiveRatioHook",
    "SchemaCheckHook",
    "prepare_cpu_launch",
    "runner_arguments",
    "runner_config",
]
