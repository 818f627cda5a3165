"""Torso, sleeves, arms, hands, coat and logo; legs, legwear, skirt, shoes and boots."""

from __future__ import annotations

import math
from functools import partial

from mmpar.synthetic.canvas import (
    Point,
    Tube,
    plaid,
    point_between,
    scattered,
    stripes,
    visible_span,
)
from mmpar.synthetic.figure import Figure
from mmpar.synthetic.parts import Part
from mmpar.synthetic.sampling import Colour, mixed, shade
from mmpar.synthetic.skeleton import SIDES

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
    body = figure.skeleton.body
    hem = 0.56 if figure.clothes.tucked else 0.52
    grown = 1.06 if "LongCoat" in figure.present else 1.0
    chest, waist, hip = body.chest * grown, body.waist * grown, body.hip * grown
    deep = body.depth * grown
    levels = [
        (0.850, 0.036, 0.036, 0.0),
        (0.836, body.shoulder * 0.52, deep * 0.7, 0.0),
        (0.816, body.shoulder * 0.92, deep * 0.85, 0.0),
        (0.770, chest * 1.08, deep + body.bust * 0.4, 0.0),
        (0.735, chest, deep + body.bust, body.bust * 0.8),
        (0.690, (chest + waist) / 2, deep, body.bust * 0.3),
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
        stripes(figure.canvas, tube, period, look.upper_second, part)
    elif "UpperPlaid" in figure.present:
        plaid(figure.canvas, tube, period * 1.15, colour, look.upper_second, part)


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
    figure.canvas.polygon(points, shade(figure.head.skin, 0.9), Part.NECK)


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
            tube.patch(*span, 0.15, 1), shade(look.coat, 0.55), Part.COAT
        )
        lapel = visible_span(-0.5, 0.5, yaw)
        if lapel is not None:
            low = tube.at((lapel[0] + lapel[1]) / 2, 0.3)
            points = [tube.at(lapel[0], 0.04), low, tube.at(lapel[1], 0.04)]
            figure.canvas.polygon(points, look.upper, Part.TORSO)


def _coat_skirt(figure: Figure) -> None:
    """The part of a long coat below the hips; it covers the thighs."""
    body, look = figure.skeleton.body, figure.clothes
    gait = abs(figure.skeleton.pose.gait)
    flare = 0.03 + 0.10 * gait
    hem = look.coat_hem
    levels = [
        (0.62, body.waist * 1.08, body.depth, 0.0),
        (0.52, body.hip * 1.10, body.depth * 1.12, -0.004),
        (0.42, body.hip * 1.13 + flare * 0.5, body.depth * 1.15 + flare * 0.5, 0.0),
        (hem, body.hip * 1.13 + flare, body.depth * 1.15 + flare * 1.2, 0.0),
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
            tube.patch(*span, 0.35, 1), shade(look.coat, 0.5), Part.COAT_SKIRT
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
    canvas.limb([wrist, hand], [g(0.020), g(0.024)], shade(skin, 0.95), part_hand)
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
        end = point_between(hip, knee, 0.86)
        _shorts_leg(figure, side, hip, end, Part[f"{upper}_TROUSER"])
    if boots:
        _boot(figure, knee, ankle, toe, Part[f"{upper}_BOOT"])


def _bare_leg(figure: Figure, points: list[Point], part: Part) -> None:
    g = figure.girth
    colour = figure.head.skin
    if "Skirt&Dress" in figure.present and figure.clothes.stockings:
        colour = mixed(colour, (24, 22, 26), 0.8)
    hip, knee, ankle = points
    calf = point_between(knee, ankle, 0.3)
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
    top = point_between(knee, ankle, 0.18)
    heel = (ankle[0], ankle[1] + g(0.012))
    radii = [g(0.047), g(0.036), g(0.031), g(0.026)]
    figure.canvas.limb(
        [point_between(top, ankle, 0.1), ankle, heel, toe], radii, colour, part
    )
    shaft = Tube.around(top, ankle, g(0.050), g(0.036))
    figure.canvas.polygon(shaft.patch(-1, 1, 0, 0.16), shade(colour, 0.6), part)


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


def _shorts_leg(figure: Figure, side: int, hip: Point, end: Point, part: Part) -> None:
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
    scattered(figure.canvas, tube, period, look.lower_second, part, look.lower_pattern)


def _pelvis(figure: Figure) -> None:
    body = figure.skeleton.body
    levels = [
        (0.60, body.waist * 1.0, body.depth * 0.9, 0.0),
        (0.54, body.hip * 0.99, body.depth * 1.04, -0.006),
        (0.455, body.hip * 0.96, body.depth * 0.98, -0.004),
    ]
    tube = figure.skeleton.trunk_tube(levels)
    figure.canvas.tube(tube, figure.clothes.lower, Part.PELVIS)
    if "LowerPattern" in figure.present:
        _scatter(figure, tube, Part.PELVIS)


def _skirt(figure: Figure) -> None:
    body, look = figure.skeleton.body, figure.clothes
    gait = abs(figure.skeleton.pose.gait)
    flare = 0.045 + 0.06 * gait
    hem = look.skirt_hem
    if "LongCoat" in figure.present:
        hem = min(hem, look.coat_hem - 0.07)
    levels = [
        (0.63, body.waist * 0.98, body.depth * 0.86, 0.0),
        (0.55, body.hip * 1.02, body.depth * 1.05, -0.006),
        (0.47, body.hip * 1.08 + flare * 0.3, body.depth * 1.1 + flare * 0.3, 0.0),
        (hem, body.hip * 1.08 + flare, body.depth * 1.1 + flare * 1.1, 0.0),
    ]
    tube = figure.skeleton.trunk_tube(levels)
    figure.canvas.tube(tube, look.lower, Part.SKIRT)
    if "LowerPattern" in figure.present:
        _scatter(figure, tube, Part.SKIRT)
