"""What is behind a person, what comes in front, and what the camera does to it."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from mmpar.synthetic.canvas import Canvas
from mmpar.synthetic.parts import Part
from mmpar.synthetic.sampling import (
    CLOTHES,
    SKIN,
    Colour,
    clipped,
    mixed,
    shade,
    some_colour,
)

_WALLS = (
    (186, 182, 172),
    (150, 142, 134),
    (118, 124, 130),
    (206, 200, 190),
    (170, 130, 108),
    (126, 140, 128),
    (96, 98, 104),
)
_GROUNDS = (
    (142, 140, 136),
    (112, 112, 112),
    (168, 160, 148),
    (96, 96, 92),
    (124, 132, 104),
    (150, 132, 116),
)


def sample_background(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Paint a street, blurred as what is out of focus; RGB."""
    factor = 2
    image = Image.new("RGB", (width * factor, height * factor))
    painter = _Backdrop(image, rng)
    painter.ground_and_wall()
    for thing, chance in (
        (painter.openings, 0.5),
        (painter.paving, 0.6),
        (painter.tree, 0.25),
        (painter.vehicle, 0.28),
        (painter.pole, 0.35),
        (painter.passer_by, 0.35),
        (painter.passer_by, 0.15),
    ):
        if rng.random() < chance:
            thing()
    return image.reduce(factor)


class _Backdrop:
    """Painter of the things in a street, in shares of the image's size."""

    def __init__(self, image: Image.Image, rng: np.random.Generator) -> None:
        self.width, self.height = image.size
        self.draw = ImageDraw.Draw(image)
        self.rng = rng
        self.horizon = self.uniform(0.35, 0.78) * self.height

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * float(self.rng.random())

    def ground_and_wall(self) -> None:
        """Two gradients that meet at the horizon."""
        self.wall = some_colour(self.rng, _WALLS)
        self.ground = some_colour(self.rng, _GROUNDS)
        slope = self.uniform(-0.3, 0.3)
        bands = 24
        for colour, first, last in (
            (self.wall, 0.0, self.horizon),
            (self.ground, self.horizon, float(self.height)),
        ):
            for i in range(bands):
                top = first + (last - first) * i / bands
                bottom = first + (last - first) * (i + 1) / bands
                tone = shade(colour, 1 + slope * (0.5 - i / bands))
                self.draw.rectangle((0, top, self.width, bottom), fill=tone)
        self.slope = slope

    def openings(self) -> None:
        """Windows or doors in the wall."""
        wide, tall = self.uniform(0.12, 0.35), self.uniform(0.10, 0.3)
        gap = self.uniform(1.2, 1.8)
        x, top = self.uniform(-0.2, 0.1), self.uniform(-0.05, 0.2)
        colour = shade(self.wall, self.uniform(0.45, 1.25))
        while x < 1:
            y = top * self.height
            box = (
                x * self.width,
                y,
                (x + wide) * self.width,
                min(self.horizon, y + tall * self.height),
            )
            if box[3] > box[1]:
                self.draw.rectangle(box, fill=colour, outline=shade(self.wall, 0.6))
            x += wide * gap

    def paving(self) -> None:
        """Joints of the pavement, closer together far away."""
        colour = shade(self.ground, 0.82)
        x0 = self.uniform(0.2, 0.8) * self.width
        depth = self.height - self.horizon
        for i in range(1, 6):
            y = self.horizon + depth * (i / 6) ** 1.7
            self.draw.line((0, y, self.width, y), fill=colour)
        for i in range(-6, 7):
            end = x0 + i * 0.42 * self.width
            self.draw.line(
                (x0 + (end - x0) * 0.15, self.horizon, end, self.height), fill=colour
            )

    def pole(self) -> None:
        """A lamp post or a door frame behind the person."""
        x, half = (
            self.uniform(0, 1) * self.width,
            self.uniform(0.012, 0.05) * self.width,
        )
        bottom = self.uniform(self.horizon, self.height)
        grey = self.uniform(40, 200)
        self.draw.rectangle(
            (x - half, 0, x + half, bottom), fill=clipped(grey, grey, grey * 1.04)
        )

    def tree(self) -> None:
        """Foliage in several greens."""
        x, y = self.uniform(0, 1) * self.width, self.uniform(0.05, 0.3) * self.height
        size = self.uniform(0.1, 0.24) * self.height
        trunk = 0.12 * size
        self.draw.rectangle((x - trunk, y, x + trunk, self.horizon), fill=(84, 66, 52))
        for _ in range(7):
            a, b = (self.rng.random(2) * 2 - 1).tolist()
            r = size * self.uniform(0.3, 0.6)
            green = shade((74, 104, 62), self.uniform(0.7, 1.35))
            middle = (x + a * size * 0.8, y + b * size * 0.6)
            self.draw.ellipse(
                (middle[0] - r, middle[1] - r, middle[0] + r, middle[1] + r), fill=green
            )

    def vehicle(self) -> None:
        """The side of a car, partly in the image."""
        colour = some_colour(self.rng, CLOTHES)
        long, tall = self.uniform(0.7, 1.2) * self.width, 0.13 * self.height
        x = self.uniform(-0.6, 0.7) * self.width
        base = self.horizon + self.uniform(0.05, 0.14) * self.height
        self.draw.rectangle((x, base - tall, x + long, base), fill=colour)
        cabin = [
            (x + 0.18 * long, base - tall),
            (x + 0.32 * long, base - 1.8 * tall),
            (x + 0.72 * long, base - 1.8 * tall),
            (x + 0.88 * long, base - tall),
        ]
        self.draw.polygon(cabin, fill=mixed(colour, (60, 72, 84), 0.7))
        r = 0.34 * tall
        for wheel in (x + 0.2 * long, x + 0.8 * long):
            self.draw.ellipse(
                (wheel - r, base - r, wheel + r, base + r), fill=(30, 30, 32)
            )

    def passer_by(self) -> None:
        """Someone farther away or at the edge: head, trunk and legs."""
        size = self.uniform(0.25, 0.62) * self.height
        side = -1 if self.rng.random() < 0.5 else 1
        x = (0.5 + side * self.uniform(0.30, 0.55)) * self.width
        foot = min(self.height * 0.99, self.horizon + size * self.uniform(0.45, 0.6))
        top = foot - size
        half = 0.12 * size
        skin, upper, lower = (
            some_colour(self.rng, colours) for colours in (SKIN, CLOTHES, CLOTHES)
        )
        self._box(x - half * 0.75, top + 0.5 * size, x + half * 0.75, foot, lower)
        self._box(x - half, top + 0.15 * size, x + half, top + 0.54 * size, upper)
        r = 0.065 * size
        self.draw.ellipse((x - r, top, x + r, top + 0.15 * size), fill=skin)
        self.draw.pieslice(
            (x - r, top, x + r, top + 0.15 * size), 180, 360, fill=(44, 34, 30)
        )

    def _box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        self.draw.rounded_rectangle((x0, y0, x1, y1), (x1 - x0) * 0.3, fill=colour)


