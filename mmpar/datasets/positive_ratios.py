"""How often each attribute is present in the samples that training sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dataset import ClassBalancedDataset, ConcatDataset, RepeatDataset
from torch.utils.data import Subset

_ROWS_AT_A_TIME = 65_536


def positive_ratios(
    dataset: Any, sample_weight: np.ndarray | None = None
) -> np.ndarray:
    """Share of 1 among the known labels that one pass over ``dataset`` sees.

    Args:
        dataset: A ``PARDataset``, anything with its ``label_counts`` and ``metainfo``,
            or MMEngine's ``ConcatDataset``, ``RepeatDataset``,
            ``ClassBalancedDataset`` or torch's ``Subset`` of such, also nested.
        sample_weight: How often each sample counts, shape (N,), fractions too; by
            default once.

    Returns:
        float64, shape (A,), in [0, 1]. An attribute without a known label has none: it
        gets the neutral 0.5, and TrainingReportHook names it in the log.

    Raises:
        ValueError: No label is known at all, or concatenated datasets have different
            attributes.
        TypeError: A wrapper that this function does not know.
    """
    positives, known = seen_label_counts(dataset, sample_weight)
    if not known.any():
        raise ValueError(
            f"none of the {len(dataset)} images to train on has a known label: a list "
            "without labels is for prediction, and where a list has some, label_map "
            "says what they mean"
        )
    return ratios_of(positives, known)


def seen_label_counts(
    dataset: Any, sample_weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """How often each attribute is present, and known, in one pass over ``dataset``.

    Args:
        dataset: As in :func:`positive_ratios`.
        sample_weight: How often each sample of ``dataset`` counts, shape (N,); by
            default once.

    Returns:
        Two int64 arrays of shape (A,).
    """
    if hasattr(dataset, "label_counts"):
        return dataset.label_counts(sample_weight)
    if hasattr(dataset, "full_init"):
        dataset.full_init()
    if sample_weight is None:
        sample_weight = np.ones(len(dataset), np.int64)
    if isinstance(dataset, ConcatDataset):
        _require_one_schema(dataset)
        parts = np.split(sample_weight, dataset.cumulative_sizes[:-1])
        counts = [seen_label_counts(*pair) for pair in zip(dataset.datasets, parts)]
        positives, known = zip(*counts)
        return np.sum(positives, axis=0), np.sum(known, axis=0)
    weight = inner_weight(dataset, sample_weight)  # refuses what it does not know
    return seen_label_counts(dataset.dataset, weight)


def _require_one_schema(concatenation: ConcatDataset) -> None:
    names = [list(_metainfo(part)["classes"]) for part in concatenation.datasets]
    for other in names[1:]:
        if other != names[0]:
            raise ValueError(
                "cannot count labels over datasets of different attributes: "
                f"{names[0]} and {other}"
            )


def inner_weight(wrapper: Any, sample_weight: np.ndarray) -> np.ndarray:
    """How often each sample of the wrapped dataset counts."""
    if isinstance(wrapper, RepeatDataset):
        return sample_weight.reshape(wrapper.times, -1).sum(axis=0)
    if isinstance(wrapper, ClassBalancedDataset):
        rows = wrapper.repeat_indices
    elif isinstance(wrapper, Subset):
        rows = wrapper.indices
    else:
        raise TypeError(
            f"cannot count the labels of a {type(wrapper).__name__}; supported are "
            "datasets with label_counts(sample_weight), and ConcatDataset, "
            "RepeatDataset, ClassBalancedDataset and Subset of them"
        )
    inner = np.zeros(len(wrapper.dataset), sample_weight.dtype)
    np.add.at(inner, np.asarray(rows, np.int64), sample_weight)
    return inner


def _metainfo(dataset: Any) -> dict[str, Any]:
    while isinstance(dataset, Subset):
        dataset = dataset.dataset
    return dataset.metainfo


def count_labels(
    labels: np.ndarray, sample_weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Count ones and known labels, shape (N, A), a column at a time.

    Returns:
        Two arrays of shape (A,), int64, or float64 if ``sample_weight`` has fractions.
    """
    exact = sample_weight is None or sample_weight.dtype.kind in "iub"
    dtype: Any = np.int64 if exact else np.float64
    positives = np.zeros(labels.shape[1], dtype)
    known = np.zeros(labels.shape[1], dtype)
    for start in range(0, len(labels), _ROWS_AT_A_TIME):
        part = labels[start : start + _ROWS_AT_A_TIME]
        if sample_weight is None:
            positives += (part == 1).sum(axis=0)
            known += (part >= 0).sum(axis=0)
        else:
            weights = sample_weight[start : start + _ROWS_AT_A_TIME].astype(dtype)
            positives += weights @ (part == 1)
            known += weights @ (part >= 0)
    return positives, known


def ratios_of(positives: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Divide counts, shape (A,), with 0.5 where nothing is known."""
    return np.where(known > 0, positives / np.maximum(known, 1), 0.5)


def one_sided_attributes(
    positives: np.ndarray, known: np.ndarray, names: Sequence[str]
) -> dict[str, str]:
    """Attributes whose known labels are all 1, or all 0: they cannot be learned.

    All 1 is what a list looks like whose absent labels are written -1, which means
    unknown here; ``label_map={-1: 0}`` reads such a list.

    Args:
        positives: How often each attribute is present, shape (A,), as of
            :func:`seen_label_counts`.
        known: How often it is known, shape (A,).
        names: The A attributes.

    Returns:
        Attribute to what is wrong with it, in the order of ``names``. An attribute
        without any known label is not among them.
    """
    found = {}
    for name, ones, judged in zip(names, positives.tolist(), known.tolist()):
        if judged and ones == judged:
            found[name] = f"no known negative among {judged:,.10g} labels"
        elif judged and ones == 0:
            found[name] = f"no positive among {judged:,.10g} known labels"
    return found
