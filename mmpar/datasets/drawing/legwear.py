"""Legs, trousers, shorts, skirt or dress, shoes and boots."""

from __future__ import annotations

import math
from functools import partial

from mmpar.datasets.drawing import patterns
from mmpar.datasets.drawing.figure import Figure
from mmpar.datasets.drawing.palette import lit, mixed
from mmpar.datasets.drawing.parts import Part
from mmpar.datasets.drawing.skeleton import SIDES
from mmpar.datasets.drawing.tube import Point, Tube

_LEGS, _PELVIS, _SKIRT = -1.0, -0.5, -0.4


def paint_lower(figure: Figure) -> None:
    """Add the layers of legs and what is worn on them."""
    for side, name in SIDES:
        ankle = figure.skeleton.joints[f"{name}_ankle"]
        depth = figure.skeleton.depth(ankle)
        figure.layer(_LEGS + depth, partial(_leg, figure, side, name))
    if "Skirt&Dress" in figure.present:
        figure.layer(_SKIRT, partial(_skirt, figure))
    else:
        figure.layer(_PELVIS, partial(_pelvis, figure))


def _leg(figure: Figure, side: int, name: str) -> None:
    skeleton = figure.skeleton
    hip, knee, ankle, toe = (
        skeleton.joint(f"{name}_{joint}") for joint in ("hip", "knee", "ankle", "toe")
    )
    upper = name.upper()
    _bare_leg(figure, [hip, knee, ankle], Part[f"{upper}_LEG"])
    boots = "boots" in figure.present
    if not boots:
        _shoe(figure, ankle, toe, Part[f"{upper}_SHOE"])
    if "Trousers" in figure.present:
        _trouser(figure, side, [hip, knee, ankle], Part[f"{upper}_TROUSER"])
    elif "Shorts" in figure.present:
        end = _between(hip, knee, 0.86)
        _short(figure, side, hip, end, Part[f"{upper}_TROUSER"])
    if boots:
        _boot(figure, knee, ankle, toe, Part[f"{upper}_BOOT"])


def _bare_leg(figure: Figure, points: list[Point], part: Part) -> None:
    g = figure.girth
    colour = figure.head.skin
    if "Skirt&Dress" in figure.present and figure.clothes.stockings:
        colour = mixed(colour, (24, 22, 26), 0.8)
    hip, knee, ankle = points
    calf = _between(knee, ankle, 0.3)
    radii = [g(0.050), g(0.034), g(0.035), g(0.021)]
    figure.canvas.limb([hip, knee, calf, ankle], radii, colour, part)


def _shoe(figure: Figure, ankle: Point, toe: Point, part: Part) -> None:
    g = figure.girth
    heel = (ankle[0], ankle[1] + g(0.012))
    colour = figure.clothes.shoes
    figure.canvas.limb([heel, toe], [g(0.027), g(0.022)], colour, part)


def _boot(figure: Figure, knee: Point, ankle: Point, toe: Point, part: Part) -> None:
    """Shaft up to the calf, foot and a dark sole."""
    g = figure.girth
    colour = figure.clothes.boots
    top = _between(knee, ankle, 0.18)
    heel = (ankle[0], ankle[1] + g(0.012))
    radii = [g(0.047), g(0.036), g(0.031), g(0.026)]
    figure.canvas.limb(
        [_between(top, ankle, 0.1), ankle, heel, toe], radii, colour, part
    )
    shaft = Tube.around(top, ankle, g(0.050), g(0.036))
    figure.canvas.polygon(shaft.patch(-1, 1, 0, 0.16), lit(colour, 0.6), part)


def _trouser(figure: Figure, side: int, points: list[Point], part: Part) -> None:
    g, loose = figure.girth, figure.clothes.loose
    hip, knee, ankle = points
    radii = [g(0.056), g(0.043) * loose, g(0.036) * loose]
    figure.canvas.limb(points, radii, figure.clothes.lower, part)
    # The opening of the leg is cut straight.
    for tube in (
        Tube.around(hip, knee, radii[0], radii[1]),
        Tube.around(knee, ankle, radii[1], radii[2]),
    ):
        _decorate_leg(figure, side, tube, part)


def _short(figure: Figure, side: int, hip: Point, end: Point, part: Part) -> None:
    g, loose = figure.girth, figure.clothes.loose
    tube = Tube.around(hip, end, g(0.058), g(0.056) * loose)
    figure.canvas.disc(hip, g(0.058), g(0.058), figure.clothes.lower, part)
    figure.canvas.tube(tube, figure.clothes.lower, part)
    _decorate_leg(figure, side, tube, part)


def _decorate_leg(figure: Figure, side: int, tube: Tube, part: Part) -> None:
    if "LowerPattern" in figure.present:
        _scatter(figure, tube, part)
    if "LowerStripe" in figure.present:
        seam = side * math.pi / 2 + figure.skeleton.pose.yaw
        if math.cos(seam) > -0.6:
            u = max(-0.66, min(0.66, math.sin(seam)))
            patch = tube.outline(u - 0.27, u + 0.27)
            figure.canvas.polygon(patch, figure.clothes.lower_second, Part.SIDE_STRIPE)


def _scatter(figure: Figure, tube: Tube, part: Part) -> None:
    look = figure.clothes
    period = figure.px(0.040)
    patterns.scattered(
        figure.canvas, tube, period, look.lower_second, part, look.lower_pattern
    )


def _pelvis(figure: Figure) -> None:
    build = figure.skeleton.build
    levels = [
        (0.60, build.waist * 1.0, build.depth * 0.9, 0.0),
        (0.54, build.hip * 0.99, build.depth * 1.04, -0.006),
        (0.455, build.hip * 0.96, build.depth * 0.98, -0.004),
    ]
    tube = figure.skeleton.trunk_tube(levels)
    figure.canvas.tube(tube, figure.clothes.lower, Part.PELVIS)
    if "LowerPattern" in figure.present:
        _scatter(figure, tube, Part.PELVIS)


def _skirt(figure: Figure) -> None:
    build, look = figure.skeleton.build, figure.clothes
    gait = abs(figure.skeleton.pose.gait)
    flare = 0.045 + 0.06 * gait
    hem = look.skirt_hem
    if "LongCoat" in figure.present:
        hem = min(hem, look.coat_hem - 0.07)
    levels = [
        (0.63, build.waist * 0.98, build.depth * 0.86, 0.0),
        (0.55, build.hip * 1.02, build.depth * 1.05, -0.006),
        (0.47, build.hip * 1.08 + flare * 0.3, build.depth * 1.1 + flare * 0.3, 0.0),
        (hem, build.hip * 1.08 + flare, build.depth * 1.1 + flare * 1.1, 0.0),
    ]
    tube = figure.skeleton.trunk_tube(levels)
    figure.canvas.tube(tube, look.lower, Part.SKIRT)
    if "LowerPattern" in figure.present:
        _scatter(figure, tube, Part.SKIRT)


def _between(one: Point, other: Point, share: float) -> Point:
    return (
        one[0] + (other[0] - one[0]) * share,
        one[1] + (other[1] - one[1]) * share,
    )
