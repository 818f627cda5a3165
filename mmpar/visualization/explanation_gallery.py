"""Galleries: which persons and attributes show most of an explainer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmengine.structures import BaseDataElement

from mmpar.evaluation.gather import as_array
from mmpar.structures.boxes import box_area

_LARGEST = 0.3
"""Boxes that are more of the image than this show nothing about places."""


def select_rows(
    samples: Sequence[BaseDataElement], num_persons: int, num_attributes: int
) -> list[tuple[int, list[int]]]:
    """The first persons with much to show, and of each what has been shown least.

    Where true boxes were annotated, persons with enough small ones are taken, and these
    attributes. Elsewhere every person is taken: attributes that are present come
    first, then those of the highest scores.

    Args:
        samples: With ``pred_score``, (A,), and, if annotated, ``gt_score`` and
            ``gt_attribute_boxes``, (A, 4), xyxy in pixels of ``img_shape``.
        num_persons: Rows wanted.
        num_attributes: Attributes wanted of each; all where there are fewer.

    Returns:
        The position of each chosen sample and those of its attributes, at most
        ``num_persons`` rows.
    """
    size = len(samples[0].pred_score)
    num_attributes = min(num_attributes, size)
    shown = np.zeros(size, int)
    rows: list[tuple[int, list[int]]] = []
    for number, sample in enumerate(samples):
        present = np.zeros(size, bool)
        if "gt_score" in sample:
            present = as_array(sample.gt_score) == 1
        small = _has_small_box(sample, present)
        if "gt_attribute_boxes" in sample and small.sum() < num_attributes:
            continue
        if len(rows) == num_persons:
            break
        scores = as_array(sample.pred_score)
        order = np.lexsort((-scores, shown * present, ~present, ~small))
        attributes = sorted(order[:num_attributes].tolist())
        shown[attributes] += 1
        rows.append((number, attributes))
    return rows


def _has_small_box(sample: BaseDataElement, present: np.ndarray) -> np.ndarray:
    """Which attributes have a true box that says something, bool, (A,)."""
    if "gt_attribute_boxes" not in sample:
        return np.zeros(len(present), bool)
    height, width = sample.img_shape[:2]
    with np.errstate(invalid="ignore"):
        areas = box_area(as_array(sample.gt_attribute_boxes))
        return present & (areas < _LARGEST * height * width)
