"""Writes the predictions of a split to a file that people and spreadsheets read."""

from __future__ import annotations

import csv
import json
import os
from typing import Any

from mmengine.logging import print_log

from mmpar.evaluation.prediction_table import PredictionTable, PredictionTableMetric
from mmpar.registry import METRICS


@METRICS.register_module()
class DumpPredictions(PredictionTableMetric):
    """Write image path, scores and labels of every sample.

    - ``.csv``: a row an image; columns ``img_path``, ``score:NAME`` for each attribute,
      ``label:NAME`` for each attribute.
    - ``.json``: ``{"schema": ..., "predictions": [{"img_path", "scores", "labels"}]}``,
      scores and labels in the order of the schema.

    When a sample has a domain, both also have ``domain`` after ``img_path``, by the
    name that ``PARMetric`` gives it, empty for samples without.

    Scores are in [0, 1]; labels are 1, 0, or -1 for unknown.

    Args:
        out_file: Path ending in ``.csv`` or ``.json``; its folder is made if needed.
        **kwargs: See MMEngine's ``BaseMetric``.
    """

    def __init__(self, out_file: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not out_file.endswith((".csv", ".json")):
            raise ValueError(
                f"predictions are written to a .csv or .json file, got {out_file!r}"
            )
        self.out_file = out_file

    def compute(self, table: PredictionTable) -> dict:
        """Write the file; there is no number to return."""
        os.makedirs(os.path.dirname(os.path.abspath(self.out_file)), exist_ok=True)
        write = self._write_csv if self.out_file.endswith(".csv") else self._write_json
        write(table)
        print_log(f"{len(table.paths)} predictions in {self.out_file}", "current")
        return {}

    def _write_csv(self, table: PredictionTable) -> None:
        names = self.schema.names
        with open(self.out_file, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            scores, labels = ([f"{kind}:{n}" for n in names] for kind in _KINDS)
            heads = _heads(table)
            writer.writerow([*heads[0], *scores, *labels])
            for head, score, label in zip(heads, table.scores, table.labels):
                values = (f"{s:.6f}" for s in score)
                writer.writerow([*head.values(), *values, *label.tolist()])

    def _write_json(self, table: PredictionTable) -> None:
        predictions = [
            dict(head, scores=score.tolist(), labels=label.tolist())
            for head, score, label in zip(_heads(table), table.scores, table.labels)
        ]
        content = dict(schema=self.schema.to_dict(), predictions=predictions)
        with open(self.out_file, "w", encoding="utf-8") as file:
            json.dump(content, file)


def _heads(table: PredictionTable) -> list[dict[str, str]]:
    """What tells one image from another: its path, and its domain if any has one."""
    if not any(table.domains):
        return [dict(img_path=path) for path in table.paths]
    pairs = zip(table.paths, table.domains)
    return [dict(img_path=path, domain=domain) for path, domain in pairs]


_KINDS = ("score", "label")
