"""Predictions of a whole split, gathered exactly from all processes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.dist import all_gather_object, broadcast_object_list, is_main_process
from mmengine.evaluator import BaseMetric

from mmpar.structures import AttributeSchema, build_schema

_NEEDED = ("pred_score", "gt_score", "sample_idx", "img_path")


@dataclass(frozen=True)
class PredictionTable:
    """Scores float32 and labels int8, both (N, A), with the path of each picture.

    ``domains`` names the source data set of each picture, empty for one without.
    """

    paths: list[str]
    scores: np.ndarray
    labels: np.ndarray
    domains: list[str]

    def rows(self, chosen: np.ndarray) -> PredictionTable:
        """The predictions of some rows, given as indices."""
        return PredictionTable(
            [self.paths[row] for row in chosen],
            self.scores[chosen],
            self.labels[chosen],
            [self.domains[row] for row in chosen],
        )


class PredictionTableMetric(BaseMetric):
    """Base of the metrics that look at all scores and labels of a split at once.

    Keeps two small arrays a batch instead of tensors a sample. Samplers give some
    samples twice to fill the last round of a distributed run, and MMEngine cuts these
    off by position, which loses samples when processes got unequally many; here every
    sample is counted once, whoever had it, or there is an error.
    """

    results: list[Any]

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep ``pred_score`` and ``gt_score`` of a batch.

        Raises:
            ValueError: A sample lacks one of them, or a score is not finite.
        """
        for sample in data_samples:
            self._check(sample)
        paths = [str(sample["img_path"]) for sample in data_samples]
        # Indices alone repeat in joined data sets.
        keys = [
            (int(sample["sample_idx"]), path)
            for sample, path in zip(data_samples, paths)
        ]
        scores = [_numpy(sample["pred_score"], np.float32) for sample in data_samples]
        labels = [_numpy(sample["gt_score"], np.int8) for sample in data_samples]
        domains = [domain_name(sample.get("domain")) for sample in data_samples]
        table = PredictionTable(paths, np.stack(scores), np.stack(labels), domains)
        self.results.append((keys, table))

    def _check(self, sample: dict) -> None:
        missing = [name for name in _NEEDED if name not in sample]
        if missing:
            raise ValueError(
                f"the sample {sample.get('img_path')} has no {' and no '.join(missing)}"
                "; pred_score comes from the head, the others from the data set's "
                "pipeline, which must end in PackPARInputs"
            )
        if not np.isfinite(_numpy(sample["pred_score"], np.float32)).all():
            raise ValueError(
                f"the scores of {sample.get('img_path')} are not finite: "
                f"{_numpy(sample['pred_score'], np.float32)}; did training diverge?"
            )

    def evaluate(self, size: int) -> dict:
        """Gather all processes' samples and compute the metrics on all.

        Args:
            size: Number of samples of the data set.

        Returns:
            Metric name, with prefix, to value.

        Raises:
            RuntimeError: The processes together did not see each sample once.
        """
        gathered = all_gather_object(self.results)
        self.results = []
        metrics: list[Any] = [None]
        if is_main_process():
            batches = [batch for process in gathered for batch in process]
            computed = self.compute_metrics([_merge(batches, size)])
            prefix = f"{self.prefix}/" if self.prefix else ""
            metrics = [{prefix + name: value for name, value in computed.items()}]
        broadcast_object_list(metrics)
        return metrics[0]

    def compute_metrics(self, results: list) -> dict:
        """Compute from the one table in ``results``."""
        return self.compute(results[0])

    @abstractmethod
    def compute(self, table: PredictionTable) -> dict:
        """Metric name to value, from all predictions."""

    @property
    def schema(self) -> AttributeSchema:
        """The data set's attribute schema."""
        if not self.dataset_meta or "schema" not in self.dataset_meta:
            raise ValueError(
                f"{type(self).__name__} needs the attribute schema of the data set, "
                "but its metainfo has none; derive the data set from PARDataset"
            )
        return build_schema(self.dataset_meta["schema"])


def domain_name(domain: Any) -> str:
    """A domain as it is written: a number gets a word, none is empty."""
    if domain is None:
        return ""
    return f"domain{domain}" if isinstance(domain, (int, np.integer)) else str(domain)


def _numpy(values: Any, dtype: type) -> np.ndarray:
    values = values.detach().cpu().numpy() if hasattr(values, "detach") else values
    return np.asarray(values).astype(dtype)


def _merge(batches: list[tuple], size: int) -> PredictionTable:
    keys = [key for batch in batches for key in batch[0]]
    if not keys:
        raise RuntimeError("there is nothing to evaluate: no sample was predicted")
    first_row = {key: row for row, key in reversed(list(enumerate(keys)))}
    rows = sorted(first_row.values(), key=lambda row: keys[row][0])
    if len(rows) != size:
        raise RuntimeError(
            f"{len(rows)} different samples were predicted, but the data set has "
            f"{size}; each must be predicted once (sampler, drop_last, indices?)"
        )
    tables = [table for _, table in batches]
    whole = PredictionTable(
        paths=[path for table in tables for path in table.paths],
        scores=np.concatenate([table.scores for table in tables]),
        labels=np.concatenate([table.labels for table in tables]),
        domains=[domain for table in tables for domain in table.domains],
    )
    return whole.rows(np.array(rows))
