"""Torso, sleeves, arms, hands, logo and coat."""

from __future__ import annotations

import math
from functools import partial

from mmpar.datasets.drawing import patterns
from mmpar.datasets.drawing.figure import Figure
from mmpar.datasets.drawing.palette import Colour, lit
from mmpar.datasets.drawing.parts import Part
from mmpar.datasets.drawing.skeleton import SIDES
from mmpar.datasets.drawing.tube import Tube, visible_span

_COAT_DEPTH = -0.3


def paint_upper(figure: Figure) -> None:
    """Add the layers of torso and arms."""
    figure.layer(0.0, partial(_torso, figure))
    if "LongCoat" in figure.present:
        figure.layer(_COAT_DEPTH, partial(_coat_skirt, figure))
    for _, name in SIDES:
        joints = figure.skeleton.joints
        middle = [
            (a + b) / 2
            for a, b in zip(joints[f"{name}_elbow"], joints[f"{name}_wrist"])
        ]
        figure.layer(
            figure.skeleton.depth((middle[0], middle[1], middle[2])),
            partial(_arm, figure, name),
        )


def torso_tube(figure: Figure) -> Tube:
    """The torso from the neck to the hem of the upper garment."""
    build = figure.skeleton.build
    hem = 0.56 if figure.clothes.tucked else 0.52
    grown = 1.06 if "LongCoat" in figure.present else 1.0
    chest, waist, hip = build.chest * grown, build.waist * grown, build.hip * grown
    deep = build.depth * grown
    levels = [
        (0.850, 0.036, 0.036, 0.0),
        (0.836, build.shoulder * 0.52, deep * 0.7, 0.0),
        (0.816, build.shoulder * 0.92, deep * 0.85, 0.0),
        (0.770, chest * 1.08, deep + build.bust * 0.4, 0.0),
        (0.735, chest, deep + build.bust, build.bust * 0.8),
        (0.690, (chest + waist) / 2, deep, build.bust * 0.3),
        (0.630, waist, deep * 0.88, 0.0),
        (0.570, (waist + 2 * hip) / 3, deep * 0.98, -0.004),
        (hem, hip * 1.02, deep * 1.05, -0.006),
    ]
    return figure.skeleton.trunk_tube(levels)


def _cloth(figure: Figure) -> tuple[Colour, Part]:
    if "LongCoat" in figure.present:
        return figure.clothes.coat, Part.COAT
    return figure.clothes.upper, Part.TORSO


def _torso(figure: Figure) -> None:
    tube = torso_tube(figure)
    colour, part = _cloth(figure)
    figure.canvas.tube(tube, colour, part)
    _pattern(figure, tube, colour, part)
    if "UpperSplice" in figure.present:
        _splice(figure, tube, part)
    if "LongCoat" in figure.present:
        _coat_front(figure, tube)
    else:
        _collar(figure, tube)
    if "UpperLogo" in figure.present and abs(math.sin(figure.skeleton.pose.yaw)) < 0.7:
        _body_logo(figure, tube)


def _pattern(figure: Figure, tube: Tube, colour: Colour, part: Part) -> None:
    look = figure.clothes
    period = figure.px(look.stripe)
    if "UpperStride" in figure.present:
        patterns.stripes(figure.canvas, tube, period, look.upper_second, part)
    elif "UpperPlaid" in figure.present:
        patterns.plaid(
            figure.canvas, tube, period * 1.15, colour, look.upper_second, part
        )


def _splice(figure: Figure, tube: Tube, part: Part) -> None:
    look = figure.clothes
    if look.splice == "yoke":
        patch = tube.patch(-1, 1, 0.0, 0.47)
    elif look.splice == "halves":
        half = visible_span(0, math.pi, figure.skeleton.pose.yaw)
        if half is None:
            return
        patch = tube.outline(*half)
    else:
        patch = tube.patch(-1, 1, 0.52, 0.76)
    figure.canvas.polygon(patch, look.upper_second, part)


def _collar(figure: Figure, tube: Tube) -> None:
    """Neckline, which tells front from back."""
    span = visible_span(-0.45, 0.45, figure.skeleton.pose.yaw)
    if span is None:
        return
    u0, u1 = span
    low = 0.17
    points = [tube.at(u0, 0.04), tube.at((u0 + u1) / 2, low), tube.at(u1, 0.04)]
    figure.canvas.polygon(points, lit(figure.head.skin, 0.9), Part.NECK)


def _coat_front(figure: Figure, tube: Tube) -> None:
    """Lapels of an open coat, or the row of buttons of a closed one."""
    look, yaw = figure.clothes, figure.skeleton.pose.yaw
    half = 0.38 if look.coat_open else 0.05
    span = visible_span(-half, half, yaw)
    if span is None:
        return
    if look.coat_open:
        figure.canvas.polygon(tube.patch(*span, 0.03, 1), look.upper, Part.TORSO)
    else:
        figure.canvas.polygon(
            tube.patch(*span, 0.15, 1), lit(look.coat, 0.55), Part.COAT
        )
        lapel = visible_span(-0.5, 0.5, yaw)
        if lapel is not None:
            low = tube.at((lapel[0] + lapel[1]) / 2, 0.3)
            points = [tube.at(lapel[0], 0.04), low, tube.at(lapel[1], 0.04)]
            figure.canvas.polygon(points, look.upper, Part.TORSO)


