"""COCO keypoints of a drawn person."""

from __future__ import annotations

import math

import numpy as np

from mmpar.datasets.drawing.head import HeadShape
from mmpar.datasets.drawing.parts import Part
from mmpar.datasets.drawing.skeleton import Skeleton
from mmpar.structures import COCO_KEYPOINTS

_FACE = {
    "nose": (0.0, -0.12),
    "left_eye": (0.48, 0.1),
    "right_eye": (-0.48, 0.1),
    "left_ear": (math.pi / 2, 0.0),
    "right_ear": (-math.pi / 2, 0.0),
}
"""Longitude and latitude on the head."""

_HEAD_PARTS = (Part.HEAD, Part.HAIR, Part.GLASSES, Part.HAT)
_TRUNK_PARTS = (Part.TORSO, Part.LOGO, Part.COAT, Part.COAT_SKIRT)
_HIP_PARTS = (*_TRUNK_PARTS, Part.PELVIS, Part.SKIRT)
_COVERED_BY = {
    "shoulder": ("SLEEVE", "ARM"),
    "elbow": ("SLEEVE", "ARM"),
    "wrist": ("SLEEVE", "ARM", "HAND"),
    "hip": ("TROUSER",),
    "knee": ("LEG", "TROUSER", "BOOT"),
    "ankle": ("LEG", "TROUSER", "BOOT", "SHOE"),
}


def find_keypoints(
    skeleton: Skeleton, head: HeadShape, parts: np.ndarray, factor: int
) -> np.ndarray:
    """Keypoints in pixels of the final picture.

    A keypoint is visible when the pixel there shows its own part of the body or what
    covers that part as clothing, and, on the head, when it is on the near side.

    Args:
        skeleton: Posed body.
        head: Its head.
        parts: What each supersampled pixel shows, uint8, (H, W).
        factor: Supersampling.

    Returns:
        float32, (17, 3): x, y, and 0 outside the picture, 1 hidden, 2 visible. Outside
        the picture x and y are 0, as in COCO.
    """
    height, width = parts.shape
    points = np.zeros((len(COCO_KEYPOINTS), 3), np.float32)
    for row, name in zip(points, COCO_KEYPOINTS):
        x, y = head.at(*_FACE[name]) if name in _FACE else skeleton.joint(name)
        if not (0 <= x < width and 0 <= y < height):
            continue
        near = name not in _FACE or head.seen(_FACE[name][0])
        seen = near and parts[int(y), int(x)] in _own_parts(name)
        row[:] = (x / factor, y / factor, 2 if seen else 1)
    return points


def _own_parts(name: str) -> tuple[Part, ...]:
    if name in _FACE:
        return _HEAD_PARTS
    side, joint = name.split("_")
    own = tuple(Part[f"{side.upper()}_{part}"] for part in _COVERED_BY[joint])
    if joint == "knee":
        own += (Part.SKIRT, Part.COAT_SKIRT, Part.SIDE_STRIPE)
    elif joint == "ankle":
        own += (Part.SIDE_STRIPE,)
    elif joint == "hip":
        own += _HIP_PARTS
    elif joint == "shoulder":
        own += _TRUNK_PARTS
    return own
