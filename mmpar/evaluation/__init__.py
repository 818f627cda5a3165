"""Metrics: functions of arrays, and what joins them to the Runner."""

import mmpar.registry  # noqa: F401  checks the installation, secures checkpoints
from mmpar.evaluation.dump_predictions import (
    DumpPredictions,
    read_dump,
    read_predictions,
    read_record,
    write_predictions,
)
from mmpar.evaluation.localization_metric import AttributeLocalizationMetric
from mmpar.evaluation.occlusion_metric import OcclusionMetric
from mmpar.evaluation.par_metric import PARMetric
from mmpar.evaluation.predictions import Predictions, predict_split

__all__ = [
    "AttributeLocalizationMetric",
    "DumpPredictions",
    "OcclusionMetric",
    "PARMetric",
    "Predictions",
    "predict_split",
    "read_dump",
    "read_predictions",
    "read_record",
    "write_predictions",
]
