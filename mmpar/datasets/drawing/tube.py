"""A shape with a left and a right edge, and places on it."""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[float, float]


class Tube:
    """Limb, torso or skirt in the picture: two edges, level by level.

    A place on it is (u, v): u from -1 at the left edge to 1 at the right one, v from 0
    at the first level to 1 at the last one.

    Args:
        left: Points of the one edge, in pixels.
        right: As many points of the other one.
    """

    def __init__(self, left: Sequence[Point], right: Sequence[Point]) -> None:
        self.left = list(left)
        self.right = list(right)
        middles = [_between(a, b, 0.5) for a, b in zip(left, right)]
        steps = [math.dist(a, b) for a, b in zip(middles, middles[1:])]
        self.length = sum(steps) or 1.0
        self.ends = [0.0]
        for step in steps:
            self.ends.append(self.ends[-1] + step / self.length)
        self.width = max(math.dist(a, b) for a, b in zip(left, right))

    @classmethod
    def around(cls, start: Point, end: Point, first: float, last: float) -> Tube:
        """A limb from ``start`` to ``end`` with radii ``first`` and ``last``."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        size = math.hypot(dx, dy) or 1.0
        nx, ny = dy / size, -dx / size
        if nx < 0:  # the right edge is on the right in the picture
            nx, ny = -nx, -ny
        ends = ((start, first), (end, last))
        return cls(
            [(x - nx * r, y - ny * r) for (x, y), r in ends],
            [(x + nx * r, y + ny * r) for (x, y), r in ends],
        )

    def at(self, u: float, v: float) -> Point:
        """The pixel of a place."""
        i = 0
        while i < len(self.ends) - 2 and v > self.ends[i + 1]:
            i += 1
        span = self.ends[i + 1] - self.ends[i] or 1.0
        along = (v - self.ends[i]) / span
        left = _between(self.left[i], self.left[i + 1], along)
        right = _between(self.right[i], self.right[i + 1], along)
        return _between(left, right, (u + 1) / 2)

    def outline(self, u0: float = -1, u1: float = 1) -> list[Point]:
        """Polygon of the whole length between two u."""
        pairs = list(zip(self.left, self.right))
        low, high = (u0 + 1) / 2, (u1 + 1) / 2
        near = [_between(a, b, low) for a, b in pairs]
        return near + [_between(a, b, high) for a, b in reversed(pairs)]

    def patch(self, u0: float, u1: float, v0: float, v1: float) -> list[Point]:
        """Polygon of the places between two u and two v."""
        inner = [end for end in self.ends if v0 < end < v1]
        levels = [v0, *inner, v1]
        return [self.at(u0, v) for v in levels] + [
            self.at(u1, v) for v in reversed(levels)
        ]


def visible_span(first: float, last: float, yaw: float) -> tuple[float, float] | None:
    """Where a stretch of a round body appears.

    Args:
        first: Angle at which it begins, in radians; 0 is the front of the body, pi / 2
            the person's left.
        last: Angle at which it ends, above ``first``.
        yaw: Angle by which the body is turned.

    Returns:
        The u where it begins and ends, or ``None`` when it is all on the far side.
    """
    middle, half = (first + last) / 2 + yaw, (last - first) / 2
    middle = math.remainder(middle, 2 * math.pi)
    low = max(middle - half, -math.pi / 2)
    high = min(middle + half, math.pi / 2)
    return (math.sin(low), math.sin(high)) if low < high else None


def _between(one: Point, other: Point, share: float) -> Point:
    return (
        one[0] + (other[0] - one[0]) * share,
        one[1] + (other[1] - one[1]) * share,
    )
