"""What a pixel of a drawn image shows, and which parts are evidence of an attribute.

While an image is drawn, its alpha channel holds the part that was painted last at each
pixel, so that what stays visible in the end is known exactly.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Any

import numpy as np

from mmpar.structures.boxes import bound_mask
from mmpar.structures.schemas.pa100k import PA100K


class Part(IntEnum):
    """What was painted at a pixel."""

    BACKGROUND = 0
    OCCLUDER = auto()
    HEAD = auto()
    HAIR = auto()
    HAT = auto()
    GLASSES = auto()
    NECK = auto()
    TORSO = auto()
    LOGO = auto()
    LEFT_SLEEVE = auto()
    RIGHT_SLEEVE = auto()
    LEFT_ARM = auto()
    RIGHT_ARM = auto()
    LEFT_HAND = auto()
    RIGHT_HAND = auto()
    COAT = auto()
    COAT_SKIRT = auto()
    PELVIS = auto()
    LEFT_TROUSER = auto()
    RIGHT_TROUSER = auto()
    SIDE_STRIPE = auto()
    SKIRT = auto()
    LEFT_LEG = auto()
    RIGHT_LEG = auto()
    LEFT_SHOE = auto()
    RIGHT_SHOE = auto()
    LEFT_BOOT = auto()
    RIGHT_BOOT = auto()
    HANDBAG = auto()
    SHOULDER_BAG = auto()
    BACKPACK = auto()
    HELD = auto()
    CANE = auto()


_CARRIED = (Part.HANDBAG, Part.SHOULDER_BAG, Part.BACKPACK, Part.HELD, Part.CANE)
PERSON = tuple(
    part
    for part in Part
    if part not in (Part.BACKGROUND, Part.OCCLUDER) and part not in _CARRIED
)
"""The person with all clothes, without what is carried."""

_SLEEVES = (Part.LEFT_SLEEVE, Part.RIGHT_SLEEVE)
_ARMS = (*_SLEEVES, Part.LEFT_ARM, Part.RIGHT_ARM)
_UPPER = (Part.TORSO, Part.COAT, Part.COAT_SKIRT, Part.LOGO, *_SLEEVES)
_LEGWEAR = (Part.PELVIS, Part.LEFT_TROUSER, Part.RIGHT_TROUSER, Part.SIDE_STRIPE)

# Bare forearms and shins are what tells short from long.
_EVIDENCE: dict[str, tuple[Part, ...]] = {
    "Hat": (Part.HAT,),
    "Glasses": (Part.GLASSES,),
    "HandBag": (Part.HANDBAG,),
    "ShoulderBag": (Part.SHOULDER_BAG,),
    "Backpack": (Part.BACKPACK,),
    "HoldObjectsInFront": (Part.HELD,),
    "ShortSleeve": _ARMS,
    "LongSleeve": _ARMS,
    "UpperStride": _UPPER,
    "UpperLogo": (Part.LOGO,),
    "UpperPlaid": _UPPER,
    "UpperSplice": _UPPER,
    "LowerStripe": (Part.SIDE_STRIPE,),
    "LowerPattern": (*_LEGWEAR, Part.SKIRT),
    "LongCoat": (Part.COAT, Part.COAT_SKIRT),
    "Trousers": _LEGWEAR,
    "Shorts": (*_LEGWEAR, Part.LEFT_LEG, Part.RIGHT_LEG),
    "Skirt&Dress": (Part.SKIRT,),
    "boots": (Part.LEFT_BOOT, Part.RIGHT_BOOT),
}


def _evidence_table() -> np.ndarray:
    table = np.zeros((len(PA100K), len(Part)), bool)
    for row, name in zip(table, PA100K.names):
        row[list(_EVIDENCE.get(name, PERSON))] = True
    return table


EVIDENCE = _evidence_table()
"""bool (26, parts): what shows an attribute; age, gender and view show in all."""


def attribute_boxes(parts: np.ndarray, labels: np.ndarray, factor: int) -> np.ndarray:
    """Tight boxes around the evidence of the attributes present.

    Args:
        parts: What each supersampled pixel shows, uint8, (H, W).
        labels: (26,).
        factor: Supersampling; the boxes are in pixels of the final image.

    Returns:
        float32, (26, 4), xyxy; NaN where nothing of the attribute is seen.
    """
    columns, rows = _occupied(parts)
    boxes = np.full((len(labels), 4), np.nan, np.float32)
    for i in np.flatnonzero(np.asarray(labels) == 1):
        boxes[i] = _box_of(EVIDENCE[i], columns, rows)
    return boxes / np.float32(factor)


def person_box(parts: np.ndarray, factor: int) -> np.ndarray:
    """Tight box of the person with all clothes, float32, (4,), xyxy; NaN if hidden."""
    columns, rows = _occupied(parts)
    return _box_of(list(PERSON), columns, rows) / np.float32(factor)


def _box_of(shown: Any, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return bound_mask(columns[shown].any(axis=0), rows[shown].any(axis=0))


def _occupied(parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each part the columns, (P, W), and rows, (P, H), in which it is seen."""
    numbers = np.arange(len(Part), dtype=np.int64)  # 33 parts, too many for 32 bits
    seen = (1 << numbers)[parts]  # a bit for each part is faster than a mask for each
    columns, rows = (np.bitwise_or.reduce(seen, axis=axis) for axis in (0, 1))
    numbers = numbers[:, None]
    return (columns >> numbers & 1) == 1, (rows >> numbers & 1) == 1
