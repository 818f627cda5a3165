"""Boxes: float xyxy in pixels, half-open, NaN for none; the home of their arithmetic.

(x1, y1, x2, y2) are edges. Pixel i covers [i, i + 1), so x2 - x1 is the width of a box
and (0, 0, W, H) is the whole image. Arrays have any number of boxes, ``(..., 4)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Union

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

OneBox = Union[Sequence[float], np.ndarray]
PixelBox = tuple[int, int, int, int]
"""(x1, y1, x2, y2) in whole pixels."""


def xywh_to_xyxy(boxes: np.ndarray) -> np.ndarray:
    """Boxes ``(..., 4)`` given as left edge, upper edge, width and height."""
    return np.concatenate([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], axis=-1)


def clip_boxes(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """Boxes ``(..., 4)`` clipped to an image; NaN where nothing is left.

    >>> clip_boxes(np.array([[-1.0, 2, 9, 4], [9, 2, 12, 4]]), width=8, height=16)
    array([[ 0.,  2.,  8.,  4.],
           [nan, nan, nan, nan]])
    """
    clipped = np.clip(boxes, 0, np.array((width, height) * 2, boxes.dtype))
    empty = (clipped[..., :2] >= clipped[..., 2:]).any(axis=-1)
    clipped[empty] = np.nan
    return clipped


def box_area(boxes: np.ndarray) -> np.ndarray:
    """Areas ``(...)`` of boxes ``(..., 4)``; NaN where there is none."""
    return (boxes[..., 2:] - boxes[..., :2]).clip(min=0).prod(axis=-1)


def box_iou(truth: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of corresponding boxes.

    Args:
        truth: ``(..., 4)``; NaN where there is no true box.
        boxes: Predicted, likewise.

    Returns:
        float64, ``(...)``: NaN where there is no true box, 0 where there is one but
        none is predicted, or neither has an area.
    """
    truth, boxes = truth.astype(np.float64), boxes.astype(np.float64)
    upper_left = np.maximum(truth[..., :2], boxes[..., :2])
    lower_right = np.minimum(truth[..., 2:], boxes[..., 2:])
    shared = box_area(np.concatenate([upper_left, lower_right], axis=-1))
    union = box_area(truth) + box_area(boxes) - shared
    no_overlap = np.isnan(boxes).any(axis=-1) | ~(union > 0)
    iou = np.where(no_overlap, 0, shared / np.where(no_overlap, 1, union))
    return np.where(np.isnan(truth).any(axis=-1), np.nan, iou)


def points_in_boxes(points: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Whether each point ``(..., 2)`` is in its box ``(..., 4)``; False for NaN.

    All edges count as inside: a point is a place, not a pixel.
    """
    inside = (points >= boxes[..., :2]) & (points <= boxes[..., 2:])
    return np.asarray(inside.all(axis=-1))


def bound_mask(columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The tight box of what occupies some columns and rows of pixels.

    Args:
        columns: bool, ``(W,)``.
        rows: bool, ``(H,)``.

    Returns:
        float32, ``(4,)``; NaN if nothing is occupied.
    """
    x, y = np.flatnonzero(columns), np.flatnonzero(rows)
    if len(x) == 0 or len(y) == 0:
        return np.full(4, np.nan, np.float32)
    return np.array((x[0], y[0], x[-1] + 1, y[-1] + 1), np.float32)


def cover_pixels(box: OneBox, width: int, height: int) -> PixelBox | None:
    """All pixels of an image that a box touches; None if it touches none."""
    x1, y1 = (max(0, math.floor(edge)) for edge in box[:2])
    x2, y2 = min(width, math.ceil(box[2])), min(height, math.ceil(box[3]))
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def crop_box(image: np.ndarray, box: OneBox, path: str) -> np.ndarray:
    """The part of an image ``(H, W, C)`` in a box, xyxy in pixels.

    The box is clipped to the image, and pixels at its edges are kept whole.

    Raises:
        ValueError: No part of the box is in the image.
    """
    height, width = image.shape[:2]
    pixels = cover_pixels(box, width, height)
    if pixels is None:
        raise ValueError(
            f"the person box {[float(value) for value in box]} (xyxy) lies outside "
            f"{path}, which is {width} x {height} pixels; is it the right image?"
        )
    x1, y1, x2, y2 = pixels
    return np.ascontiguousarray(image[y1:y2, x1:x2])


def round_to_pixels(box: OneBox, width: int, height: int) -> PixelBox:
    """A box with its edges at the nearest pixels of an image, at least one pixel."""
    x1, y1, x2, y2 = (round(float(edge)) for edge in box)
    x1, y1 = min(max(x1, 0), width - 1), min(max(y1, 0), height - 1)
    return x1, y1, max(min(x2, width), x1 + 1), max(min(y2, height), y1 + 1)


def scale_boxes(boxes: Tensor, width: int, height: int) -> Tensor:
    """Boxes ``(..., 4)`` in fractions of an image, in its pixels."""
    return boxes * boxes.new_tensor((width, height) * 2)
