"""How well attributes are located: IoU with true boxes, and the pointing game."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmpar.structures.boxes import box_iou, points_in_boxes


@dataclass(frozen=True)
class LocalizationScores:
    """Shares in [0, 1]; per attribute (A,), NaN where it has no true box.

    Args:
        count: True boxes, int64.
        iou: Mean IoU.
        above_30: Share of IoU > 0.3.
        above_50: Share of IoU > 0.5.
        pointing: Share of points inside the true box.
    """

    count: np.ndarray
    iou: np.ndarray
    above_30: np.ndarray
    above_50: np.ndarray
    pointing: np.ndarray

    def mean(self, values: np.ndarray) -> float:
        """Mean of a column over the attributes that have true boxes."""
        judged = self.count > 0
        return float(values[judged].mean()) if judged.any() else float("nan")


def localization_scores(
    truth: np.ndarray, boxes: np.ndarray, points: np.ndarray
) -> LocalizationScores:
    """Judge predicted boxes and points against true boxes.

    A true box without a predicted one counts as IoU 0, one without a point as missed.
    What has no true box is not judged.

    Sources: weakly supervised pedestrian attribute localization, SSPNet, arXiv
    2312.06049; the pointing game, Zhang et al., "Top-down Neural Attention by
    Excitation Backprop", ECCV 2016, without its margin.

    Args:
        truth: ``(N, A, 4)``, (x1, y1, x2, y2), NaN where there is no box.
        boxes: Predicted, ``(N, A, 4)``, NaN where there is none.
        points: (x, y), ``(N, A, 2)``, NaN where there is none.

    Raises:
        ValueError: The shapes differ.
    """
    if not truth.shape == boxes.shape == (*points.shape[:-1], 4) or truth.ndim != 3:
        raise ValueError(
            f"true boxes {truth.shape}, predicted boxes {boxes.shape} and points "
            f"{points.shape} do not fit; expected (N, A, 4) twice and (N, A, 2)"
        )
    iou = box_iou(truth, boxes)
    judged = ~np.isnan(iou)
    count = judged.sum(axis=0)

    def share(values: np.ndarray) -> np.ndarray:
        total = np.where(judged, values, 0).sum(axis=0)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    return LocalizationScores(
        count=count,
        iou=share(iou),
        above_30=share(iou > 0.3),
        above_50=share(iou > 0.5),
        pointing=share(points_in_boxes(points, truth)),
    )
