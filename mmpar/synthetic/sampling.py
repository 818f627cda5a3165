"""Choices by one random number each, and the colours of people and clothes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")


def pick(rng: np.random.Generator, items: Sequence[Item]) -> Item:
    """One of ``items``, by one draw."""
    return items[int(rng.random() * len(items))]


def choose(draw: float, **shares: float) -> str:
    """One of the names by its share; ``draw`` is in [0, 1), the shares sum to 1."""
    for name, share in shares.items():
        draw -= share
        if draw < 0:
            return name
    return name


Colour = tuple[int, int, int]

CLOTHES: tuple[Colour, ...] = (
    (28, 30, 36),
    (60, 64, 72),
    (128, 132, 138),
    (226, 226, 222),
    (244, 240, 228),
    (28, 44, 92),
    (48, 92, 168),
    (120, 176, 220),
    (36, 108, 72),
    (104, 152, 80),
    (152, 36, 44),
    (214, 58, 52),
    (236, 132, 44),
    (244, 200, 60),
    (120, 56, 128),
    (226, 120, 156),
    (244, 188, 200),
    (120, 84, 56),
    (196, 164, 120),
    (40, 128, 136),
)
LEGWEAR: tuple[Colour, ...] = (
    (24, 26, 32),
    (48, 50, 58),
    (34, 46, 84),
    (58, 84, 132),
    (104, 132, 172),
    (116, 116, 118),
    (156, 136, 104),
    (92, 76, 60),
    (72, 84, 60),
    (214, 210, 200),
)
MUTED: tuple[Colour, ...] = (
    (52, 52, 58),
    (92, 92, 96),
    (140, 136, 128),
    (88, 72, 60),
    (64, 72, 92),
    (112, 96, 84),
    (84, 92, 76),
    (120, 80, 84),
    (176, 168, 152),
)
LEATHER: tuple[Colour, ...] = (
    (30, 26, 26),
    (74, 44, 28),
    (122, 74, 40),
    (164, 112, 62),
    (96, 28, 32),
)
SHOES: tuple[Colour, ...] = (
    (26, 26, 28),
    (236, 236, 236),
    (128, 128, 132),
    (164, 40, 44),
    (52, 72, 128),
)
SKIN: tuple[Colour, ...] = (
    (246, 212, 184),
    (232, 190, 156),
    (214, 166, 128),
    (176, 124, 88),
    (128, 86, 60),
    (92, 62, 46),
)
HAIR: tuple[Colour, ...] = (
    (22, 18, 18),
    (36, 26, 22),
    (62, 42, 30),
    (98, 66, 42),
    (186, 148, 88),
)
GREY_HAIR: tuple[Colour, ...] = ((204, 204, 204), (176, 176, 178), (232, 230, 226))


def some_colour(rng: np.random.Generator, colours: Sequence[Colour]) -> Colour:
    """One of ``colours``, slightly changed."""
    red, green, blue = pick(rng, colours)
    changes = rng.integers(-14, 15, 3).tolist()
    return clipped(red + changes[0], green + changes[1], blue + changes[2])


def contrasting(
    rng: np.random.Generator, colours: Sequence[Colour], *others: Colour
) -> Colour:
    """One of ``colours`` that is well told from the others, by a fixed number of draws.

    It is the first of eight at a distance of 110 from each, or else the farthest.
    """
    candidates = [some_colour(rng, colours) for _ in range(8)]
    distances = [min(distance(c, other) for other in others) for c in candidates]
    for candidate, far in zip(candidates, distances):
        if far >= 110:
            return candidate
    return candidates[distances.index(max(distances))]


def distance(one: Colour, other: Colour) -> float:
    """How well two colours are told apart; brightness counts most."""
    red, green, blue = (a - b for a, b in zip(one, other))
    luma = brightness(one) - brightness(other)
    return (2 * luma * luma + (red * red + green * green + blue * blue) / 3) ** 0.5


def brightness(colour: Colour) -> float:
    """Luma, 0 to 255."""
    red, green, blue = colour
    return 0.3 * red + 0.59 * green + 0.11 * blue


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """``one`` with a share in [0, 1] of ``other``."""
    return clipped(*(a + (b - a) * share for a, b in zip(one, other)))


def shade(colour: Colour, factor: float) -> Colour:
    """Brighter (factor above 1) or darker."""
    return clipped(*(channel * factor for channel in colour))


def clipped(red: float, green: float, blue: float) -> Colour:
    """Rounded and brought into 0..255."""
    return (_channel(red), _channel(green), _channel(blue))


def _channel(value: float) -> int:
    return min(255, max(0, int(value + 0.5)))
