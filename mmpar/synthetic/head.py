"""Neck, head, face, hair, hat and glasses."""

from __future__ import annotations

import math
from functools import partial

from mmpar.synthetic.canvas import Point, Tube
from mmpar.synthetic.figure import Figure
from mmpar.synthetic.parts import Part
from mmpar.synthetic.sampling import Colour, mixed, shade
from mmpar.synthetic.skeleton import Skeleton

_WIDE, _TALL, _DEEP = 0.76, 1.0, 0.88
"""Half axes of the head, relative to half its height."""

_DARK = (34, 28, 28)


class HeadShape:
    """The head as a turned ellipsoid: places on it by longitude and latitude.

    Longitude 0 is where the face looks, pi / 2 the person's left; latitude pi / 2 is
    the crown.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self.centre = skeleton.joint("head")
        self.yaw = skeleton.pose.yaw + skeleton.pose.nod
        self.size = skeleton.body.head * skeleton.scale
        self.cos, self.sin = math.cos(self.yaw), math.sin(self.yaw)
        self.rx = self.size * math.hypot(_WIDE * self.cos, _DEEP * self.sin)
        self.ry = self.size * _TALL

    def at(self, lon: float, lat: float, out: float = 1.0) -> Point:
        """The pixel of a place; one on the far side is moved to the silhouette."""
        x = _WIDE * math.sin(lon) * math.cos(lat)
        z = _DEEP * math.cos(lon) * math.cos(lat)
        y = _TALL * math.sin(lat)
        across, near = x * self.cos + z * self.sin, z * self.cos - x * self.sin
        half = self.rx / self.size
        if near < 0:
            stretch = 1 / max(1e-6, math.hypot(across / half, y / _TALL))
            across, y = across * stretch, y * stretch
        return (
            self.centre[0] + across * self.size * out,
            self.centre[1] - y * self.size * out,
        )

    def seen(self, lon: float, margin: float = 0.0) -> bool:
        """Whether a longitude is on the near side, by at least ``margin``."""
        return math.cos(lon + self.yaw) > margin

    def region(self, places: list[tuple[float, float]], out: float = 1.0):
        """Polygon through places given as (longitude, latitude)."""
        return [self.at(lon, lat, out) for lon, lat in places]


def paint_head(figure: Figure) -> None:
    """Add the layers of the head."""
    shape = HeadShape(figure.skeleton)
    long_hair = figure.head.style in ("long", "tail")
    figure.layer(0.02, partial(_neck, figure))
    if long_hair:
        behind = -0.12 * math.cos(figure.skeleton.pose.yaw)
        figure.layer(behind, partial(_hanging_hair, figure, shape))
    figure.layer(0.5, partial(_skull, figure, shape))
    figure.layer(0.51, partial(_hair, figure, shape))
    figure.layer(0.52, partial(_face, figure, shape))
    if "Glasses" in figure.present:
        figure.layer(0.53, partial(_glasses, figure, shape))
    if "Hat" in figure.present:
        figure.layer(0.54, partial(_HATS[figure.head.hat], figure, shape))


def _neck(figure: Figure) -> None:
    x, y = figure.skeleton.joint("head")
    base = figure.skeleton.joint("neck")
    r = figure.girth(0.030)
    figure.canvas.limb(
        [(x, y), base], [r, r * 1.15], shade(figure.head.skin, 0.86), Part.NECK
    )


def _skull(figure: Figure, shape: HeadShape) -> None:
    figure.canvas.ball(shape.centre, shape.rx, shape.ry, figure.head.skin, Part.HEAD)


def _hanging_hair(figure: Figure, shape: HeadShape) -> None:
    x, y = shape.centre
    back = -shape.sin * shape.size
    if figure.head.style == "tail":
        top = (x + back * 0.9, y - 0.15 * shape.ry)
        end = (x + back * 1.35, y + 1.5 * shape.ry)
        radii = [shape.size * 0.34, shape.size * 0.16]
    else:
        top = (x + back * 0.32, y)
        end = (x + back * 0.5, y + 1.75 * shape.ry)
        radii = [shape.rx * 1.06, shape.rx * 0.86]
    figure.canvas.limb([top, end], radii, figure.head.hair, Part.HAIR)


def _hair(figure: Figure, shape: HeadShape) -> None:
    """Hair all around the head, then the skin of the face over it."""
    look, canvas = figure.head, figure.canvas
    bald = look.style == "bald"
    nape = -1.35 if look.style == "long" else -0.45
    _hair_between(figure, shape, nape, 0.15 if bald else math.pi / 2)
    brow = 0.75 if bald else 0.46
    edge = [(-1.32, 0.1), (-1.1, brow - 0.1), (-0.4, brow), (0.4, brow)]
    edge += [(1.1, brow - 0.1), (1.32, 0.1)]
    jaw = [(1.34, -0.5), (1.0, -1.0), (0.0, -1.35), (-1.0, -1.0), (-1.34, -0.5)]
    if shape.seen(0, -0.75):
        canvas.polygon(shape.region(edge + jaw, 1.02), look.skin, Part.HEAD)
    for lon in (-1.5, 1.5):
        if look.style != "long" and shape.seen(lon, -0.2):
            r = 0.15 * shape.size
            canvas.disc(shape.at(lon, -0.02, 1.04), r, 1.3 * r, _ear(figure), Part.HEAD)
    if look.style == "bun":
        r = 0.42 * shape.size
        canvas.ball(shape.at(math.pi, 0.75, 1.12), r, r, look.hair, Part.HAIR)
    if look.style == "long":
        _side_locks(figure, shape)


def _ear(figure: Figure) -> Colour:
    return shade(figure.head.skin, 0.88)


def _hair_between(figure: Figure, shape: HeadShape, low: float, high: float) -> None:
    """A slice of the head between two latitudes, slightly larger than the head."""
    x, y = shape.centre
    rows = [low + (high - low) * i / 10 for i in range(11)]
    halves = [(shape.rx * 1.06 * math.cos(lat), math.sin(lat)) for lat in rows]
    left = [(x - half, y - shape.ry * 1.09 * up) for half, up in halves]
    right = [(x + half, y - shape.ry * 1.09 * up) for half, up in halves]
    figure.canvas.polygon(left + right[::-1], figure.head.hair, Part.HAIR)


def _side_locks(figure: Figure, shape: HeadShape) -> None:
    """Long hair that falls before the shoulders."""
    if not shape.seen(0, -0.3):
        return
    for lon in (-1.4, 1.4):
        if shape.seen(lon, -0.3):
            top = shape.at(lon, 0.5, 1.0)
            end = (shape.at(lon, 0, 1.02)[0], shape.centre[1] + 1.5 * shape.ry)
            radii = [shape.size * 0.20, shape.size * 0.17]
            figure.canvas.limb([top, end], radii, figure.head.hair, Part.HAIR)


def _face(figure: Figure, shape: HeadShape) -> None:
    look, canvas = figure.head, figure.canvas
    size = shape.size
    if not shape.seen(0, -0.5):
        return
    if abs(shape.sin) > 0.5:  # the nose stands out in profile
        tip = shape.at(0, -0.12, 1.17)
        bridge, under = shape.at(0, 0.16, 1.0), shape.at(0, -0.34, 1.0)
        canvas.polygon([bridge, tip, under], shade(look.skin, 0.92), Part.HEAD)
    for lon in (-0.48, 0.48):
        if shape.seen(lon, 0.15):
            x, y = shape.at(lon, 0.1)
            canvas.disc((x, y), size * 0.1, size * 0.08, _DARK, Part.HEAD)
            brow = [shape.at(lon - 0.22, 0.32), shape.at(lon + 0.22, 0.32)]
            canvas.line(brow, size * 0.07, mixed(look.hair, look.skin, 0.2), Part.HEAD)
    if look.beard:
        jaw = [(-1.2, -0.2), (-0.5, -0.42), (0.5, -0.42), (1.2, -0.2)]
        chin = [(0.9, -0.8), (0.0, -1.2), (-0.9, -0.8)]
        canvas.polygon(shape.region(jaw + chin), look.hair, Part.HEAD)
    lips = (176, 58, 66) if "Female" in figure.present else shade(look.skin, 0.62)
    if shape.seen(0, 0.1):
        mouth = [shape.at(lon, -0.55) for lon in (-0.28, 0.0, 0.28)]
        canvas.line(mouth, size * 0.1, lips, Part.HEAD)
        nose = [shape.at(0, 0.1), shape.at(0, -0.22)]
        canvas.line(nose, size * 0.08, shade(look.skin, 0.8), Part.HEAD)


def _glasses(figure: Figure, shape: HeadShape) -> None:
    """Two lenses in a bold frame, and the temples where they are seen."""
    canvas, size = figure.canvas, shape.size
    rim, lens = figure.head.rims, figure.head.lenses
    for side in (-1, 1):
        if shape.seen(side * 1.1, -0.1):
            temple = [shape.at(side * 0.9, 0.14, 1.03), shape.at(side * 1.65, 0.16)]
            canvas.line(temple, size * 0.13, rim, Part.GLASSES)
    bridge = [shape.at(-0.2, 0.14, 1.04), shape.at(0.2, 0.14, 1.04)]
    canvas.line(bridge, size * 0.12, rim, Part.GLASSES)
    for side in (-1, 1):
        if not shape.seen(side * 0.5, 0.02):
            continue
        corners = [(0.12, 0.34), (0.95, 0.34), (0.88, -0.2), (0.22, -0.2)]
        outer = [(side * lon, lat) for lon, lat in corners]
        canvas.polygon(shape.region(outer, 1.06), rim, Part.GLASSES)
        inner = [(0.27, 0.22), (0.8, 0.22), (0.76, -0.08), (0.34, -0.08)]
        region = shape.region([(side * lon, lat) for lon, lat in inner], 1.06)
        canvas.polygon(region, lens, Part.GLASSES)


def _dome(figure: Figure, shape: HeadShape, low: float, swell: float) -> Tube:
    """Crown of a hat, from the latitude ``low`` upwards."""
    rows = [low + (math.pi / 2 - low) * i / 6 for i in range(7)]
    x, y = shape.centre
    left, right = [], []
    for lat in reversed(rows):
        half = shape.rx * swell * max(0.12, math.cos(lat))
        row = y - shape.ry * (swell + 0.04) * math.sin(lat)
        left.append((x - half, row))
        right.append((x + half, row))
    dome = Tube(left, right)
    figure.canvas.tube(dome, figure.head.hat_colour, Part.HAT)
    return dome


def _cap(figure: Figure, shape: HeadShape) -> None:
    colour = figure.head.hat_colour
    _dome(figure, shape, 0.36, 1.14)
    if shape.seen(0, -0.35):
        lons = [-1.15 + 0.23 * i for i in range(11)]
        root = shape.region([(lon, 0.42) for lon in lons], 1.1)
        drop = 0.10 * shape.size
        rim = [
            (x + 0.75 * shape.size * shape.sin * math.cos(lon), y + drop)
            for lon in lons
            for x, y in [shape.at(lon, 0.30, 1.2)]
        ]
        figure.canvas.polygon(root + rim[::-1], shade(colour, 0.72), Part.HAT)
    else:
        _band(figure, shape, 0.36, 0.52, shade(colour, 0.75))


def _brim(figure: Figure, shape: HeadShape) -> None:
    x, y = shape.centre
    row = y - 0.42 * shape.ry
    colour = figure.head.hat_colour
    figure.canvas.disc(
        (x, row), shape.rx * 1.75, shape.ry * 0.27, shade(colour, 0.84), Part.HAT
    )
    _dome(figure, shape, 0.45, 1.12)
    _band(figure, shape, 0.45, 0.66, figure.head.band_colour)


def _beanie(figure: Figure, shape: HeadShape) -> None:
    _dome(figure, shape, 0.30, 1.15)
    _band(figure, shape, 0.26, 0.58, figure.head.band_colour)
    if "AgeLess18" in figure.present:
        top = (shape.centre[0], shape.centre[1] - 1.25 * shape.ry)
        r = 0.28 * shape.size
        figure.canvas.ball(top, r, r, figure.head.band_colour, Part.HAT)


def _band(
    figure: Figure, shape: HeadShape, low: float, high: float, colour: Colour
) -> None:
    x, y = shape.centre
    points = []
    for lat, ends in ((high, (-1, 1)), (low, (1, -1))):
        half = shape.rx * 1.16 * math.cos(lat)
        row = y - shape.ry * 1.16 * math.sin(lat)
        points += [(x + end * half, row) for end in ends]
    figure.canvas.polygon(points, colour, Part.HAT)


_HATS = {"cap": _cap, "brim": _brim, "beanie": _beanie}
