"""A row of arrays a sample, gathered exactly from all processes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object, broadcast_object_list, is_main_process
from mmengine.evaluator import BaseMetric

from mmpar.structures import AttributeSchema, build_schema

Columns = Mapping[str, np.ndarray]


class SampleTableMetric(BaseMetric):
    """Base of the metrics that look at all samples of a split at once.

    Keeps a few small arrays a batch instead of tensors a sample. Samplers give some
    samples twice to fill the last round of a distributed run, and MMEngine cuts these
    off by position, which loses samples when processes got unequally many; here every
    sample is counted once, whoever had it, or there is an error.
    """

    NEEDED: tuple[str, ...] = ()
    """Fields that a sample must have, besides sample_idx and img_path."""
    REMEDY: str = ""
    """Where they come from, for the error."""

    results: list[Any]

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the rows of a batch.

        Raises:
            ValueError: A sample lacks a field, or holds what cannot be judged.
        """
        for sample in data_samples:
            self._check_fields(sample)
        paths = [str(sample["img_path"]) for sample in data_samples]
        # Indices alone repeat in joined datasets.
        keys = [
            (int(sample["sample_idx"]), path)
            for sample, path in zip(data_samples, paths)
        ]
        rows = [self.row(sample) for sample in data_samples]
        columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
        self.results.append((keys, paths, columns))

    def _check_fields(self, sample: dict) -> None:
        needed = (*self.NEEDED, "sample_idx", "img_path")
        missing = [name for name in needed if name not in sample]
        if missing:
            raise ValueError(
                f"the sample {sample.get('img_path')} has no {' and no '.join(missing)}"
                f"; {self.REMEDY}"
            )

    @abstractmethod
    def row(self, sample: dict) -> Columns:
        """What to keep of a sample, arrays of the same shapes for all."""

    def evaluate(self, size: int) -> dict:
        """Gather all processes' samples and compute the metrics on all.

        Args:
            size: Number of samples of the dataset.

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
        """Compute from the one pair of paths and columns in ``results``."""
        return self.compute_from_columns(*results[0])

    @abstractmethod
    def compute_from_columns(self, paths: list[str], columns: Columns) -> dict:
        """Metric name to value, from the rows of all samples."""

    @property
    def schema(self) -> AttributeSchema:
        """The dataset's attribute schema."""
        if not self.dataset_meta or "schema" not in self.dataset_meta:
            raise ValueError(
                f"{type(self).__name__} needs the attribute schema of the dataset, "
                "but its metainfo has none; derive the dataset from PARDataset"
            )
        return build_schema(self.dataset_meta["schema"])


def as_array(values: Any, dtype: Any = None) -> np.ndarray:
    """A tensor of any device, or what numpy takes, as an array; None keeps the type."""
    if isinstance(values, torch.Tensor):
        # numpy has no bfloat16; no half type loses anything.
        half = values.is_floating_point() and values.element_size() < 4
        values = (values.float() if half else values).detach().cpu().numpy()
    array = np.asarray(values)
    return array if dtype is None else array.astype(dtype)


def _merge(batches: list[tuple], size: int) -> tuple[list[str], Columns]:
    keys = [key for batch in batches for key in batch[0]]
    if not keys:
        raise RuntimeError("there is nothing to evaluate: no sample was predicted")
    first_row = {key: row for row, key in reversed(list(enumerate(keys)))}
    rows = sorted(first_row.values(), key=lambda row: keys[row][0])
    if len(rows) != size:
        raise RuntimeError(
            f"{len(rows)} different samples were predicted, but the dataset has "
            f"{size}; each must be predicted once (sampler, drop_last, indices?)"
        )
    paths = [path for batch in batches for path in batch[1]]
    columns = {
        name: np.concatenate([batch[2][name] for batch in batches])[rows]
        for name in batches[0][2]
    }
    return [paths[row] for row in rows], columns
