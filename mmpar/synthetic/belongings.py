"""Hand bag, shoulder bag, backpack, what is held in front, and a cane."""

from __future__ import annotations

import math
from functools import partial

from mmpar.synthetic.canvas import Point, Tube, visible_span
from mmpar.synthetic.clothes import torso_tube
from mmpar.synthetic.figure import Figure
from mmpar.synthetic.parts import Part
from mmpar.synthetic.sampling import shade
from mmpar.synthetic.skeleton import SIDES


def paint_belongings(figure: Figure) -> None:
    """Add the layers of what the person carries."""
    if "HandBag" in figure.present:
        _add_handbag(figure)
    if "ShoulderBag" in figure.present:
        _add_shoulder_bag(figure)
    if "Backpack" in figure.present:
        _add_backpack(figure)
    if "HoldObjectsInFront" in figure.present:
        depth = 0.2 * math.cos(figure.skeleton.pose.yaw)
        figure.layer(depth, partial(_held, figure))
    elif figure.bags.cane:
        _add_cane(figure)


def _add_handbag(figure: Figure) -> None:
    name = SIDES[figure.skeleton.pose.bag][1]
    wrist = figure.skeleton.joints[f"{name}_wrist"]
    depth = figure.skeleton.depth(wrist) + 0.03
    figure.layer(
        depth, partial(_handbag, figure, figure.skeleton.joint(f"{name}_hand"))
    )


def _handbag(figure: Figure, hand: Point) -> None:
    look, canvas = figure.bags, figure.canvas
    x, y = hand
    half = figure.px(0.060) * look.size
    tall = figure.px(0.095 if look.shape == "case" else 0.13) * look.size
    if abs(math.sin(figure.skeleton.pose.yaw)) > 0.7:
        half *= 1.15
    top = y + figure.px(0.040)
    for end in (-0.55, 0.55):
        canvas.line(
            [(x, y), (x + end * half, top)],
            figure.px(0.012),
            shade(look.colour, 0.7),
            Part.HANDBAG,
        )
    narrow = 0.95 if look.shape == "case" else 0.78
    bag = Tube(
        [(x - half * narrow, top), (x - half, top + tall)],
        [(x + half * narrow, top), (x + half, top + tall)],
    )
    canvas.tube(bag, look.colour, Part.HANDBAG)
    canvas.polygon(bag.patch(-1, 1, 0.0, 0.22), shade(look.colour, 0.62), Part.HANDBAG)
    canvas.polygon(bag.patch(-0.16, 0.16, 0.1, 0.36), look.second, Part.HANDBAG)


def _add_shoulder_bag(figure: Figure) -> None:
    skeleton = figure.skeleton
    across = math.sin(skeleton.pose.yaw)
    side = 1 if figure.bags.mirrored else -1
    if abs(across) > 0.7:
        side = -1 if across > 0 else 1
    trunk = skeleton.body.trunk
    hip = (side * (skeleton.body.hip + 0.025), 0.50 * trunk, 0.01)
    far = skeleton.leaning(-side * skeleton.body.shoulder * 0.55, 0.84 * trunk, 0)
    figure.layer(0.012, partial(_strap, figure, side, skeleton.pixel(far)))
    depth = max(skeleton.depth(hip), 0.012) + 0.001
    figure.layer(depth, partial(_shoulder_bag, figure, skeleton.pixel(hip)))


def _strap(figure: Figure, side: int, far: Point) -> None:
    skeleton = figure.skeleton
    hip = skeleton.pixel((side * skeleton.body.hip, 0.53 * skeleton.body.trunk, 0.0))
    figure.canvas.line(
        [far, hip], figure.px(0.024), shade(figure.bags.colour, 0.7), Part.SHOULDER_BAG
    )


def _shoulder_bag(figure: Figure, hip: Point) -> None:
    look, canvas = figure.bags, figure.canvas
    x, y = hip
    half, tall = figure.px(0.062) * look.size, figure.px(0.11) * look.size
    bag = Tube(
        [(x - half, y - tall * 0.4), (x - half * 0.96, y + tall * 0.6)],
        [(x + half, y - tall * 0.4), (x + half * 0.96, y + tall * 0.6)],
    )
    canvas.tube(bag, look.colour, Part.SHOULDER_BAG)
    canvas.polygon(
        bag.patch(-1, 1, 0.0, 0.48), shade(look.colour, 0.74), Part.SHOULDER_BAG
    )
    canvas.polygon(bag.patch(-0.18, 0.18, 0.38, 0.6), look.second, Part.SHOULDER_BAG)


