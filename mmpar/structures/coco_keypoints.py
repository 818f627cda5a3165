"""The 17 body keypoints of COCO: their order and their mirror images."""

from __future__ import annotations

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

_SWAPPED = {"left": "right", "right": "left"}


def _mirrored(name: str) -> str:
    side, _, joint = name.partition("_")
    return f"{_SWAPPED[side]}_{joint}" if joint else name


COCO_FLIP_ORDER: tuple[int, ...] = tuple(
    COCO_KEYPOINTS.index(_mirrored(name)) for name in COCO_KEYPOINTS
)
"""Index of the keypoint that each becomes in a mirrored picture."""
