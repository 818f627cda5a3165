"""Everything about a person's looks that the labels leave open.

Each look is sampled with the same number of draws whatever the labels, so that two
people who differ in one label and share their random numbers differ in nothing else.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import numpy as np

from mmpar.synthetic.sampling import (
    CLOTHES,
    GREY_HAIR,
    HAIR,
    LEATHER,
    LEGWEAR,
    MUTED,
    SHOES,
    SKIN,
    Colour,
    brightness,
    choose,
    contrasting,
    pick,
    some_colour,
)


@dataclass(frozen=True)
class HeadAppearance:
    """Skin, hair, hat and glasses."""

    skin: Colour
    hair: Colour
    style: str  # 'short', 'long', 'tail', 'bun', 'bald'
    beard: bool
    hat: str  # 'cap', 'brim', 'beanie'
    hat_colour: Colour
    band_colour: Colour
    rims: Colour
    lenses: Colour


@dataclass(frozen=True)
class ClothesAppearance:
    """Colours and cuts; lengths as heights of an adult."""

    upper: Colour
    upper_second: Colour
    lower: Colour
    lower_second: Colour
    coat: Colour
    coat_open: bool
    coat_hem: float
    stripe: float  # period of upper patterns
    splice: str  # 'yoke', 'halves', 'sleeves'
    logo_colour: Colour
    logo: str  # 'disc', 'bars', 'cross'
    lower_pattern: str  # 'dots', 'blobs', 'checks'
    loose: float  # width of legwear
    tucked: bool
    skirt_hem: float
    stockings: bool
    shoes: Colour
    boots: Colour


@dataclass(frozen=True)
class BagAppearance:
    """Bags, what is held, and the side they are on."""

    colour: Colour
    second: Colour
    mirrored: bool
    size: float
    shape: str  # 'case', 'tote'
    held: str  # 'box', 'folder', 'bundle'
    held_colour: Colour
    cane: bool


def sample_head(present: Set[str], rng: np.random.Generator) -> HeadAppearance:
    """Sample skin, hair, hat and glasses."""
    old = "AgeOver60" in present
    grey, style, beard, shades = rng.random(4).tolist()
    skin = some_colour(rng, SKIN)
    dark, light = some_colour(rng, HAIR), some_colour(rng, GREY_HAIR)
    hat_colour = some_colour(rng, CLOTHES)
    return HeadAppearance(
        skin=skin,
        hair=light if grey < (0.88 if old else 0.02) else dark,
        style=_hair_style(present, style),
        beard=beard < 0.3 and not {"Female", "AgeLess18"} & present,
        hat=pick(rng, ("cap", "brim", "beanie")),
        hat_colour=hat_colour,
        band_colour=contrasting(rng, CLOTHES, hat_colour),
        rims=(20, 20, 24) if brightness(skin) > 120 else (226, 214, 160),
        lenses=(30, 32, 40) if shades < 0.55 else (206, 222, 230),
    )


def _hair_style(present: Set[str], draw: float) -> str:
    if "Female" in present:
        return choose(draw, long=0.5, tail=0.22, bun=0.14, short=0.14)
    if "AgeOver60" in present:
        return choose(draw, bald=0.4, short=0.6)
    return choose(draw, long=0.05, tail=0.02, bald=0.07, short=0.86)


def sample_clothes(present: Set[str], rng: np.random.Generator) -> ClothesAppearance:
    """Sample colours and cuts of the clothes."""
    uppers = CLOTHES
    if "AgeOver60" in present:
        uppers = (*MUTED, *CLOTHES[::3])
    cut = rng.random(10).tolist()
    upper = some_colour(rng, uppers)
    lowers = CLOTHES if "Skirt&Dress" in present else LEGWEAR
    lower = contrasting(rng, lowers, upper)
    if "Skirt&Dress" in present and "LongCoat" not in present and cut[7] < 0.45:
        lower = upper  # a dress
    coat = some_colour(rng, (*MUTED, *LEGWEAR, *CLOTHES[::4]))
    return ClothesAppearance(
        upper=upper,
        upper_second=contrasting(rng, CLOTHES, upper),
        lower=lower,
        lower_second=contrasting(rng, CLOTHES, lower),
        coat=coat,
        coat_open=cut[0] < 0.5,
        coat_hem=0.30 + 0.06 * cut[1],
        stripe=0.050 + 0.018 * cut[2],
        splice=("yoke", "halves", "sleeves")[int(3 * cut[3])],
        logo_colour=contrasting(rng, CLOTHES, upper),
        logo=("disc", "bars", "cross")[int(3 * cut[4])],
        lower_pattern=("dots", "blobs", "checks")[int(3 * cut[5])],
        loose=0.9 + 0.3 * cut[6],
        tucked=cut[7] < 0.3,
        skirt_hem=0.22 + 0.13 * cut[8],
        stockings=cut[9] < 0.25,
        shoes=some_colour(rng, SHOES),
        boots=contrasting(rng, LEATHER, lower),
    )


def sample_bags(
    present: Set[str], clothes: ClothesAppearance, rng: np.random.Generator
) -> BagAppearance:
    """Sample what is carried, in colours that stand out from the clothes."""
    worn = (clothes.upper, clothes.coat, clothes.lower)
    colour = contrasting(rng, (*CLOTHES, *LEATHER), *worn)
    mirrored, size, shape, cane = rng.random(4).tolist()
    return BagAppearance(
        colour=colour,
        second=contrasting(rng, CLOTHES, colour),
        mirrored=mirrored < 0.5,
        size=0.85 + 0.3 * size,
        shape="case" if shape < 0.5 else "tote",
        held=pick(rng, ("box", "folder", "bundle")),
        held_colour=contrasting(rng, CLOTHES, *worn),
        cane=cane < 0.35 and "AgeOver60" in present,
    )
