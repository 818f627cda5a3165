"""What a metric keeps of every sample of a split, gathered from all processes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object, broadcast_object_list, is_main_process
from mmengine.evaluator import BaseMetric

from mmpar.structures import AttributeSchema, build_schema

Columns = Mapping[str, np.ndarray]
"""Name to one row per sample, ``(N, ...)``."""


class SplitMetric(BaseMetric):
    """Base of the metrics that look at all samples of a split at once.

    Keeps a few small arrays per batch instead of tensors per sample.
    """

    results: list[Any]

    @abstractmethod
    def row(self, sample: dict[str, Any]) -> Columns:
        """What to keep of a sample, arrays of the same shapes for all.

        Raises:
            ValueError: The sample lacks a field, or holds what cannot be judged.
        """

    @abstractmethod
    def compute_metrics(self, columns: Any) -> dict[str, float]:
        """Metric name to value, from the rows of all samples.

        Args:
            columns: Those of :meth:`row`, ``img_path`` and ``sample_idx``.
        """

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep the rows of a batch."""
        self.results.append(stack_rows(data_samples, self.row))

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather all processes' samples and compute the metrics on all.

        Args:
            size: Number of samples of the dataset.

        Returns:
            Metric name, with prefix, to value.

        Raises:
            RuntimeError: The processes together did not see each sample once.
        """
        columns = gather_samples(self.results, size)
        self.results = []
        metrics: list[dict[str, float]] = [{}]
        if is_main_process():
            prefix = f"{self.prefix}/" if self.prefix else ""
            computed = self.compute_metrics(columns)
            metrics = [{prefix + name: value for name, value in computed.items()}]
        broadcast_object_list(metrics)
        return metrics[0]

    @property
    def schema(self) -> AttributeSchema:
        """The dataset's attribute schema."""
        if not self.dataset_meta or "schema" not in self.dataset_meta:
            raise ValueError(
                f"{type(self).__name__} needs the attribute schema of the dataset, "
                "but its metainfo has none; derive the dataset from PARDataset"
            )
        return build_schema(self.dataset_meta["schema"])


def stack_rows(
    samples: Sequence[dict[str, Any]], row: Callable[[dict[str, Any]], Columns]
) -> Columns:
    """The columns of a batch: what ``row`` keeps of each sample, and which it is."""
    rows = []
    for sample in samples:
        kept = row(sample)
        require_fields(
            sample,
            ("sample_idx", "img_path"),
            "they come from the pipeline, which must end in PackPARInputs",
        )
        path = np.array(str(sample["img_path"]), object)
        index = np.array(int(sample["sample_idx"]))
        rows.append(dict(kept, img_path=path, sample_idx=index))
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def gather_samples(batches: list[Columns], size: int) -> Columns:
    """The columns of all processes' batches, one row per sample of the dataset.

    Samplers give some samples twice to fill the last round of a distributed run, and
    MMEngine cuts these off by position, which loses samples when processes got
    unequally many; here every sample is counted once, whoever had it.

    Args:
        batches: This process's, of :func:`stack_rows`.
        size: Number of samples of the dataset.

    Returns:
        The columns on every process, in the order of the dataset; where joined datasets
        repeat an index, in that of the paths.

    Raises:
        RuntimeError: The processes together did not see each sample once.
    """
    gathered = [batch for process in all_gather_object(batches) for batch in process]
    if not gathered:
        raise RuntimeError("there is nothing to evaluate: no sample was predicted")
    columns = {
        name: np.concatenate([batch[name] for batch in gathered])
        for name in gathered[0]
    }
    # Indices alone repeat in joined datasets.
    keys = zip(columns["sample_idx"].tolist(), columns["img_path"].tolist())
    first_rows: dict[tuple[int, str], int] = {}
    for row, key in enumerate(keys):
        first_rows.setdefault(key, row)
    if len(first_rows) != size:
        raise RuntimeError(
            f"{len(first_rows)} different samples were predicted, but the dataset has "
            f"{size}; each must be predicted once (sampler, drop_last, indices?)"
        )
    # Of equal indices in joined datasets, who came first depends on the processes.
    rows = [first_rows[key] for key in sorted(first_rows)]
    return {name: column[rows] for name, column in columns.items()}


def require_fields(sample: Mapping[str, Any], names: Sequence[str], hint: str) -> None:
    """Refuse a sample that lacks a field; ``hint`` says where they come from.

    Raises:
        ValueError: It lacks some; names these, the image and the hint.
    """
    missing = [name for name in names if name not in sample]
    if missing:
        raise ValueError(
            f"the sample {sample.get('img_path')} has no {' and no '.join(missing)}; "
            f"{hint}"
        )


def as_array(values: Any, dtype: Any = None) -> np.ndarray:
    """A tensor of any device, or what numpy takes, as an array; None keeps the type."""
    if isinstance(values, torch.Tensor):
        # numpy has no bfloat16; no half type loses anything.
        half = values.is_floating_point() and values.element_size() < 4
        values = (values.float() if half else values).detach().cpu().numpy()
    array = np.asarray(values)
    return array if dtype is None else array.astype(dtype)
