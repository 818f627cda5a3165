"""The predictions of a whole split as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from mmengine.model import BaseModel
from torch.utils.data import DataLoader

from mmpar.evaluation.gather import (
    Columns,
    as_array,
    gather_samples,
    require_fields,
    stack_rows,
)
from mmpar.structures.persons import person_keys


@dataclass(frozen=True)
class Predictions:
    """N images and A attributes, one row per image in the order of the dataset.

    Args:
        img_path: ``(N,)``, str.
        scores: ``(N, A)``, float32, probabilities in [0, 1].
        decisions: ``(N, A)``, bool: the model's, by its thresholds.
        labels: ``(N, A)``, int8, 1 present, 0 absent, -1 unknown.
        domain: ``(N,)``, str, the source dataset; empty where there is none.
        person_id: ``(N,)``, str; empty where the person is not known.
        camera: ``(N,)``, str; empty where the camera is not known.
        image_size: ``(N, 2)``, int32, width and height of the person crop as it was
            loaded, in pixels; 0 where they are not known.
        seen: ``(N,)``, int8: 1 the person is in the training data, 0 is not, -1 it is
            not known.
    """

    img_path: np.ndarray
    scores: np.ndarray
    decisions: np.ndarray
    labels: np.ndarray
    domain: np.ndarray
    person_id: np.ndarray
    camera: np.ndarray
    image_size: np.ndarray
    seen: np.ndarray

    @classmethod
    def from_columns(cls, columns: Columns) -> Predictions:
        """From the columns of :func:`prediction_row`."""
        return cls(**{field.name: columns[field.name] for field in fields(cls)})

    @classmethod
    def concatenate(cls, parts: Sequence[Predictions]) -> Predictions:
        """Those of several splits or folds, one after the other."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in names))

    def select(self, rows: np.ndarray) -> Predictions:
        """The predictions of some rows, given as indices or as a bool mask."""
        return Predictions(*(getattr(self, field.name)[rows] for field in fields(self)))


class SeenPersons:
    """Of metrics that tell persons of the training data from others.

    Attributes:
        seen_persons: Those whom the model was trained on or chosen by, see
            :func:`mmpar.structures.persons.person_keys`; None where that is not known.
    """

    seen_persons: frozenset[str] | None = None

    def with_seen(self, predictions: Predictions) -> Predictions:
        """Predictions that say of each image whether its person is among them."""
        if self.seen_persons is None:
            return predictions
        keys = person_keys(predictions.person_id.tolist())
        seen = [-1 if not key else int(key in self.seen_persons) for key in keys]
        return replace(predictions, seen=np.array(seen, np.int8))


def predict_split(model: BaseModel, dataloader: DataLoader[Any]) -> Predictions:
    """Predict the images of a loader; in a distributed run, on all processes together.

    Args:
        model: Classifier with its weights loaded; it is put into eval mode.
        dataloader: Of a :class:`PARDataset` whose pipeline ends in ``PackPARInputs``,
            such as ``runner.val_dataloader``.

    Returns:
        The predictions, the same on every process.

    Raises:
        ValueError: A score is not finite, or a sample lacks a field.
        RuntimeError: The loader leaves images out.
    """
    model.eval()
    with torch.no_grad():
        batches = [
            stack_rows([s.to_dict() for s in model.test_step(batch)], prediction_row)
            for batch in dataloader
        ]
    columns = gather_samples(batches, len(dataloader.dataset))  # type: ignore[arg-type]
    return Predictions.from_columns(columns)


def prediction_row(sample: dict[str, Any]) -> Columns:
    """What :class:`Predictions` keeps of a sample, for :class:`SplitMetric`.

    Decisions are the model's ``pred_label``, so its thresholds hold everywhere.

    Raises:
        ValueError: A field is missing, or a score is not finite.
    """
    require_fields(
        sample,
        ("pred_score", "pred_label", "gt_score", "img_path"),
        "pred_score and pred_label come from the head, the others from the dataset's "
        "pipeline, which must end in PackPARInputs",
    )
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
        domain=np.array(domain_name(sample.get("domain")), object),
        person_id=np.array(known_name(sample.get("person_id")), object),
        camera=np.array(known_name(sample.get("camera")), object),
        image_size=np.array(sample.get("ori_shape", (0, 0))[1::-1], np.int32),
        seen=np.array(sample.get("seen", -1), np.int8),
    )


def domain_name(domain: Any) -> str:
    """A domain as it is written: a number gets a word, none is empty."""
    if domain is None:
        return ""
    return f"domain{domain}" if isinstance(domain, (int, np.integer)) else str(domain)


def known_name(value: Any) -> str:
    """A person or camera as it is written; empty for an unknown one, None or -1."""
    return "" if value is None or str(value) == "-1" else str(value)


def in_counting_order(names: Iterable[str]) -> list[str]:
    """Sorted, and domain2 before domain10."""
    return sorted(names, key=lambda name: (name.rstrip("0123456789"), len(name), name))
