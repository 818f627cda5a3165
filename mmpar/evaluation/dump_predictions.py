"""Writes the predictions of a split to a file that people and spreadsheets read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mmengine.logging import print_log

from mmpar.evaluation.functional.multi_label import check_labelled_scores
from mmpar.evaluation.gather import Columns, SplitMetric
from mmpar.evaluation.predictions import (
    Predictions,
    SeenPersons,
    prediction_row,
)
from mmpar.evaluation.result_record import Record
from mmpar.registry import METRICS
from mmpar.structures import SCHEMAS, AttributeSchema, build_schema
from mmpar.utils.atomic import write_atomically

if TYPE_CHECKING:
    import pandas as pd

_FAULTS = (
    *(ValueError, LookupError, TypeError),
    *(AttributeError, OverflowError, RecursionError),
)
"""What a file of another form raises."""


@METRICS.register_module()
class DumpPredictions(SeenPersons, SplitMetric):
    """Write image path, scores, decisions and truths of every sample.

    - ``.csv``: one row per image; columns ``img_path``, then ``score:NAME`` of each
      attribute, ``decision:NAME`` of each, ``truth:NAME`` of each. UTF-8 with a byte
      order mark, without which Excel takes it for the code page of the machine; pandas
      reads it as it is, Python's ``csv`` with ``encoding="utf-8-sig"``.
    - ``.json``: ``{"schema": ..., "predictions": [{"img_path", "scores", "decisions",
      "truths"}], "record": ...}``, in the order of the schema. The record, which
      ``ResultRecordHook`` gives, says what the predictions come from; a table has no
      place for it.

    Where any sample has them, these follow ``img_path`` in both: ``domain``, by the
    name that ``PARMetric`` gives it, ``person_id`` and ``camera``, empty for samples
    without; ``width`` and ``height`` of the person crop as it was loaded, in pixels, 0
    for unknown; and ``seen``, 1 where the person is in the training data, 0 where not,
    -1 for unknown. :func:`read_predictions` reads both kinds of files.

    Scores are in [0, 1]; decisions are those of the model, 1 where the score is above
    ``model.head.threshold`` and else 0; truths are 1, 0, or -1 for unknown, as for
    images without labels.

    Args:
        out_file: Path ending in ``.csv`` or ``.json``; its folder is made if needed.
        **kwargs: See MMEngine's ``BaseMetric``.

    Attributes:
        record: See :data:`mmpar.evaluation.result_record.Record`; empty for unknown.
    """

    record: Record = {}

    def __init__(self, out_file: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not out_file.endswith((".csv", ".json")):
            raise ValueError(
                f"predictions are written to a .csv or .json file, got {out_file!r}"
            )
        self.out_file = out_file

    def row(self, sample: dict[str, Any]) -> Columns:
        """See :func:`prediction_row`."""
        return prediction_row(sample)

    def compute_metrics(self, columns: Any) -> dict[str, float]:
        """Write the file; there is no number to return."""
        predictions = self.with_seen(Predictions.from_columns(columns))
        write_predictions(self.out_file, predictions, self.schema, self.record)
        count = len(predictions.img_path)
        print_log(f"{count} predictions in {self.out_file}", "current")
        return {}


def write_predictions(
    file: str | Path,
    predictions: Predictions,
    schema: AttributeSchema,
    record: Record | None = None,
) -> None:
    """Write a ``.csv`` or ``.json`` as :class:`DumpPredictions` describes it."""
    if str(file).endswith(".csv"):
        write_atomically(file, _csv_text(predictions, schema))
    else:
        write_atomically(file, _json_text(predictions, schema, record or {}))


def read_predictions(file: str | Path) -> Predictions:
    """Read a file of :class:`DumpPredictions`; see :func:`read_dump`."""
    return read_dump(file)[1]


def read_dump(file: str | Path) -> tuple[AttributeSchema, Predictions]:
    """Read a ``.json`` or ``.csv`` file of :class:`DumpPredictions`.

    Columns that it lacks are unknown of all images.

    Returns:
        The schema and the predictions. A ``.csv`` has the names of the attributes
        alone: its schema is the published one of the same names, else one without
        groups and exclusive sets.

    Raises:
        ValueError: It is no such file.
    """
    try:
        read = _read_csv if str(file).endswith(".csv") else _read_json
        return read(Path(file))
    except _FAULTS as error:
        raise ValueError(
            f"{file} does not hold the predictions of DumpPredictions ({error!r})"
        ) from error


def read_record(file: str | Path) -> Record:
    """What the predictions of a file come from; empty if the file does not say.

    Older files and ``.csv`` do not.

    Raises:
        ValueError: The file is damaged.
    """
    if str(file).endswith(".csv"):
        return {}
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
        return dict(content.get("record", {}))
    except _FAULTS as error:
        raise ValueError(
            f"{file} does not hold the predictions of DumpPredictions ({error!r})"
        ) from error


def _read_json(file: Path) -> tuple[AttributeSchema, Predictions]:
    content = json.loads(file.read_text(encoding="utf-8"))
    rows = content["predictions"]
    parts = [
        np.array([row[name] for row in rows], kind)
        for name, kind in (("scores", np.float32), ("decisions", bool), ("truths", int))
    ]
    heads = {name: [row[name] for row in rows] for name in _HEADS if name in rows[0]}
    paths = [row["img_path"] for row in rows]
    return _checked(build_schema(content["schema"]), paths, parts, heads)


def _read_csv(file: Path) -> tuple[AttributeSchema, Predictions]:
    import pandas as pd

    # Only an empty cell is unknown: NA may be the name of a camera.
    frame = pd.read_csv(file, encoding="utf-8-sig", dtype=str, keep_default_na=False)
    names = [c[len("score:") :] for c in frame.columns if c.startswith("score:")]
    parts = [
        frame[[f"{part}:{name}" for name in names]].to_numpy().astype(kind)
        for part, kind in (("score", np.float32), ("decision", int), ("truth", int))
    ]
    parts[1] = parts[1].astype(bool)  # the text "0" is true
    heads = {name: frame[name].tolist() for name in _HEADS if name in frame}
    plain = AttributeSchema(tuple(names), title=file.name)
    schema = next((s for s in SCHEMAS.values() if s.names == plain.names), plain)
    return _checked(schema, frame["img_path"].tolist(), parts, heads)


def _checked(
    schema: AttributeSchema,
    paths: list[str],
    parts: Sequence[np.ndarray],
    heads: Mapping[str, list[Any]],
) -> tuple[AttributeSchema, Predictions]:
    """The predictions, if each part has a row per image and a column per attribute.

    Args:
        schema: Of the A attributes.
        paths: Of the N images.
        parts: Scores, decisions and labels.
        heads: The columns of ``_HEADS`` that the file has.
    """
    scores, decisions, labels = parts
    for part in parts:
        if part.shape != (len(paths), len(schema)):
            raise ValueError(
                f"{len(paths)} images of {len(schema)} attributes have values of the "
                f"shape {part.shape}"
            )
    check_labelled_scores(scores, labels)
    columns = {
        name: np.array(heads.get(name, [unknown] * len(paths))).astype(type(unknown))
        for name, unknown in _HEADS.items()
    }
    width, height = (columns.pop(name).astype(np.int32) for name in ("width", "height"))
    seen = columns.pop("seen").astype(np.int8)
    return schema, Predictions(
        img_path=np.array(paths, object),
        scores=scores,
        decisions=decisions,
        labels=labels.astype(np.int8),
        image_size=np.stack([width, height], axis=1),
        seen=seen,
        **{name: column.astype(object) for name, column in columns.items()},
    )


_HEADS: dict[str, Any] = dict(
    domain="", person_id="", camera="", width=0, height=0, seen=-1
)
"""Columns that are written where an image has another value than this, unknown."""


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
    text: str = frame.to_csv(index=False, float_format="%.6f", lineterminator="\r\n")
    return text.encode("utf-8-sig")


def _json_text(
    predictions: Predictions, schema: AttributeSchema, record: Record
) -> str:
    frame = _heads(predictions).assign(
        scores=predictions.scores.tolist(),
        decisions=predictions.decisions.astype(int).tolist(),
        truths=predictions.labels.tolist(),
    )
    rows = frame.to_dict("records")
    known = dict(record=record) if record else {}
    return json.dumps(dict(schema=schema.to_dict(), predictions=rows, **known))


def _heads(predictions: Predictions) -> pd.DataFrame:
    """What tells one image from another: its path, and what is known of it."""
    import pandas as pd

    width, height = predictions.image_size.T
    values = dict(vars(predictions), width=width, height=height)
    known = {
        name: values[name]
        for name, unknown in _HEADS.items()
        if (values[name] != unknown).any()
    }
    return pd.DataFrame(dict(img_path=predictions.img_path, **known))
