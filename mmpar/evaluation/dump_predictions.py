"""Writes the predictions of a split to a file that people and spreadsheets read."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from typing import Any

from mmengine.logging import print_log

from mmpar.evaluation.prediction_table import PredictionTable, PredictionTableMetric
from mmpar.registry import METRICS


@METRICS.register_module()
class DumpPredictions(PredictionTableMetric):
    """Write image path, scores, decisions and truths of every sample.

    - ``.csv``: one row per image; columns ``img_path``, then ``score:NAME`` of each
      attribute, ``decision:NAME`` of each, ``truth:NAME`` of each. UTF-8 with a byte
      order mark, without which Excel takes it for the code page of the machine; pandas
      reads it as it is, Python's ``csv`` with ``encoding="utf-8-sig"``.
    - ``.json``: ``{"schema": ..., "predictions": [{"img_path", "scores", "decisions",
      "truths"}]}``, in the order of the schema.

    When a sample has a domain, both also have ``domain`` after ``img_path``, by the
    name that ``PARMetric`` gives it, empty for samples without.

    Scores are in [0, 1]; decisions are those of the model, 1 where the score is above
    ``model.head.threshold`` and else 0; truths are 1, 0, or -1 for unknown, as for
    images without labels.

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
        columns = [f"{kind}:{name}" for kind in _KINDS for name in names]
        with open(self.out_file, "w", newline="", encoding="utf-8-sig") as file:
            writer = csv.writer(file)
            for i, (head, *values) in enumerate(_rows(table)):
                if i == 0:
                    writer.writerow([*head, *columns])
                scores, decisions, truths = values
                rounded = (f"{score:.6f}" for score in scores)
                writer.writerow([*head.values(), *rounded, *decisions, *truths])

    def _write_json(self, table: PredictionTable) -> None:
        predictions = [
            dict(head, scores=scores, decisions=decisions, truths=truths)
            for head, scores, decisions, truths in _rows(table)
        ]
        content = dict(schema=self.schema.to_dict(), predictions=predictions)
        with open(self.out_file, "w", encoding="utf-8") as file:
            json.dump(content, file)


def _rows(table: PredictionTable) -> Iterator[tuple[dict[str, str], list, list, list]]:
    """Head, scores, decisions and truths of each image."""
    decisions = table.decisions.astype(int)
    for i, head in enumerate(_heads(table)):
        numbers = (table.scores[i], decisions[i], table.labels[i])
        yield (head, *(row.tolist() for row in numbers))


def _heads(table: PredictionTable) -> list[dict[str, str]]:
    """What tells one image from another: its path, and its domain if any has one."""
    if not any(table.domains):
        return [dict(img_path=path) for path in table.paths]
    pairs = zip(table.paths, table.domains)
    return [dict(img_path=path, domain=domain) for path, domain in pairs]


_KINDS = ("score", "decision", "truth")
