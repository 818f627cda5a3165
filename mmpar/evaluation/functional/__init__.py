"""Metrics as pure functions of numpy arrays."""

from mmpar.evaluation.functional.localization import (
    LocalizationScores,
    box_area,
    box_iou,
    localization_scores,
    points_inside,
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
    "box_area",
    "box_iou",
    "box_of_map",
    "check_threshold",
    "decide",
    "localization_scores",
    "multi_label_scores",
    "peak_of_map",
    "points_inside",
    "region_accuracies",
]