def _coat_skirt(figure: Figure) -> None:
    """The part of a long coat below the hips; it covers the thighs."""
    build, look = figure.skeleton.build, figure.clothes
    gait = abs(figure.skeleton.pose.gait)
    flare = 0.03 + 0.10 * gait
    hem = look.coat_hem
    levels = [
        (0.62, build.waist * 1.08, build.depth, 0.0),
        (0.52, build.hip * 1.10, build.depth * 1.12, -0.004),
        (0.42, build.hip * 1.13 + flare * 0.5, build.depth * 1.15 + flare * 0.5, 0.0),
        (hem, build.hip * 1.13 + flare, build.depth * 1.15 + flare * 1.2, 0.0),
    ]
    tube = figure.skeleton.trunk_tube(levels)
    figure.canvas.tube(tube, look.coat, Part.COAT_SKIRT)
    _pattern(figure, tube, look.coat, Part.COAT_SKIRT)
    half = 0.30 if look.coat_open else 0.05
    span = visible_span(-half, half, figure.skeleton.pose.yaw)
    if span is None:  # the vent
        span = visible_span(math.pi - 0.05, math.pi + 0.05, figure.skeleton.pose.yaw)
    if span is not None:
        figure.canvas.polygon(
            tube.patch(*span, 0.35, 1), lit(look.coat, 0.5), Part.COAT_SKIRT
        )


def _body_logo(figure: Figure, tube: Tube) -> None:
    behind = "Back" in figure.present
    middle = math.pi if behind else 0.0
    span = visible_span(middle - 0.52, middle + 0.52, figure.skeleton.pose.yaw)
    if span is not None:
        _print_logo(figure, tube, span, (0.22, 0.50))


def _print_logo(
    figure: Figure,
    tube: Tube,
    u: tuple[float, float],
    v: tuple[float, float],
) -> None:
    """A patch in a contrasting colour with a sign on it."""
    look, canvas = figure.clothes, figure.canvas
    canvas.polygon(tube.patch(*u, *v), look.logo_colour, Part.LOGO)

    def inner(a0: float, a1: float, b0: float, b1: float) -> None:
        width, height = u[1] - u[0], v[1] - v[0]
        patch = tube.patch(
            u[0] + a0 * width, u[0] + a1 * width, v[0] + b0 * height, v[0] + b1 * height
        )
        canvas.polygon(patch, look.upper, Part.LOGO)

    if look.logo == "bars":
        inner(0.15, 0.85, 0.2, 0.4)
        inner(0.15, 0.85, 0.6, 0.8)
    elif look.logo == "cross":
        inner(0.4, 0.6, 0.15, 0.85)
        inner(0.15, 0.85, 0.4, 0.6)
    else:
        a, b = tube.at(u[0], sum(v) / 2), tube.at(u[1], sum(v) / 2)
        r = math.dist(a, b) * 0.27
        centre = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
        canvas.disc(centre, r, r, look.upper, Part.LOGO)


def _arm(figure: Figure, name: str) -> None:
    """Arm, sleeve, hand, from shoulder to fingertips."""
    skeleton, canvas = figure.skeleton, figure.canvas
    shoulder, elbow, wrist, hand = (
        skeleton.joint(f"{name}_{joint}")
        for joint in ("shoulder", "elbow", "wrist", "hand")
    )
    g, skin = figure.girth, figure.head.skin
    upper = name.upper()
    part_hand, part_arm = Part[f"{upper}_HAND"], Part[f"{upper}_ARM"]
    sleeve = Part[f"{upper}_SLEEVE"]
    canvas.limb([wrist, hand], [g(0.020), g(0.024)], lit(skin, 0.95), part_hand)
    colour = _cloth(figure)[0]
    if "UpperSplice" in figure.present and figure.clothes.splice != "halves":
        colour = figure.clothes.upper_second
    if "LongSleeve" in figure.present:
        puff = 1.1 if "LongCoat" in figure.present else 1.0
        radii = [g(0.036) * puff, g(0.033) * puff, g(0.027) * puff]
        canvas.limb([shoulder, elbow, wrist], radii, colour, sleeve)
        tubes = [
            Tube.around(shoulder, elbow, radii[0], radii[1]),
            Tube.around(elbow, wrist, radii[1], radii[2]),
        ]
    else:
        radii = [g(0.030), g(0.026), g(0.019)]
        canvas.limb([shoulder, elbow, wrist], radii, skin, part_arm)
        end = tuple(a + (b - a) * 0.62 for a, b in zip(shoulder, elbow))
        cuff = (end[0], end[1])
        tubes = [Tube.around(shoulder, cuff, g(0.037), g(0.040))]
        canvas.limb([shoulder, cuff], [g(0.037), g(0.038)], colour, sleeve)
    for tube in tubes:
        _pattern(figure, tube, colour, sleeve)
    if "UpperLogo" in figure.present and _is_near_in_profile(figure, name):
        _print_logo(figure, tubes[0], (-0.8, 0.8), (0.22, 0.92))


def _is_near_in_profile(figure: Figure, name: str) -> bool:
    """In profile the chest is not seen, so that the near sleeve wears the logo."""
    across = math.sin(figure.skeleton.pose.yaw)
    if abs(across) < 0.7:
        return False
    return name == ("right" if across > 0 else "left")
