"""Where on the body an attribute is to be seen, from keypoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mmpar.structures.boxes import clip_boxes
from mmpar.structures.keypoints import COCO_KEYPOINTS

_LINES = ("shoulder", "hip", "knee", "ankle")

ZONES = ("head", "upper", "lower", "foot")
"""The zones, which are the body-region groups of schemas that have a place."""

_MARGIN = 1 / 4
"""Of the distance between shoulders and hips, to each side: joints are inside."""


def body_zones(keypoints: np.ndarray, width: int, height: int) -> np.ndarray:
    """The boxes of head, upper body, lower body and feet of an upright person.

    The head is above the line of the shoulders, the upper body from there to the hips,
    the lower body from there to the ankles, the feet below the knees. (A line is the
    mean of left and right, or the one that is usable.) The head is as high as the upper
    body at most, and feet end as far below the ankles as half the lower leg. To the
    sides, zones reach from the outermost keypoint to the other and a quarter of the
    upper body further.

    >>> points = np.zeros((17, 3))
    >>> points[[5, 6, 11, 12]] = [(20, 30, 1), (40, 30, 1), (24, 70, 1), (36, 70, 1)]
    >>> body_zones(points, width=64, height=128)[:2]  # nothing is known of the legs
    array([[10.,  0., 50., 30.],
           [10., 30., 50., 70.]])

    Args:
        keypoints: ``(17, 3)`` in COCO's order, x, y and visibility, 1 or 0.
        width: Of the image.
        height: Likewise.

    Returns:
        float64, ``(4, 4)``: xyxy in pixels of each of :data:`ZONES`, clipped to the
        image; NaN where a line is missing, or not below the one above it.
    """
    shoulders, hips, knees, ankles = (_line(keypoints, name) for name in _LINES)
    torso = hips - shoulders
    usable = keypoints[:, 2] == 1
    columns = keypoints[usable, 0] if usable.any() else np.array([np.nan])
    left, right = columns.min() - _MARGIN * torso, columns.max() + _MARGIN * torso
    rows = np.array(
        [
            (shoulders - torso, shoulders),
            (shoulders, hips),
            (hips, ankles),
            (knees, ankles + (ankles - knees) / 2),
        ]
    )
    # Comparisons with NaN are false, so what is missing is not upright.
    upright = np.array([torso, torso, ankles - hips, ankles - knees]) > 0
    upright &= torso > 0
    rows[~upright] = np.nan
    sides = np.broadcast_to((left, right), (4, 2))
    zones = np.stack([sides[:, 0], rows[:, 0], sides[:, 1], rows[:, 1]], axis=1)
    zones[np.isnan(zones).any(axis=1)] = np.nan
    return clip_boxes(zones, width, height)


def _line(keypoints: np.ndarray, name: str) -> float:
    """Height of a pair of joints, NaN where both are missing."""
    pair = [COCO_KEYPOINTS.index(f"{side}_{name}") for side in ("left", "right")]
    heights = [keypoints[i, 1] for i in pair if keypoints[i, 2] == 1]
    return float(np.mean(heights)) if heights else float("nan")


def zones_of_attributes(
    names: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> np.ndarray:
    """Which of :data:`ZONES` each attribute has, int64, (A,); -1 for none.

    Args:
        names: Of the A attributes.
        groups: A schema's body-region groups. Those of other names, such as age and
            bags, have no zone: they may be seen anywhere.
    """
    zone = {n: ZONES.index(g) for g, own in groups.items() if g in ZONES for n in own}
    return np.array([zone.get(name, -1) for name in names], np.int64)
