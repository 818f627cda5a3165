"""What joins MMEngine's Runner: hooks, loops, and the way the tools run it."""

import mmpar.registry  # noqa: F401  checks the installation, secures checkpoints
from mmpar.engine.bfloat16_optim_wrapper import (
    BFloat16OptimWrapper,
    mixed_precision,
)
from mmpar.engine.deepspeed_strategy import DeepSpeedStrategy
from mmpar.engine.hooks import (
    CheckpointHook,
    DistillationHook,
    DueValidationHook,
    FiniteHook,
    InterruptHook,
    IterationSeedHook,
    LoadedWeightsHook,
    PARVisualizationHook,
    PositiveRatioHook,
    ProgressHook,
    ResumeHook,
    ScaleAnnealingHook,
    SchemaCheckHook,
    SeenPersonsHook,
    SharedBuffersHook,
    TrainingReportHook,
    ValidatedHook,
    ValidationCheckHook,
)
from mmpar.engine.loops import CrossDatasetLoop, ExplainLoop, ResumableEpochLoop
from mmpar.engine.maybe_fused_adam import MaybeFusedAdam
from mmpar.engine.runner import PARRunner, build_runner, running

__all__ = [
    "BFloat16OptimWrapper",
    "CheckpointHook",
    "CrossDatasetLoop",
    "DeepSpeedStrategy",
    "DistillationHook",
    "DueValidationHook",
    "ExplainLoop",
    "FiniteHook",
    "InterruptHook",
    "IterationSeedHook",
    "LoadedWeightsHook",
    "MaybeFusedAdam",
    "PARRunner",
    "PARVisualizationHook",
    "PositiveRatioHook",
    "ProgressHook",
    "ResumableEpochLoop",
    "ResumeHook",
    "ScaleAnnealingHook",
    "SchemaCheckHook",
    "SeenPersonsHook",
    "SharedBuffersHook",
    "TrainingReportHook",
    "ValidatedHook",
    "ValidationCheckHook",
    "build_runner",
    "mixed_precision",
    "running",
]
