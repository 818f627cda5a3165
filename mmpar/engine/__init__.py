"""What joins MMEngine's Runner: hooks, the tools' arguments, the way it is built."""

from mmpar.engine.checkpoints import best_checkpoint, latest_checkpoint
from mmpar.engine.command_line import runner_arguments, runner_config, set_checkpoint
from mmpar.engine.explaining import explainer_arguments, explainer_config
from mmpar.engine.hooks import PositiveRatioHook, SchemaCheckHook, StrictLoadHook
from mmpar.engine.loops import ExplainLoop
from mmpar.engine.runner import build_runner

__all__ = [
    "ExplainLoop",
    "PositiveRatioHook",
    "SchemaCheckHook",
    "StrictLoadHook",
    "best_checkpoint",
    "build_runner",
    "explainer_arguments",
    "explainer_config",
    "latest_checkpoint",
    "runner_arguments",
    "runner_config",
    "set_checkpoint",
]