def _add_backpack(figure: Figure) -> None:
    """The pack lies behind the back; straps run over the front."""
    cos = math.cos(figure.skeleton.pose.yaw)
    figure.layer(-0.11 * cos, partial(_pack, figure))
    figure.layer(0.011, partial(_pack_straps, figure))


def _pack(figure: Figure) -> None:
    body, look, canvas = figure.skeleton.body, figure.bags, figure.canvas
    half, deep = body.shoulder * 1.04 * look.size, 0.062
    back = -body.depth - deep * 0.75
    levels = [
        (0.825, half * 0.55, deep * 0.6, back + 0.012),
        (0.800, half * 0.9, deep * 0.9, back),
        (0.700, half, deep, back),
        (0.600, half, deep * 1.1, back - 0.008),
        (0.570, half * 0.85, deep * 0.9, back),
    ]
    tube = figure.skeleton.trunk_tube(levels)
    canvas.tube(tube, look.colour, Part.BACKPACK)
    yaw = figure.skeleton.pose.yaw
    pocket = visible_span(math.pi - 0.75, math.pi + 0.75, yaw)
    if pocket is not None:
        colour = shade(look.colour, 0.72)
        canvas.polygon(tube.patch(*pocket, 0.52, 0.9), colour, Part.BACKPACK)
        canvas.polygon(tube.patch(*pocket, 0.52, 0.58), look.second, Part.BACKPACK)
        canvas.polygon(tube.patch(*pocket, 0.22, 0.28), look.second, Part.BACKPACK)


def _pack_straps(figure: Figure) -> None:
    tube = torso_tube(figure)
    yaw = figure.skeleton.pose.yaw
    for side in (-1, 1):
        span = visible_span(side * 0.62 - 0.13, side * 0.62 + 0.13, yaw)
        if span is None:
            continue
        wide = max(0.24, span[1] - span[0])
        middle = max(-0.9, min(0.9, (span[0] + span[1]) / 2))
        patch = tube.patch(middle - wide / 2, middle + wide / 2, 0.06, 0.62)
        figure.canvas.polygon(patch, shade(figure.bags.colour, 0.8), Part.BACKPACK)


def _held(figure: Figure) -> None:
    """Something carried on both forearms, or before the belly."""
    skeleton, look, canvas = figure.skeleton, figure.bags, figure.canvas
    ends = [skeleton.joint(f"{name}_hand") for _, name in SIDES]
    x = (ends[0][0] + ends[1][0]) / 2
    y = (ends[0][1] + ends[1][1]) / 2
    wide, tall = dict(box=(0.098, 0.075), folder=(0.07, 0.095), bundle=(0.09, 0.06))[
        look.held
    ]
    half = skeleton.half_width(wide * look.size, wide * 0.62)
    tall = figure.px(tall)
    if look.held == "bundle":
        canvas.ball((x, y), half, tall, look.held_colour, Part.HELD)
        canvas.disc((x, y), half * 0.45, tall * 0.45, look.second, Part.HELD)
    else:
        box = Tube(
            [(x - half, y - tall), (x - half, y + tall)],
            [(x + half, y - tall), (x + half, y + tall)],
        )
        canvas.tube(box, look.held_colour, Part.HELD)
        canvas.polygon(box.patch(-0.15, 0.15, 0, 1), look.second, Part.HELD)
    for _, name in SIDES:
        hand = skeleton.joint(f"{name}_hand")
        if skeleton.depth(skeleton.joints[f"{name}_hand"]) > -0.1:
            shown = (x + max(-half, min(half, hand[0] - x)), y + tall * 0.75)
            r = figure.girth(0.022)
            canvas.ball(shown, r, r, figure.head.skin, Part[f"{name.upper()}_HAND"])


def _add_cane(figure: Figure) -> None:
    name = SIDES[1 - figure.skeleton.pose.bag][1]
    x, y = figure.skeleton.joint(f"{name}_hand")
    ground = max(figure.skeleton.joint(f"{n}_toe")[1] for _, n in SIDES)
    lean = figure.px(0.03) * math.copysign(1, math.sin(figure.skeleton.pose.yaw))
    wood = (92, 62, 40)

    def paint() -> None:
        points = [(x, y), (x + lean, ground)]
        figure.canvas.line(points, figure.px(0.014), wood, Part.CANE)

    figure.layer(figure.skeleton.depth(figure.skeleton.joints[f"{name}_hand"]), paint)
