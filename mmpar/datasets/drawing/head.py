"""Neck, head, face, hair, hat and glasses."""

from __future__ import annotations

import math
from functools import partial

from mmpar.datasets.drawing.figure import Figure
from mmpar.datasets.drawing.palette import Colour, lit, mixed
from mmpar.datasets.drawing.parts import Part
from mmpar.datasets.drawing.skeleton import Skeleton
from mmpar.datasets.drawing.tube import Point, Tube

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
        self.size = skeleton.build.head * skeleton.scale
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
    figure.layer(0.51, partial(_face, figure, shape))
    figure.layer(0.52, partial(_hair, figure, shape))
    if "Glasses" in figure.present:
        figure.layer(0.53, partial(_glasses, figure, shape))
    if "Hat" in figure.present:
        figure.layer(0.54, partial(_HATS[figure.head.hat], figure, shape))


def _neck(figure: Figure) -> None:
    x, y = figure.skeleton.joint("head")
    base = figure.skeleton.joint("neck")
    r = figure.girth(0.030)
    figure.canvas.limb(
        [(x, y), base], [r, r * 1.15], lit(figure.head.skin, 0.86), Part.NECK
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
    look, canvas = figure.head, figure.canvas
    colour = look.hair
    if look.style == "bald":
        low, high, front = -0.25, 0.2, 1.75
    else:
        low, high, front = -0.42, math.pi / 2, 1.25
    _hair_cap(figure, shape, low, high, front)
    if look.style == "bun":
        x, y = shape.at(math.pi, 0.75, 1.1)
        canvas.ball((x, y), shape.size * 0.42, shape.size * 0.4, colour, Part.HAIR)
    if look.style == "long":
        for lon in (-1.45, 1.45):
            if shape.seen(lon, -0.45):
                top, end = shape.at(lon, 0.35, 1.0), shape.at(lon, -0.9, 1.0)
                x = shape.at(lon, 0, 0.98)[0]
                end = (x, shape.centre[1] + 1.35 * shape.ry)
                radii = [shape.size * 0.2, shape.size * 0.19]
                canvas.limb([top, end], radii, colour, Part.HAIR)


def _hair_cap(
    figure: Figure, shape: HeadShape, low: float, high: float, front: float
) -> None:
    """Hair around the back of the head; up to the forehead if ``high`` is the crown."""
    canvas, colour = figure.canvas, figure.head.hair
    whole = high > 1
    if whole:
        fringe = [(-front, 0.0), (-0.75, 0.42), (0.0, 0.55), (0.75, 0.42), (front, 0.0)]
        arc = [math.pi * i / 14 for i in range(15)]
        x, y = shape.centre
        crown = [
            (x + shape.rx * 1.07 * math.cos(a), y - shape.ry * 1.06 * math.sin(a))
            for a in arc
        ]
        canvas.polygon(crown + sorted(shape.region(fringe, 1.02)), colour, Part.HAIR)
    for lon in (front, math.pi, -front):  # near parts of the hair on sides and back
        if shape.seen(lon, -0.75):
            _hair_panel(figure, shape, lon, low, 0.3 if whole else high)


def _hair_panel(
    figure: Figure, shape: HeadShape, lon: float, low: float, high: float
) -> None:
    half = 0.42 if lon not in (math.pi,) else math.pi - 1.25
    lons = [lon - half + 2 * half * i / 10 for i in range(11)]
    points = shape.region([(a, low) for a in lons], 1.03)
    points += shape.region([(a, high) for a in reversed(lons)], 1.05)
    figure.canvas.polygon(points, figure.head.hair, Part.HAIR)


def _face(figure: Figure, shape: HeadShape) -> None:
    look, canvas = figure.head, figure.canvas
    size = shape.size
    if not shape.seen(0, -0.5):
        return
    if abs(shape.sin) > 0.5:  # the nose stands out in profile
        tip = shape.at(0, -0.12, 1.17)
        bridge, under = shape.at(0, 0.16, 1.0), shape.at(0, -0.34, 1.0)
        canvas.polygon([bridge, tip, under], lit(look.skin, 0.92), Part.HEAD)
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
    lips = (176, 58, 66) if "Female" in figure.present else lit(look.skin, 0.62)
    if shape.seen(0, 0.1):
        mouth = [shape.at(lon, -0.55) for lon in (-0.28, 0.0, 0.28)]
        canvas.line(mouth, size * 0.1, lips, Part.HEAD)
        nose = [shape.at(0, 0.1), shape.at(0, -0.22)]
        canvas.line(nose, size * 0.08, lit(look.skin, 0.8), Part.HEAD)


def _glasses(figure: Figure, shape: HeadShape) -> None:
    """Two lenses in a bold frame, and the temples where they are seen."""
    canvas, size = figure.canvas, shape.size
    lens = (30, 32, 40) if figure.head.dark_lenses else (206, 222, 230)
    rim = (20, 20, 24)
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
        figure.canvas.polygon(root + rim[::-1], lit(colour, 0.72), Part.HAT)
    else:
        _band(figure, shape, 0.36, 0.52, lit(colour, 0.75))


def _brim(figure: Figure, shape: HeadShape) -> None:
    x, y = shape.centre
    row = y - 0.42 * shape.ry
    colour = figure.head.hat_colour
    figure.canvas.disc(
        (x, row), shape.rx * 1.75, shape.ry * 0.27, lit(colour, 0.84), Part.HAT
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