def paint_occluder(canvas: Canvas, rng: np.random.Generator) -> None:
    """In a quarter of the images something stands before the person."""
    kind, where, size = rng.random(3).tolist()
    colour = some_colour(rng, (*_WALLS, *CLOTHES))
    width, height = canvas.width, canvas.height
    if kind < 0.09:  # a post
        x, half = where * width, (0.02 + 0.025 * size) * width
        box = (x - half, 0, x + half, height)
    elif kind < 0.17:  # a bollard, a box, a bush
        x, half = where * width, (0.10 + 0.12 * size) * width
        box = (x - half, height * (0.80 - 0.08 * size), x + half, height)
    elif kind < 0.23:  # a wall or another person at the edge
        depth = (0.05 + 0.14 * size) * width
        top = height * (0.15 + 0.4 * size)
        left = where < 0.5
        box = (0 if left else width - depth, top, depth if left else width, height)
    else:
        return
    x0, y0, x1, y1 = box
    canvas.block([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour, Part.OCCLUDER)
    edge = x0 + 0.25 * (x1 - x0)
    canvas.polygon(
        [(x0, y0), (edge, y0), (edge, y1), (x0, y1)], shade(colour, 0.8), Part.OCCLUDER
    )


def degrade(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Degrade an image moderately.

    Args:
        image: float32, (H, W, 3), 0..255.
        rng: Source of the faults; the number of draws depends on the size only.

    Returns:
        uint8, (H, W, 3).
    """
    height, width = image.shape[:2]
    gain, contrast, cast, soft, small, noisy = rng.random(6).tolist()
    tint = 1 + 0.07 * (2 * rng.random(3, dtype=np.float32) - 1)
    grain = rng.random((height, width, 3), dtype=np.float32)
    grain += rng.random((height, width, 3), dtype=np.float32)

    shown = (image - 128) * (0.78 + 0.34 * contrast) + 128
    shown = shown * (0.72 + 0.50 * gain) * (tint if cast < 0.6 else 1)
    pillow = Image.fromarray(np.clip(shown + 0.5, 0, 255).astype(np.uint8))
    if small < 0.4:
        share = 0.55 + small
        few = (max(8, round(width * share)), max(16, round(height * share)))
        pillow = pillow.resize(few, Image.Resampling.BILINEAR)
        pillow = pillow.resize((width, height), Image.Resampling.BILINEAR)
    elif soft < 0.4:
        radius = (0.25 + 1.2 * soft) * height / 192
        pillow = pillow.filter(ImageFilter.GaussianBlur(radius))
    result = np.asarray(pillow, np.float32) + (grain - 1) * (4 + 12 * noisy * noisy)
    return np.clip(result + 0.5, 0, 255).astype(np.uint8)
