"""What a model was trained or tested on, in a few words and one hash."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from mmengine.dataset import ConcatDataset

from mmpar.datasets.base import PARDataset
from mmpar.datasets.formats import AnnotationTable
from mmpar.datasets.joint import JointDataset
from mmpar.datasets.positive_ratios import inner_weight

_PERSONS = ("person_id", "person")  # of releases and lists, and of SyntheticPAR


def record_data(dataset: Any) -> dict[str, Any]:
    """What a dataset is, so that others can tell whether theirs is the same.

    >>> from mmpar.datasets import SyntheticPAR
    >>> record = record_data(SyntheticPAR(num_samples=3, split="train"))
    >>> record["dataset"], record["split"], record["num_images"], record["num_persons"]
    ('SyntheticPAR', 'train', 3, 3)

    Args:
        dataset: A ``PARDataset``, or a ``JointDataset``, ``ConcatDataset``,
            ``RepeatDataset``, ``ClassBalancedDataset`` or ``Subset`` of such.

    Returns:
        ``dataset`` and ``split``, several joined by ``+``; ``num_images``, each counted
        once; ``num_persons``, None where a person is not known; ``labels_sha256`` of
        the attributes' names, the images' names and the labels, in their order.

    Raises:
        TypeError: It is another kind of dataset.
    """
    parts = parts_of(dataset)
    digest = hashlib.sha256()
    for part, table in parts:
        names = [list(part.schema.names), list(table.paths)]
        digest.update(json.dumps(names).encode() + b"\n")
        digest.update(np.ascontiguousarray(table.labels, np.int8).tobytes())
    counts = [_count_persons(table) for _, table in parts]
    known = [count for count in counts if count is not None]
    return dict(
        dataset="+".join(type(part).__name__ for part, _ in parts),
        split=name_split(dataset),
        num_images=sum(len(table) for _, table in parts),
        num_persons=sum(known) if len(known) == len(counts) else None,
        labels_sha256=digest.hexdigest(),
    )


def name_split(dataset: Any) -> str:
    """The split of a dataset, several joined by ``+``.

    Raises:
        TypeError: As :func:`record_data`.
    """
    names = (part.split or "unnamed" for part, _ in parts_of(dataset))
    return "+".join(dict.fromkeys(names))


def parts_of(
    dataset: Any, sample_weight: np.ndarray | None = None
) -> list[tuple[PARDataset, AnnotationTable]]:
    """The datasets that one is made of, and their rows that count.

    Args:
        dataset: See :func:`record_data`.
        sample_weight: How often each sample counts, ``(N,)``; by default once.

    Raises:
        TypeError: It is another kind of dataset.
    """
    if hasattr(dataset, "full_init"):
        dataset.full_init()
    if sample_weight is None:
        sample_weight = np.ones(len(dataset), np.int64)
    if isinstance(dataset, PARDataset):
        return [(dataset, dataset.table.take(sample_weight > 0))]
    if isinstance(dataset, (ConcatDataset, JointDataset)):
        ends = np.cumsum([len(part) for part in dataset.datasets])
        weights = np.split(sample_weight, ends[:-1])
        found = map(parts_of, dataset.datasets, weights)
        return [pair for pairs in found for pair in pairs]
    weight = inner_weight(dataset, sample_weight)  # refuses what it does not know
    return parts_of(dataset.dataset, weight)


def _count_persons(table: AnnotationTable) -> int | None:
    for name in _PERSONS:
        column = table.columns.get(name)
        if column is None:
            continue
        is_number = np.issubdtype(column.dtype, np.number)
        known = column >= 0 if is_number else column != ""
        return len(np.unique(column)) if known.all() else None
    return None
