"""The multi-label evaluator of pedestrian attribute recognition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.logging import MMLogger

from mmpar.evaluation.functional import (
    EMPTY_ATTRIBUTE_RULES,
    MultiLabelScores,
    multi_label_scores,
)
from mmpar.evaluation.prediction_table import PredictionTable, PredictionTableMetric
from mmpar.evaluation.tables import text_table
from mmpar.registry import METRICS
from mmpar.structures import AttributeSchema


@METRICS.register_module()
class PARMetric(PredictionTableMetric):
    """mA, instance accuracy, precision, recall and F1, label-based F1, in percent.

    Definitions in :func:`mmpar.evaluation.functional.multi_label_scores`. Logs a table
    with a row an attribute. Returns ``par/mA``, ``par/instance_accuracy``,
    ``par/instance_precision``, ``par/instance_recall``, ``par/instance_f1`` and
    ``par/label_f1``.

    Args:
        threshold: A score above it is a positive; one number, or one an attribute in
            the order of the schema.
        empty_attribute: Attributes without a positive or a negative in the split count
            in the means by the ``'official'`` rule (undefined recall = 0, comparable
            with published figures), or not (``'skip'``). They are logged either way.
        **kwargs: See MMEngine's ``BaseMetric``.
    """

    default_prefix = "par"

    def __init__(
        self,
        threshold: float | Sequence[float] = 0.5,
        empty_attribute: str = "official",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if empty_attribute not in EMPTY_ATTRIBUTE_RULES:
            raise ValueError(
                f"empty_attribute is one of {EMPTY_ATTRIBUTE_RULES}, got "
                f"{empty_attribute!r}"
            )
        self.threshold = threshold
        self.empty_attribute = empty_attribute

    def compute(self, table: PredictionTable) -> dict[str, float]:
        """Score the predictions and log the tables."""
        schema = self.schema
        result = multi_label_scores(
            table.scores, table.labels, self.threshold, self.empty_attribute
        )
        metrics = dict(
            mA=result.mean_accuracy,
            instance_accuracy=result.instance_accuracy,
            instance_precision=result.instance_precision,
            instance_recall=result.instance_recall,
            instance_f1=result.instance_f1,
            label_f1=result.label_f1,
        )
        metrics = {name: 100 * value for name, value in metrics.items()}
        logger = MMLogger.get_current_instance()
        logger.info("\n%s", attribute_table(schema, result))
        logger.info("\n%s", summary_table(metrics, len(table.paths)))
        if result.empty.any():
            names = [schema.names[i] for i in np.flatnonzero(result.empty)]
            treated = {
                "official": "counted in the means, their undefined recall as 0",
                "skip": "left out of the means over attributes",
            }[self.empty_attribute]
            logger.info(
                "Attributes without a positive or a negative in this split, %s: %s",
                treated,
                ", ".join(names),
            )
        return metrics


def attribute_table(schema: AttributeSchema, result: MultiLabelScores) -> str:
    """A row an attribute: known labels, and the others in percent."""
    rate = result.positives / np.maximum(result.known, 1)
    columns = (
        rate,
        result.positive_recall,
        result.negative_recall,
        result.attribute_accuracy,
        result.attribute_f1,
    )
    rows = [["attribute", "known", "positive", "recall+", "recall-", "mA", "F1"]]
    for i, name in enumerate(schema.names):
        percents = [f"{100 * column[i]:.2f}" for column in columns]
        rows.append([name, str(int(result.known[i])), *percents])
    return text_table(rows)


def summary_table(metrics: dict[str, float], num_images: int) -> str:
    """One row with the means."""
    values = [f"{value:.2f}" for value in metrics.values()]
    return text_table([["images", *metrics], [str(num_images), *values]])
