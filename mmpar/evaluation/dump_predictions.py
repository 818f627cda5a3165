"""Writes the predictions of a split to a file that people and spreadsheets read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mmengine.logging import print_log

from mmpar.evaluation.gather import Columns, SplitMetric
from mmpar.evaluation.predictions import Predictions, prediction_row
from mmpar.registry import METRICS
from mmpar.structures import AttributeSchema, build_schema
from mmpar.utils.atomic import write_atomically

if TYPE_CHECKING:
    import pandas as pd


@METRICS.register_module()
class DumpPredictions(SplitMetric):
    """Write image path, scores, decisions and truths of every sample.

    - ``.csv``: one row per image; columns ``img_path``, then ``score:NAME`` of each
      attribute, ``decision:NAME`` of each, ``truth:NAME`` of each. UTF-8 with a byte
      order mark, without which Excel takes it for the code page of the machine; pandas
      reads it as it is, Python's ``csv`` with ``encoding="utf-8-sig"``.
    - ``.json``: ``{"schema": ..., "predictions": [{"img_path", "scores", "decisions",
      "truths"}]}``, in the order of the schema; :func:`read_predictions` reads it.

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

    def row(self, sample: dict) -> Columns:
        """See :func:`prediction_row`."""
        return prediction_row(sample)

    def compute_metrics(self, columns: Any) -> dict:
        """Write the file; there is no number to return."""
        predictions = Predictions.from_columns(columns)
        write_predictions(self.out_file, predictions, self.schema)
        count = len(predictions.img_path)
        print_log(f"{count} predictions in {self.out_file}", "current")
        return {}


def write_predictions(
    file: str | Path, predictions: Predictions, schema: AttributeSchema
) -> None:
    """Write a ``.csv`` or ``.json`` as :class:`DumpPredictions` describes it."""
    text = _csv_text if str(file).endswith(".csv") else _json_text
    write_atomically(file, text(predictions, schema))


def read_prediction_schema(file: str | Path) -> AttributeSchema:
    """The schema of a ``.json`` file of :class:`DumpPredictions`.

    Raises:
        ValueError: It is no such file.
    """
    try:
        return build_schema(json.loads(Path(file).read_text("utf-8"))["schema"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{file} does not hold the schema of DumpPredictions ({error!r})"
        ) from error


def read_predictions(file: str | Path) -> Predictions:
    """Read a ``.json`` file of :class:`DumpPredictions`, which names no persons.

    Raises:
        ValueError: It is no such file.
    """
    try:
        rows = json.loads(Path(file).read_text(encoding="utf-8"))["predictions"]
        found = Predictions(
            img_path=np.array([row["img_path"] for row in rows], object),
            scores=np.array([row["scores"] for row in rows], np.float32),
            decisions=np.array([row["decisions"] for row in rows], bool),
            labels=np.array([row["truths"] for row in rows], np.int8),
            domain=np.array([row.get("domain", "") for row in rows], object),
            person_id=np.full(len(rows), "", object),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{file} does not hold the predictions of DumpPredictions ({error!r})"
        ) from error
    return found


def _csv_text(predictions: Predictions, schema: AttributeSchema) -> bytes:
    import pandas as pd  # takes a second, and few runs write a file

    parts = dict(
        score=predictions.scores,
        decision=predictions.decisions.astype(int),
        truth=predictions.labels,
    )
    frames = [
        pd.DataFrame(values, columns=[f"{part}:{name}" for name in schema.names])
        for part, values in parts.items()
    ]
    frame = pd.concat([_heads(predictions), *frames], axis=1)
    text = frame.to_csv(index=False, float_format="%.6f", lineterminator="\r\n")
    return text.encode("utf-8-sig")


def _json_text(predictions: Predictions, schema: AttributeSchema) -> str:
    frame = _heads(predictions).assign(
        scores=predictions.scores.tolist(),
        decisions=predictions.decisions.astype(int).tolist(),
        truths=predictions.labels.tolist(),
    )
    rows = frame.to_dict("records")
    return json.dumps(dict(schema=schema.to_dict(), predictions=rows))


def _heads(predictions: Predictions) -> pd.DataFrame:
    """What tells one image from another: its path, and its domain if any has one."""
    import pandas as pd

    heads = dict(img_path=predictions.img_path)
    if predictions.domain.astype(bool).any():
        heads["domain"] = predictions.domain
    return pd.DataFrame(heads)
