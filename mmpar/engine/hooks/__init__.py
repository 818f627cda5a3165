"""Behaviour that joins the Runner."""

from mmpar.engine.hooks.checkpoint_hook import CheckpointHook
from mmpar.engine.hooks.distillation_hook import DistillationHook
from mmpar.engine.hooks.due_validation_hook import DueValidationHook, ValidatedHook
from mmpar.engine.hooks.finite_hook import FiniteHook
from mmpar.engine.hooks.interrupt_hook import InterruptHook
from mmpar.engine.hooks.iteration_seed_hook import IterationSeedHook
from mmpar.engine.hooks.loaded_weights_hook import LoadedWeightsHook
from mmpar.engine.hooks.positive_ratio_hook import PositiveRatioHook
from mmpar.engine.hooks.progress_hook import ProgressHook
from mmpar.engine.hooks.result_record_hook import ResultRecordHook
from mmpar.engine.hooks.resume_hook import ResumeHook
from mmpar.engine.hooks.scale_annealing_hook import ScaleAnnealingHook
from mmpar.engine.hooks.schema_check_hook import SchemaCheckHook
from mmpar.engine.hooks.seen_persons_hook import SeenPersonsHook
from mmpar.engine.hooks.shared_buffers_hook import SharedBuffersHook
from mmpar.engine.hooks.training_record_hook import TrainingRecordHook
from mmpar.engine.hooks.training_report_hook import TrainingReportHook
from mmpar.engine.hooks.validation_check_hook import ValidationCheckHook
from mmpar.engine.hooks.visualization_hook import PARVisualizationHook

__all__ = [
    "CheckpointHook",
    "DistillationHook",
    "DueValidationHook",
    "FiniteHook",
    "InterruptHook",
    "IterationSeedHook",
    "LoadedWeightsHook",
    "PARVisualizationHook",
    "PositiveRatioHook",
    "ProgressHook",
    "ResultRecordHook",
    "ResumeHook",
    "ScaleAnnealingHook",
    "SchemaCheckHook",
    "SeenPersonsHook",
    "SharedBuffersHook",
    "TrainingRecordHook",
    "TrainingReportHook",
    "ValidatedHook",
    "ValidationCheckHook",
]
