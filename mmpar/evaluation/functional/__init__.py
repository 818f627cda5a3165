"""Metrics as pure functions of numpy arrays."""

from mmpar.evaluation.functional.bootstrap import Interval, bootstrap
from mmpar.evaluation.functional.calibration import (
    METHODS,
    FittedCalibration,
    Reliability,
    calibration_errors,
    fit_calibration,
    ideal_calibration_errors,
    reliability,
    set_truth,
)
from mmpar.evaluation.functional.confident_learning import (
    LabelErrors,
    find_label_errors,
)
from mmpar.evaluation.functional.conformal import (
    conformal_quantile,
    coverage_of_answers,
    fit_conformal,
)
from mmpar.evaluation.functional.localization import (
    LocalizationScores,
    localization_scores,
)
from mmpar.evaluation.functional.multi_label import (
    EMPTY_ATTRIBUTE_RULES,
    MultiLabelScores,
    decide,
    multi_label_scores,
)
from mmpar.evaluation.functional.response_boxes import (
    DEFAULT_THRESHOLD,
    check_threshold,
    map_peak,
    map_to_box,
)
from mmpar.evaluation.functional.scale_search import best_levels, region_accuracies
from mmpar.evaluation.functional.thresholds import (
    OBJECTIVES,
    FittedThresholds,
    fit_thresholds,
)

__all__ = [
    "DEFAULT_THRESHOLD",
    "EMPTY_ATTRIBUTE_RULES",
    "METHODS",
    "OBJECTIVES",
    "FittedCalibration",
    "FittedThresholds",
    "Interval",
    "LabelErrors",
    "LocalizationScores",
    "MultiLabelScores",
    "Reliability",
    "best_levels",
    "bootstrap",
    "calibration_errors",
    "check_threshold",
    "conformal_quantile",
    "coverage_of_answers",
    "decide",
    "find_label_errors",
    "fit_calibration",
    "fit_conformal",
    "fit_thresholds",
    "ideal_calibration_errors",
    "localization_scores",
    "map_peak",
    "map_to_box",
    "multi_label_scores",
    "region_accuracies",
    "reliability",
    "set_truth",
]
