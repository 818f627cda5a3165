"""Size and proportions of a person."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Build:
    """Measures in units of the person's own height, except ``height``.

    Args:
        height: Share of the picture's height that the person takes up.
        head: Half the height of the head.
        trunk: Everything below the head, relative to an adult's.
        shoulder, chest, waist, hip: Half widths of the torso.
        depth: Half depth of the torso at the chest.
        bust: How much the chest stands out to the front.
        girth: Thickness of the limbs, relative to the average.
    """

    height: float
    head: float
    trunk: float
    shoulder: float
    chest: float
    waist: float
    hip: float
    depth: float
    bust: float
    girth: float


def sample_build(present: Set[str], rng: np.random.Generator) -> Build:
    """Sample a build that fits the age and the gender."""
    size, head, wide, heavy, shape = rng.uniform(-1, 1, 5).tolist()
    female, child = "Female" in present, "AgeLess18" in present
    if child:
        height, half_head = 0.70 + 0.06 * size, 0.092 + 0.007 * head
    else:
        height = 0.875 - 0.03 * ("AgeOver60" in present) + 0.04 * size
        half_head = 0.070 + 0.003 * head
    fat = 1 + 0.10 * heavy + 0.06 * ("AgeOver60" in present)
    shoulder = (0.106 if female else 0.124) + 0.006 * wide - 0.012 * child
    waist = (0.074 if female else 0.090) * fat + 0.004 * shape
    hip = (0.096 if female else 0.088) * fat
    return Build(
        height=height,
        head=half_head,
        trunk=(1 - 2 * half_head) / 0.86,
        shoulder=shoulder,
        chest=shoulder * 0.86,
        waist=waist,
        hip=hip,
        depth=0.060 * fat,
        bust=0.016 if female and not child else 0.0,
        girth=(0.92 if female else 1.04) * (1 + 0.08 * heavy),
    )
