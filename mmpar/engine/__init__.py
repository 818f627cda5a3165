"""What joins MMEngine's Runner: hooks, the tools' arguments, the way it is built."""

from mmpar.engine.checkpoints import checkpoint_to_test, latest_checkpoint
from mmpar.engine.command_line import (
    config_arguments,
    config_hash,
    config_names,
    read_config,
    runner_arguments,
    runner_config,
    set_checkpoint,
    with_dump,
)
from mmpar.engine.explaining import (
    explainer_arguments,
    explainer_config,
    load_to_explain,
)
from mmpar.engine.hooks import (
    DueValidationHook,
    FiniteHook,
    PositiveRatioHook,
    ScaleAnnealingHook,
    SchemaCheckHook,
    StrictLoadHook,
    ValidatedHook,
)
from mmpar.engine.launch import leave_processes
from mmpar.engine.loops import ExplainLoop
from mmpar.engine.runner import ResumableRunner, build_runner
from mmpar.engine.seeding import IterationSeedHook

__all__ = [
    "DueValidationHook",
    "ExplainLoop",
    "FiniteHook",
    "IterationSeedHook",
    "PositiveRatioHook",
    "ResumableRunner",
    "ScaleAnnealingHook",
    "SchemaCheckHook",
    "StrictLoadHook",
    "ValidatedHook",
    "build_runner",
    "checkpoint_to_test",
    "config_arguments",
    "config_hash",
    "config_names",
    "explainer_arguments",
    "explainer_config",
    "latest_checkpoint",
    "leave_processes",
    "load_to_explain",
    "read_config",
    "runner_arguments",
    "runner_config",
    "set_checkpoint",
    "with_dump",
]
