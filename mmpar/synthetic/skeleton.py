"""Proportions, pose and joints of a person, projected into the image."""

from __future__ import annotations

import math
from collections.abc import Set
from dataclasses import dataclass

import numpy as np

from mmpar.synthetic.canvas import Tube


@dataclass(frozen=True)
class Proportions:
    """Measures in units of the person's own height, except ``height``.

    Args:
        height: Share of the image's height that the person takes up.
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


def sample_proportions(present: Set[str], rng: np.random.Generator) -> Proportions:
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
    return Proportions(
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


Place = tuple[float, float, float]

LEFT, RIGHT = 1, -1
SIDES = ((LEFT, "left"), (RIGHT, "right"))
_HIP_HEIGHT = 0.50
_ELEVATION = 0.16  # seen slightly from above: what is nearer stands lower


@dataclass(frozen=True)
class Pose:
    """How the person stands or walks; angles in radians.

    Args:
        yaw: Turn of the body; 0 faces the viewer, pi / 2 the right of the image.
        gait: Forward swing of the left thigh; the right one swings back.
        arms: For left and right: forward swing, spread to the side, bend of the elbow.
        lean: Forward lean of the trunk.
        nod: Turn of the head against the body.
        bag: Side of a hand bag, as an index in ``SIDES``.
        shift: Place of the person in the image, as shares of its height.
    """

    yaw: float
    gait: float
    arms: tuple[tuple[float, float, float], tuple[float, float, float]]
    lean: float
    nod: float
    bag: int
    shift: tuple[float, float]


def sample_pose(present: Set[str], rng: np.random.Generator) -> Pose:
    """Sample a pose that fits the view, the age and what is carried."""
    turn, gait, lean, nod, across, down = rng.uniform(-1, 1, 6).tolist()
    mirrored, standing = (rng.random(2) < (0.5, 0.3)).tolist()
    spread, bends = rng.random(2).tolist(), rng.random(2).tolist()
    yaw = 0.42 * turn
    if "Back" in present:
        yaw += math.pi
    elif "Side" in present:
        yaw = (math.pi / 2 + 0.36 * turn) * (1 if mirrored else -1)
    gait *= 0.07 if standing else 0.46
    arms = [
        (-side * gait * 0.9, 0.10 + 0.16 * s, 0.12 + 0.7 * b * b)
        for (side, _), s, b in zip(SIDES, spread, bends)
    ]
    bag = bag_side(yaw, mirrored)
    if "HoldObjectsInFront" in present:
        arms = [(0.30, 0.16, 1.25 + 0.2 * bends[0])] * 2
    elif "HandBag" in present:
        arms[bag] = (0.05 * turn, 0.20, 0.10)
    return Pose(
        yaw=yaw,
        gait=gait,
        arms=(arms[0], arms[1]),
        lean=(0.22 if "AgeOver60" in present else 0.03) + 0.05 * lean,
        nod=0.22 * nod,
        bag=bag,
        shift=(0.025 * across, 0.015 * down),
    )


def bag_side(yaw: float, mirrored: bool) -> int:
    """Index in ``SIDES`` of the side that a bag is carried on: one that is seen."""
    facing_across = math.sin(yaw)
    if abs(facing_across) > 0.7:
        return 1 if facing_across > 0 else 0  # the near side
    return int(mirrored)


class Skeleton:
    """Joints of a posed person, and the projection into the image.

    Args:
        body: Proportions.
        pose: Pose.
        width: Width of the canvas in pixels.
        height: Its height.
    """

    def __init__(self, body: Proportions, pose: Pose, width: int, height: int) -> None:
        self.body = body
        self.pose = pose
        self.scale = body.height * height
        self._cos, self._sin = math.cos(pose.yaw), math.sin(pose.yaw)
        self._lean = (math.cos(pose.lean), math.sin(pose.lean))
        self.joints: dict[str, Place] = {}
        self._place_legs()
        self._place_trunk()
        self._place_arms()
        ground = min(self.joints[f"{name}_ankle"][1] for _, name in SIDES) - 0.035
        margin = (1 - body.height) * 0.45
        self._origin = (
            width / 2 + pose.shift[0] * height - 0.5 * self.scale * self._offset(),
            height * (1 - margin + pose.shift[1]) + ground * self.scale,
        )

    # --- joints ---------------------------------------------------------------------

    def _place_legs(self) -> None:
        trunk = self.body.trunk
        for side, name in SIDES:
            swing = side * self.pose.gait
            bend = 0.06 + (1.1 * -swing if swing < 0 else 0.25 * swing)
            hip = (side * self.body.hip * 0.52, _HIP_HEIGHT * trunk, 0.0)
            knee = _moved(hip, 0.225 * trunk, swing, side * 0.03)
            ankle = _moved(knee, 0.235 * trunk, swing - bend, 0.0)
            self.joints[f"{name}_hip"] = hip
            self.joints[f"{name}_knee"] = knee
            self.joints[f"{name}_ankle"] = ankle
            self.joints[f"{name}_toe"] = _toe(ankle, swing - bend)

    def _place_trunk(self) -> None:
        head, trunk = self.body.head, self.body.trunk
        self.joints["neck"] = self.leaning(0, 0.845 * trunk, 0)
        x, y, z = self.leaning(0, 1 - head, 0.012)
        if self.pose.lean > 0.15:  # a stooping person still looks ahead
            z += 0.02
            y -= 0.01
        self.joints["head"] = (x, y, z)

    def _place_arms(self) -> None:
        trunk = self.body.trunk
        for (side, name), (swing, spread, bend) in zip(SIDES, self.pose.arms):
            shoulder = self.leaning(side * self.body.shoulder * 0.86, 0.79 * trunk, 0)
            elbow = _moved(shoulder, 0.165 * trunk, swing, side * spread)
            inwards = -side * 0.42 if bend > 1 else side * spread * 0.4
            wrist = _moved(elbow, 0.145 * trunk, swing + bend, inwards)
            self.joints[f"{name}_shoulder"] = shoulder
            self.joints[f"{name}_elbow"] = elbow
            self.joints[f"{name}_wrist"] = wrist
            self.joints[f"{name}_hand"] = _moved(
                wrist, 0.03 * trunk, swing + bend, inwards
            )

    def leaning(self, x: float, y: float, z: float) -> Place:
        """A place of the upright trunk, leant forward about the hips."""
        cos, sin = self._lean
        up = y - _HIP_HEIGHT * self.body.trunk
        return (
            x,
            _HIP_HEIGHT * self.body.trunk + up * cos - z * sin,
            up * sin + z * cos,
        )

    def _offset(self) -> float:
        """How far leaning moves the head across the image."""
        return self.joints["head"][2] * self._sin

    # --- projection -----------------------------------------------------------------

    def depth(self, place: Place) -> float:
        """How near to the viewer a place is, in body units."""
        return place[2] * self._cos - place[0] * self._sin

    def pixel(self, place: Place) -> tuple[float, float]:
        """Where a place appears on the canvas."""
        x, y, z = place
        across = x * self._cos + z * self._sin
        near = z * self._cos - x * self._sin
        return (
            self._origin[0] + self.scale * across,
            self._origin[1] - self.scale * (y - _ELEVATION * near),
        )

    def joint(self, name: str) -> tuple[float, float]:
        """Where a joint appears on the canvas."""
        return self.pixel(self.joints[name])

    def half_width(self, across: float, deep: float, turn: float = 0.0) -> float:
        """Half width in pixels of a body with elliptic section, as it is turned."""
        yaw = self.pose.yaw + turn
        return self.scale * math.hypot(across * math.cos(yaw), deep * math.sin(yaw))

    def trunk_tube(self, levels: list[tuple[float, float, float, float]]) -> Tube:
        """A tube around the trunk.

        Args:
            levels: From top to bottom: height (of an adult), half width, half depth,
                and how far the middle lies in front of the axis.
        """
        left, right = [], []
        for y, across, deep, forward in levels:
            middle = self.leaning(0, y * self.body.trunk, forward)
            x, row = self.pixel(middle)
            half = self.half_width(across, deep)
            left.append((x - half, row))
            right.append((x + half, row))
        return Tube(left, right)


def _moved(start: Place, length: float, swing: float, spread: float) -> Place:
    """The end of a limb that hangs down, swung forward and spread to the side."""
    down = math.cos(spread) * length
    return (
        start[0] + math.sin(spread) * length,
        start[1] - math.cos(swing) * down,
        start[2] + math.sin(swing) * down,
    )


def _toe(ankle: Place, tilt: float) -> Place:
    """Tip of a foot that stands flat, or hangs down behind."""
    dip = max(0.0, -tilt) * 0.6
    return (ankle[0], ankle[1] - 0.022 - 0.05 * dip, ankle[2] + 0.085)
