"""Metrics as pure functions of numpy arrays."""

from mmpar.evaluation.functional.agreement import cohen_kappa
from mmpar.evaluation.functional.bootstrap import (
    Interval,
    bootstrap,
    interval_of_draws,
    number_persons,
    person_weights,
)
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
from mmpar.evaluation.functional.image_sums import (
    ImageTerms,
    SummedMetrics,
    bins_of_sums,
    errors_of_bins,
    image_terms,
    mean_over,
    metrics_of_sums,
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
from mmpar.evaluation.functional.ranking import (
    average_precision,
    precision_recall,
    roc_auc,
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
    "ImageTerms",
    "Interval",
    "LabelErrors",
    "LocalizationScores",
    "MultiLabelScores",
    "Reliability",
    "SummedMetrics",
    "average_precision",
    "best_levels",
    "bins_of_sums",
    "bootstrap",
    "calibration_errors",
    "check_threshold",
    "cohen_kappa",
    "conformal_quantile",
    "coverage_of_answers",
    "decide",
    "errors_of_bins",
    "find_label_errors",
    "fit_calibration",
    "fit_conformal",
    "fit_thresholds",
    "ideal_calibration_errors",
    "image_terms",
    "interval_of_draws",
    "localization_scores",
    "map_peak",
    "map_to_box",
    "mean_over",
    "metrics_of_sums",
    "multi_label_scores",
    "number_persons",
    "person_weights",
    "precision_recall",
    "region_accuracies",
    "reliability",
    "roc_auc",
    "set_truth",
]
