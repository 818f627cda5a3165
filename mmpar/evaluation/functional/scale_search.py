"""Which pyramid level suits a body region: the rule of "maximum accuracy"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mmpar.evaluation.functional.multi_label import multi_label_scores


def region_accuracies(
    decisions: np.ndarray, labels: np.ndarray, members: Mapping[str, Sequence[int]]
) -> np.ndarray:
    """Mean mA of each region's attributes, ``(R,)``, in [0, 1].

    Attributes without a positive or a negative say nothing and are left out.

    Args:
        decisions: ``(N, A)``, bool.
        labels: ``(N, A)``, 1 present, 0 absent, -1 unknown.
        members: R region names to the attributes that are read from it.

    Raises:
        ValueError: Nothing is known of a region.
    """
    scores = multi_label_scores(decisions, labels)
    means = []
    for name, indices in members.items():
        kept = [index for index in indices if not scores.empty[index]]
        if not kept:
            raise ValueError(
                f"no attribute of region {name!r} has both positives and "
                "negatives in the validation split, so no level can be chosen for it"
            )
        means.append(scores.attribute_accuracy[kept].mean())
    return np.array(means)


def best_levels(accuracies: np.ndarray) -> list[int]:
    """Level, 1 for P1, of the best of ``(R, L)``; of equal ones the coarsest.

    >>> best_levels(np.array([[0.5, 0.7, 0.6], [0.5, 0.7, 0.7]]))
    [2, 3]
    """
    num_levels = accuracies.shape[1]
    return [num_levels - int(row[::-1].argmax()) for row in accuracies]
