"""Predictions of a whole split: scores, decisions and labels of all samples."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmpar.evaluation.sample_table import Columns, SampleTableMetric, as_array


@dataclass(frozen=True)
class PredictionTable:
    """Scores float32, decisions bool and labels int8, all (N, A), and image paths.

    ``domains`` names the source dataset of each image, empty for one without.
    """

    paths: list[str]
    scores: np.ndarray
    decisions: np.ndarray
    labels: np.ndarray
    domains: list[str]

    def rows(self, chosen: np.ndarray) -> PredictionTable:
        """The predictions of some rows, given as indices."""
        return PredictionTable(
            [self.paths[row] for row in chosen],
            self.scores[chosen],
            self.decisions[chosen],
            self.labels[chosen],
            [self.domains[row] for row in chosen],
        )


class PredictionTableMetric(SampleTableMetric):
    """Base of the metrics that look at all predictions and labels of a split at once.

    Decisions are the model's ``pred_label``, so its thresholds hold everywhere.
    """

    NEEDED = ("pred_score", "pred_label", "gt_score")
    REMEDY = (
        "pred_score and pred_label come from the head, the others from the dataset's "
        "pipeline, which must end in PackPARInputs"
    )

    def row(self, sample: dict) -> Columns:
        """Scores, decisions and labels.

        Raises:
            ValueError: A score is not finite.
        """
        scores = as_array(sample["pred_score"], np.float32)
        if not np.isfinite(scores).all():
            raise ValueError(
                f"the scores of {sample['img_path']} are not finite: {scores}; did "
                "training diverge?"
            )
        decisions = np.zeros(scores.shape, dtype=bool)
        decisions[as_array(sample["pred_label"], np.int64)] = True
        return dict(
            scores=scores,
            decisions=decisions,
            labels=as_array(sample["gt_score"], np.int8),
            domains=np.array(domain_name(sample.get("domain"))),
        )

    def compute_from_columns(self, paths: list[str], columns: Columns) -> dict:
        table = PredictionTable(
            paths,
            columns["scores"],
            columns["decisions"],
            columns["labels"],
            columns["domains"].tolist(),
        )
        return self.compute(table)

    @abstractmethod
    def compute(self, table: PredictionTable) -> dict:
        """Metric name to value, from all predictions."""


def domain_name(domain: Any) -> str:
    """A domain as it is written: a number gets a word, none is empty."""
    if domain is None:
        return ""
    return f"domain{domain}" if isinstance(domain, (int, np.integer)) else str(domain)
