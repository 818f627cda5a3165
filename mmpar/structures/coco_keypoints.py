"""The 17 keypoints of COCO: names in their order, and which mirror which."""

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

COCO_FLIP_ORDER: tuple[int, ...] = (
    0,
    *(2, 1, 4, 3, 6, 5, 8, 7),
    *(10, 9, 12, 11, 14, 13, 16, 15),
)
"""For each keypoint the index of its mirror image."""
