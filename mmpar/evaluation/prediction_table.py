"""Predictions of a whole split: scores and labels of all samples."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from mmpar.evaluation.sample_table import Columns, SampleTableMetric, as_array


@dataclass(frozen=True)
class PredictionTable:
    """Scores float32 and labels int8, both (N, A), with the path of each picture."""

    paths: list[str]
    scores: np.ndarray
    labels: np.ndarray


class PredictionTableMetric(SampleTableMetric):
    """Base of the metrics that look at all scores and labels of a split at once."""

    NEEDED = ("pred_score", "gt_score")
    REMEDY = (
        "pred_score comes from the head, the others from the data set's pipeline, "
        "which must end in PackPARInputs"
    )

    def row(self, sample: dict) -> Columns:
        """Scores and labels.

        Raises:
            ValueError: A score is not finite.
        """
        scores = as_array(sample["pred_score"], np.float32)
        if not np.isfinite(scores).all():
            raise ValueError(
                f"the scores of {sample['img_path']} are not finite: {scores}; did "
                "training diverge?"
            )
        return dict(scores=scores, labels=as_array(sample["gt_score"], np.int8))

    def compute_from_columns(self, paths: list[str], columns: Columns) -> dict:
        return self.compute(PredictionTable(paths, **columns))

    @abstractmethod
    def compute(self, table: PredictionTable) -> dict:
        """Metric name to value, from all predictions."""
