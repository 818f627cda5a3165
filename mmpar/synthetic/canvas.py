"""The canvas: shaded tubes, discs and polygons, with the part that each pixel shows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from mmpar.synthetic.parts import Part
from mmpar.synthetic.sampling import Colour, mixed

Point = tuple[float, float]


class Tube:
    """Limb, torso or skirt in the image: two edges, level by level.

    A place on it is (u, v): u from -1 at the left edge to 1 at the right one, v from 0
    at the first level to 1 at the last one.

    Args:
        left: Points of the one edge, in pixels.
        right: As many points of the other one.
    """

    def __init__(self, left: Sequence[Point], right: Sequence[Point]) -> None:
        self.left = list(left)
        self.right = list(right)
        middles = [point_between(a, b, 0.5) for a, b in zip(left, right)]
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
        if nx < 0:  # the right edge is on the right in the image
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
        left = point_between(self.left[i], self.left[i + 1], along)
        right = point_between(self.right[i], self.right[i + 1], along)
        return point_between(left, right, (u + 1) / 2)

    def outline(self, u0: float = -1, u1: float = 1) -> list[Point]:
        """Polygon of the whole length between two u."""
        pairs = list(zip(self.left, self.right))
        low, high = (u0 + 1) / 2, (u1 + 1) / 2
        near = [point_between(a, b, low) for a, b in pairs]
        return near + [point_between(a, b, high) for a, b in reversed(pairs)]

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


def point_between(one: Point, other: Point, share: float) -> Point:
    """The point at a share of the way from one to the other."""
    return (
        one[0] + (other[0] - one[0]) * share,
        one[1] + (other[1] - one[1]) * share,
    )


_NEUTRAL, _EDGE, _BODY, _HIGHLIGHT = 200, 148, 204, 232


class Canvas:
    """Colours, parts and shading of an image while it is drawn.

    Parts are kept in the alpha channel, so that each shape is painted once. Shading is
    a layer of its own, multiplied in at the end, so that it lies over any pattern.

    Args:
        background: Image of the final size, RGB.
        factor: Supersampling.
        light: Where light comes from, from -1 (left) to 1 (right).
    """

    def __init__(self, background: Image.Image, factor: int, light: float) -> None:
        self.factor = factor
        self.light = light
        width, height = background.size
        self.width, self.height = width * factor, height * factor
        large = background.resize((self.width, self.height), Image.Resampling.BILINEAR)
        large.putalpha(Part.BACKGROUND)
        self._image = large
        self._draw = ImageDraw.Draw(large)
        self._shade = Image.new("L", (self.width, self.height), _NEUTRAL)
        self._shader = ImageDraw.Draw(self._shade)

    # --- shapes ---------------------------------------------------------------------

    def polygon(self, points: Sequence[Point], colour: Colour, part: Part) -> None:
        """Fill a polygon; the shading under it stays."""
        self._draw.polygon(points, fill=(*colour, part))

    def line(
        self, points: Sequence[Point], width: float, colour: Colour, part: Part
    ) -> None:
        """Draw a line; the shading under it stays."""
        self._draw.line(
            points, fill=(*colour, part), width=max(1, round(width)), joint="curve"
        )

    def disc(
        self, centre: Point, rx: float, ry: float, colour: Colour, part: Part
    ) -> None:
        """Fill an ellipse; the shading under it stays."""
        self._draw.ellipse(_box(centre, rx, ry), fill=(*colour, part))

    def ball(
        self, centre: Point, rx: float, ry: float, colour: Colour, part: Part
    ) -> None:
        """Fill an ellipse, shaded as a ball."""
        self.disc(centre, rx, ry, colour, part)
        for share, shift, tone in _NESTED:
            middle = (centre[0] + self.light * shift * rx, centre[1] - 0.3 * shift * ry)
            self._shader.ellipse(_box(middle, rx * share, ry * share), fill=tone)

    def tube(self, tube: Tube, colour: Colour, part: Part) -> None:
        """Fill a tube, shaded as a round body."""
        self._draw.polygon(tube.outline(), fill=(*colour, part))
        for share, shift, tone in _NESTED:
            middle = self.light * shift
            outline = tube.outline(middle - share, middle + share)
            self._shader.polygon(outline, fill=tone)

    def limb(
        self,
        points: Sequence[Point],
        radii: Sequence[float],
        colour: Colour,
        part: Part,
    ) -> None:
        """Fill a chain of tubes with round joints, shaded as one round body."""
        for share, shift, tone in ((1.0, 0.0, None), *_NESTED):
            draw = self._draw if tone is None else self._shader
            fill = (*colour, part) if tone is None else tone
            for i, (point, radius) in enumerate(zip(points, radii)):
                middle = (point[0] + self.light * shift * radius, point[1])
                r = radius * share
                draw.ellipse(_box(middle, r, r), fill=fill)
                if i + 1 < len(points):
                    end = points[i + 1][0] + self.light * shift * radii[i + 1]
                    segment = Tube.around(
                        middle, (end, points[i + 1][1]), r, radii[i + 1] * share
                    )
                    draw.polygon(segment.outline(), fill=fill)

    def block(self, points: Sequence[Point], colour: Colour, part: Part) -> None:
        """Fill a polygon, shaded evenly as a flat body in front of all else."""
        self._draw.polygon(points, fill=(*colour, part))
        self._shader.polygon(points, fill=_NEUTRAL)

    def darken(self, centre: Point, rx: float, ry: float, tone: float) -> None:
        """Cast a shadow with the shape of an ellipse; ``tone`` 1 leaves as is."""
        self._shader.ellipse(_box(centre, rx, ry), fill=round(_NEUTRAL * tone))

    # --- result ---------------------------------------------------------------------

    def image(self) -> np.ndarray:
        """Shaded image of the final size, float32, (H, W, 3) in 0..255."""
        colours = self._image.convert("RGB").reduce(self.factor)
        shade = self._shade.reduce(self.factor)
        factors = np.asarray(shade, np.float32)[..., None] / _NEUTRAL
        return np.clip(np.asarray(colours, np.float32) * factors, 0, 255)

    def parts(self) -> np.ndarray:
        """What each supersampled pixel shows, uint8, (H * factor, W * factor)."""
        return np.asarray(self._image.getchannel("A"))


_NESTED = ((1.0, 0.0, _EDGE), (0.82, 0.15, _BODY), (0.42, 0.35, _HIGHLIGHT))


def _box(centre: Point, rx: float, ry: float) -> tuple[float, float, float, float]:
    rx, ry = max(rx, 0.5), max(ry, 0.5)
    return (centre[0] - rx, centre[1] - ry, centre[0] + rx, centre[1] + ry)


def stripes(
    canvas: Canvas, tube: Tube, period: float, colour: Colour, part: Part
) -> None:
    """Stripes across the tube, half as thick as their period (pixels)."""
    for v0, v1 in _bands(tube.length, period, 0.5):
        canvas.polygon(tube.patch(-1, 1, v0, v1), colour, part)


def plaid(
    canvas: Canvas,
    tube: Tube,
    period: float,
    base: Colour,
    colour: Colour,
    part: Part,
) -> None:
    """Bands across and along, and full colour where they cross."""
    across = _bands(tube.length, period, 0.42)
    along = [(2 * a - 1, 2 * b - 1) for a, b in _bands(tube.width, period, 0.42)]
    half = mixed(base, colour, 0.55)
    for v0, v1 in across:
        canvas.polygon(tube.patch(-1, 1, v0, v1), half, part)
    for u0, u1 in along:
        canvas.polygon(tube.patch(u0, u1, 0, 1), half, part)
        for v0, v1 in across:
            canvas.polygon(tube.patch(u0, u1, v0, v1), colour, part)


def scattered(
    canvas: Canvas,
    tube: Tube,
    period: float,
    colour: Colour,
    part: Part,
    kind: str,
) -> None:
    """A pattern for legwear: ``'dots'``, ``'blobs'`` or ``'checks'``."""
    rows = max(2, round(tube.length / period))
    columns = max(2, round(tube.width / period))
    for i in range(rows):
        for j in range(columns):
            if kind == "checks" and (i + j) % 2:
                continue
            u = -1 + (2 * j + (0.5, 1.5)[i % 2]) / columns
            v = (i + 0.5) / rows
            if kind == "checks":
                u0, v0 = -1 + 2 * j / columns, i / rows
                patch = tube.patch(u0, u0 + 2 / columns, v0, v0 + 1 / rows)
                canvas.polygon(patch, colour, part)
            elif kind == "dots":
                r = period * 0.30
                canvas.disc(tube.at(u, v), r, r, colour, part)
            elif (3 * i + 5 * j) % 4:
                wide = period * (0.3 + 0.07 * ((i + 2 * j) % 4))
                canvas.disc(tube.at(u, v), wide, period * 0.28, colour, part)


def _bands(length: float, period: float, share: float) -> list[tuple[float, float]]:
    """Stretches of [0, 1], ``share`` of a period long, one a period."""
    count = max(1, round(length / period))
    return [
        ((i + 0.5 - share / 2) / count, (i + 0.5 + share / 2) / count)
        for i in range(count)
    ]
