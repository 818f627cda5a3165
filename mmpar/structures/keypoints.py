"""Body keypoints: COCO's 17, their mirror images, and what their third number means.

Keypoints are ``(..., 17, 3)``: x, y in continuous pixels (pixel i covers [i, i + 1))
and visibility, 1 for usable and 0 for missing. A source that has scores thresholds them
once, where it is read (:func:`scores_to_visibility`); COCO's flags 1 (hidden) and 2
(visible) are both usable, as the place is known.
"""

from __future__ import annotations

import numpy as np

COCO_KEYPOINTS: tuple[str, ...] = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
"""Names in COCO's order; left is the person's left."""

NUM_KEYPOINTS = len(COCO_KEYPOINTS)
_SWAPPED = {"left": "right", "right": "left"}


def _mirrored(name: str) -> str:
    side, _, joint = name.partition("_")
    return f"{_SWAPPED[side]}_{joint}" if joint else name


COCO_FLIP_ORDER: tuple[int, ...] = tuple(
    COCO_KEYPOINTS.index(_mirrored(name)) for name in COCO_KEYPOINTS
)
"""Index of the keypoint that each becomes in a mirrored image."""


def keypoints_inside(
    keypoints: np.ndarray, width: int | np.ndarray, height: int | np.ndarray
) -> np.ndarray:
    """Whether each keypoint ``(..., 3)`` is in the image, whatever its visibility.

    Args:
        keypoints: ``(..., 3)``; NaN is not inside.
        width: Of the image, or an array that broadcasts to ``(...)``.
        height: Likewise.

    Returns:
        bool, ``(...)``.
    """
    x, y = keypoints[..., 0], keypoints[..., 1]
    return (x >= 0) & (x < width) & (y >= 0) & (y < height)


def drop_outside(
    keypoints: np.ndarray, width: int | np.ndarray, height: int | np.ndarray
) -> int:
    """Zero, in place, the keypoints outside their image; returns how many.

    Transforms would clip such a keypoint to the border. Arguments are those of
    :func:`keypoints_inside`.
    """
    outside = ~keypoints_inside(keypoints, width, height) & (keypoints[..., 2] > 0)
    keypoints[outside] = 0
    return int(outside.sum())


def scores_to_visibility(keypoints: np.ndarray, min_score: float) -> int:
    """Turn scores, in place, into visibility; returns how many were too low.

    Args:
        keypoints: ``(..., 3)``: x, y and score, 0 for a missing keypoint. One of a
            score of 0, or below ``min_score``, becomes 0, 0, 0; the others get 1.
        min_score: The least score of a usable keypoint.

    >>> found = np.array([[4.0, 5, 0.9], [4, 5, 0.2], [0, 0, 0]])
    >>> scores_to_visibility(found, 0.3), found[:, 2].tolist()
    (1, [1.0, 0.0, 0.0])
    """
    scores = keypoints[..., 2]
    usable = (scores > 0) & (scores >= min_score)
    too_low = int((~usable & (scores > 0)).sum())
    keypoints[~usable] = 0
    keypoints[usable, 2] = 1
    return too_low


def check_visibility(keypoints: np.ndarray, owner: str) -> None:
    """Raise ``ValueError`` unless the third numbers of ``(..., 3)`` are 0 or 1."""
    visibility = keypoints[..., 2]
    odd = visibility[(visibility != 0) & (visibility != 1)]
    if odd.size:
        raise ValueError(
            f"the gt_keypoints of {owner} have a visibility of {odd[0]:g}; expected 1 "
            "(usable) or 0 (missing): threshold scores, and take COCO's 1 and 2 as 1"
        )
