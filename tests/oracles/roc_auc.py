"""The area under the ROC curve as a count of pairs."""

from __future__ import annotations

import numpy as np


def roc_auc_of_pairs(scores: np.ndarray, labels: np.ndarray) -> list[float]:
    """Of each attribute; NaN where there is no pair."""
    areas = []
    for a in range(labels.shape[1]):
        rows = range(len(labels))
        positives = [float(scores[n, a]) for n in rows if labels[n, a] == 1]
        negatives = [float(scores[n, a]) for n in rows if labels[n, a] == 0]
        won = 0.0
        for positive in positives:
            for negative in negatives:
                if positive > negative:
                    won += 1
                elif positive == negative:
                    won += 0.5
        pairs = len(positives) * len(negatives)
        areas.append(won / pairs if pairs else float("nan"))
    return areas
