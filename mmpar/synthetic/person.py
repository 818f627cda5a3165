"""A drawn pedestrian: the image, the labels, and where everything is."""

from __future__ import annotations

import math
from collections.abc import Set
from dataclasses import dataclass

import numpy as np

from mmpar.structures import COCO_KEYPOINTS
from mmpar.synthetic.appearance import sample_bags, sample_clothes, sample_head
from mmpar.synthetic.belongings import paint_belongings
from mmpar.synthetic.canvas import Canvas
from mmpar.synthetic.clothes import paint_lower, paint_upper
from mmpar.synthetic.figure import Figure
from mmpar.synthetic.head import HeadShape, paint_head
from mmpar.synthetic.labels import present_in, sample_labels
from mmpar.synthetic.parts import Part, attribute_boxes, person_box
from mmpar.synthetic.scene import degrade, paint_occluder, sample_background
from mmpar.synthetic.skeleton import Skeleton, sample_pose, sample_proportions

_STREAMS = {
    name: number
    for number, name in enumerate(
        (
            "labels",
            "build",
            "pose",
            "head",
            "clothes",
            "bags",
            "scene",
            "front",
            "camera",
        ),
        start=1,
    )
}


@dataclass(frozen=True)
class DrawnPerson:
    """A drawn pedestrian; places are pixels of ``image``, x to the right, y down.

    Args:
        image: uint8, (H, W, 3), RGB.
        labels: int8, (26,), 1 present or 0 absent, in PA-100K's order.
        attribute_boxes: float32, (26, 4), xyxy: the tight box of what is seen of the
            attribute, that is not painted over by the person's other parts or by what
            stands in front. Age, gender and view have the person's box. NaN where the
            attribute is absent, or present but hidden.
        keypoints: float32, (17, 3), COCO's order: x, y, and 0 outside the image,
            1 hidden, 2 visible.
        person_box: float32, (4,), xyxy: what is seen of the person and the clothes.
    """

    image: np.ndarray
    labels: np.ndarray
    attribute_boxes: np.ndarray
    keypoints: np.ndarray
    person_box: np.ndarray


def labels_of_person(seed: int, index: int) -> np.ndarray:
    """The labels that :func:`draw_person` gives, without drawing; int8, (26,)."""
    return sample_labels(_stream(seed, index, "labels"))


def draw_person(
    seed: int, index: int, size: tuple[int, int] = (96, 192)
) -> DrawnPerson:
    """Draw a pedestrian: the same one for the same arguments, in any order.

    Args:
        seed: Not negative; every seed has its own people.
        index: Not negative; number of the person.
        size: Width and height of the image in pixels. Another size shows the same
            person.

    Raises:
        ValueError: A negative seed or index, or a size below 16 x 32.
    """
    return draw_labelled_person(seed, index, labels_of_person(seed, index), size)


def draw_labelled_person(
    seed: int, index: int, labels: np.ndarray, size: tuple[int, int] = (96, 192)
) -> DrawnPerson:
    """As :func:`draw_person`, with given labels, int8, (26,).

    Two label vectors that differ in one attribute give images that differ only by it
    and by what follows from it, such as a woman's body.
    """
    width, height = size
    if width < 16 or height < 32:
        raise ValueError(f"size is (width, height), at least (16, 32), got {size}")
    present = present_in(labels)
    background = sample_background(_stream(seed, index, "scene"), width, height)
    light = 2 * float(_stream(seed, index, "front").random()) - 1
    canvas = Canvas(background, max(2, min(4, round(576 / height))), light)
    skeleton = Skeleton(
        sample_proportions(present, _stream(seed, index, "build")),
        sample_pose(present, _stream(seed, index, "pose")),
        canvas.width,
        canvas.height,
    )
    _paint(canvas, skeleton, present, seed, index)
    parts = canvas.parts()
    return DrawnPerson(
        image=degrade(canvas.image(), _stream(seed, index, "camera")),
        labels=np.array(labels, np.int8),
        attribute_boxes=attribute_boxes(parts, labels, canvas.factor),
        keypoints=find_keypoints(skeleton, HeadShape(skeleton), parts, canvas.factor),
        person_box=person_box(parts, canvas.factor),
    )


