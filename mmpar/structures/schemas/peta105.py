"""PETA: all 105 attributes of ``PETA.mat``: the 35 evaluated, 44 colours, 26 more."""

from __future__ import annotations

from mmpar.structures.attribute_schema import AttributeSchema
from mmpar.structures.schemas.peta import PETA

_COLOURS_AND_MORE = (
    "upperBodyBlack",
    "upperBodyBlue",
    "upperBodyBrown",
    "upperBodyGreen",
    "upperBodyGrey",
    "upperBodyOrange",
    "upperBodyPink",
    "upperBodyPurple",
    "upperBodyRed",
    "upperBodyWhite",
    "upperBodyYellow",
    "lowerBodyBlack",
    "lowerBodyBlue",
    "lowerBodyBrown",
    "lowerBodyGreen",
    "lowerBodyGrey",
    "lowerBodyOrange",
    "lowerBodyPink",
    "lowerBodyPurple",
    "lowerBodyRed",
    "lowerBodyWhite",
    "lowerBodyYellow",
    "hairBlack",
    "hairBlue",
    "hairBrown",
    "hairGreen",
    "hairGrey",
    "hairOrange",
    "hairPink",
    "hairPurple",
    "hairRed",
    "hairWhite",
    "hairYellow",
    "footwearBlack",
    "footwearBlue",
    "footwearBrown",
    "footwearGreen",
    "footwearGrey",
    "footwearOrange",
    "footwearPink",
    "footwearPurple",
    "footwearRed",
    "footwearWhite",
    "footwearYellow",
    "accessoryHeadphone",
    "personalLess15",
    "carryingBabyBuggy",
    "hairBald",
    "footwearBoots",
    "lowerBodyCapri",
    "carryingShoppingTro",
    "carryingUmbrella",
    "personalFemale",
    "carryingFolder",
    "accessoryHairBand",
    "lowerBodyHotPants",
    "accessoryKerchief",
    "lowerBodyLongSkirt",
    "upperBodyLongSleeve",
    "lowerBodyPlaid",
    "lowerBodyThinStripes",
    "carryingLuggageCase",
    "upperBodyNoSleeve",
    "hairShort",
    "footwearStocking",
    "upperBodySuit",
    "carryingSuitcase",
    "lowerBodySuits",
    "upperBodySweater",
    "upperBodyThickStripes",
)

_REGIONS = {
    "accessory": "head",
    "hair": "head",
    "upperBody": "upper",
    "lowerBody": "lower",
    "footwear": "foot",
    "carrying": "bag",
    "personalLess": "age",
    "personalFemale": "gender",
}
"""Beginning of a name to its body region."""


def _members(group: str) -> tuple[str, ...]:
    beginnings = tuple(start for start, region in _REGIONS.items() if region == group)
    more = [name for name in _COLOURS_AND_MORE if name.startswith(beginnings)]
    return (*PETA.groups[group], *more)


PETA105 = AttributeSchema(
    title="PETA, all attributes",
    names=(*PETA.names, *_COLOURS_AND_MORE),
    groups={group: _members(group) for group in PETA.groups},
    exclusive=(
        ("personalLess15", *PETA.exclusive[0]),
        *PETA.exclusive[1:],
        ("personalMale", "personalFemale"),
    ),
)
