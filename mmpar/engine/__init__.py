"""What joins MMEngine's Runner: hooks, the tools' arguments, the way it is built."""

from mmpar.engine.command_line import runner_arguments, runner_config
from mmpar.engine.hooks import PositiveRatioHook, SchemaCheckHook
from mmpar.engine.runner import build_runner

__all__ = [
    "PositiveRatioHook",
    "SchemaCheckHook",
    "build_runner",
    "runner_arguments",
    "runner_config",
]
