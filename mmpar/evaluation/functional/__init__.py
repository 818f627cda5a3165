"""Metrics as pure functions of numpy arrays."""

from mmpar.evaluation.functional.multi_label import (
    EMPTY_ATTRIBUTE_RULES,
    MultiLabelScores,
    multi_label_scores,
)

__all__ = ["EMPTY_ATTRIBUTE_RULES", "MultiLabelScores", "multi_label_scores"]