def _paint(
    canvas: Canvas, skeleton: Skeleton, present: Set[str], seed: int, index: int
) -> None:
    clothes = sample_clothes(present, _stream(seed, index, "clothes"))
    figure = Figure(
        canvas,
        skeleton,
        present,
        head=sample_head(present, _stream(seed, index, "head")),
        clothes=clothes,
        bags=sample_bags(present, clothes, _stream(seed, index, "bags")),
    )
    feet = [skeleton.joint(f"{name}_ankle") for name in ("left", "right")]
    middle = (sum(x for x, _ in feet) / 2, max(y for _, y in feet) + figure.px(0.025))
    canvas.darken(middle, figure.px(0.17), figure.px(0.03), 0.7)
    paint_head(figure)
    paint_upper(figure)
    paint_lower(figure)
    paint_belongings(figure)
    figure.paint()
    paint_occluder(canvas, _stream(seed, index, "front"))


def _stream(seed: int, index: int, name: str) -> np.random.Generator:
    """A source of random numbers of its own for each person and purpose."""
    if seed < 0 or index < 0:
        raise ValueError(
            f"seed and index are not negative, got seed={seed}, index={index}"
        )
    return np.random.default_rng([seed, index, _STREAMS[name]])


_FACE = {
    "nose": (0.0, -0.12),
    "left_eye": (0.48, 0.1),
    "right_eye": (-0.48, 0.1),
    "left_ear": (math.pi / 2, 0.0),
    "right_ear": (-math.pi / 2, 0.0),
}
"""Longitude and latitude on the head."""

_HEAD_PARTS = (Part.HEAD, Part.HAIR, Part.GLASSES, Part.HAT)
_TRUNK_PARTS = (Part.TORSO, Part.LOGO, Part.COAT, Part.COAT_SKIRT)
_HIP_PARTS = (*_TRUNK_PARTS, Part.PELVIS, Part.SKIRT)
_COVERED_BY = {
    "shoulder": ("SLEEVE", "ARM"),
    "elbow": ("SLEEVE", "ARM"),
    "wrist": ("SLEEVE", "ARM", "HAND"),
    "hip": ("TROUSER",),
    "knee": ("LEG", "TROUSER", "BOOT"),
    "ankle": ("LEG", "TROUSER", "BOOT", "SHOE"),
}


def find_keypoints(
    skeleton: Skeleton, head: HeadShape, parts: np.ndarray, factor: int
) -> np.ndarray:
    """Keypoints in pixels of the final image.

    A keypoint is visible when the pixel there shows its own part of the body or what
    covers that part as clothing, and, on the head, when it is on the near side.

    Args:
        skeleton: Posed body.
        head: Its head.
        parts: What each supersampled pixel shows, uint8, (H, W).
        factor: Supersampling.

    Returns:
        float32, (17, 3): x, y, and 0 outside the image, 1 hidden, 2 visible. Outside
        the image x and y are 0, as in COCO.
    """
    height, width = parts.shape
    points = np.zeros((len(COCO_KEYPOINTS), 3), np.float32)
    for row, name in zip(points, COCO_KEYPOINTS):
        x, y = head.at(*_FACE[name]) if name in _FACE else skeleton.joint(name)
        if not (0 <= x < width and 0 <= y < height):
            continue
        near = name not in _FACE or head.seen(_FACE[name][0])
        seen = near and parts[int(y), int(x)] in _own_parts(name)
        row[:] = (x / factor, y / factor, 2 if seen else 1)
    return points


def _own_parts(name: str) -> tuple[Part, ...]:
    if name in _FACE:
        return _HEAD_PARTS
    side, joint = name.split("_")
    own = tuple(Part[f"{side.upper()}_{part}"] for part in _COVERED_BY[joint])
    if joint == "knee":
        own += (Part.SKIRT, Part.COAT_SKIRT, Part.SIDE_STRIPE)
    elif joint == "ankle":
        own += (Part.SIDE_STRIPE,)
    elif joint == "hip":
        own += _HIP_PARTS
    elif joint == "shoulder":
        own += _TRUNK_PARTS
    return own
