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
    check_threshold,
    map_peak,
    map_to_box,
)
from mmpar.evaluation.functional.scale_search import best_levels, region_accuracies

__all__ = [
    "DEFAULT_THRESHOLD",
    "EMPTY_ATTRIBUTE_RULES",
    "LocalizationScores",
    "MultiLabelScores",
    "best_levels",
    "check_threshold",
    "decide",
    "localization_scores",
    "map_peak",
    "map_to_box",
    "multi_label_scores",
    "region_accuracies",
]
