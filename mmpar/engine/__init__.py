"""What joins MMEngine's Runner: hooks, the tools' arguments, the way it is built."""

import mmpar.registry  # noqa: F401  checks the installation, secures checkpoints
from mmpar.engine.checkpoints import checkpoint_to_test, settle_resume
from mmpar.engine.command_line import (
    config_hash,
    evaluation_config,
    read_config,
    runner_config,
    set_checkpoint,
    with_dump,
)
from mmpar.engine.config_check import check_config
from mmpar.engine.explaining import (
    explainer_config,
    load_to_explain,
)
from mmpar.engine.hooks import (
    DueValidationHook,
    FiniteHook,
    LoadedWeightsHook,
    PARVisualizationHook,
    PositiveRatioHook,
    ProgressHook,
    ResumeHook,
    ScaleAnnealingHook,
    SchemaCheckHook,
    SharedBuffersHook,
    TrainingReportHook,
    ValidatedHook,
    ValidationCheckHook,
)
from mmpar.engine.launch import leave_processes
from mmpar.engine.loops import ExplainLoop
from mmpar.engine.runner import PARRunner, build_runner
from mmpar.engine.seeding import IterationSeedHook

__all__ = [
    "DueValidationHook",
    "ExplainLoop",
    "FiniteHook",
    "IterationSeedHook",
    "LoadedWeightsHook",
    "PARRunner",
    "PARVisualizationHook",
    "PositiveRatioHook",
    "ProgressHook",
    "ResumeHook",
    "ScaleAnnealingHook",
    "SchemaCheckHook",
    "SharedBuffersHook",
    "TrainingReportHook",
    "ValidatedHook",
    "ValidationCheckHook",
    "build_runner",
    "check_config",
    "checkpoint_to_test",
    "config_hash",
    "evaluation_config",
    "explainer_config",
    "leave_processes",
    "load_to_explain",
    "read_config",
    "runner_config",
    "set_checkpoint",
    "settle_resume",
    "with_dump",
]
