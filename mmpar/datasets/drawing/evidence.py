"""Boxes of what is seen of a person and of each attribute."""

from __future__ import annotations

import numpy as np

from mmpar.datasets.drawing.parts import EVIDENCE, PERSON, Part


def attribute_boxes(parts: np.ndarray, labels: np.ndarray, factor: int) -> np.ndarray:
    """Tight boxes around the evidence of the attributes present.

    Args:
        parts: What each supersampled pixel shows, uint8, (H, W).
        labels: (26,).
        factor: Supersampling; the boxes are in pixels of the final picture.

    Returns:
        float32, (26, 4), xyxy; NaN where nothing of the attribute is seen.
    """
    columns, rows = _occupied(parts)
    boxes = np.full((len(labels), 4), np.nan, np.float32)
    for i in np.flatnonzero(np.asarray(labels) == 1):
        boxes[i] = _box(columns[EVIDENCE[i]], rows[EVIDENCE[i]])
    return boxes / np.float32(factor)


def person_box(parts: np.ndarray, factor: int) -> np.ndarray:
    """Tight box of the person with all clothes, float32, (4,), xyxy; NaN if hidden."""
    columns, rows = _occupied(parts)
    return _box(columns[list(PERSON)], rows[list(PERSON)]) / np.float32(factor)


def _occupied(parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each part the columns, (P, W), and rows, (P, H), in which it is seen."""
    height, width = parts.shape
    columns = np.zeros((len(Part), width), bool)
    rows = np.zeros((len(Part), height), bool)
    columns[parts, np.arange(width)] = True
    rows[parts, np.arange(height)[:, None]] = True
    return columns, rows


def _box(columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    x = np.flatnonzero(columns.any(axis=0))
    y = np.flatnonzero(rows.any(axis=0))
    if len(x) == 0:
        return np.full(4, np.nan, np.float32)
    return np.array([x[0], y[0], x[-1] + 1, y[-1] + 1], np.float32)
