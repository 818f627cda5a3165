"""Metrics as pure functions of numpy arrays."""

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
    box_of_map,
    check_threshold,
    peak_of_map,
)
from mmpar.evaluation.functional.scale_search import best_levels, region_accuracies

__all__ = [
    "DEFAULT_THRESHOLD",
    "EMPTY_ATTRIBUTE_RULES",
    "LocalizationScores",
    "MultiLabelScores",
    "best_levels",
    "box_of_map",
    "check_threshold",
    "decide",
    "localization_scores",
    "multi_label_scores",
    "peak_of_map",
    "region_accuracies",
]
