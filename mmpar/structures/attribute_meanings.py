"""What the attributes of the published datasets mean, in one vocabulary.

A meaning is written ``"FACET: VALUE, VALUE, ..."``: the attribute is present if the
person has one of these values of the facet, or ``"FACET: no VALUE, VALUE, ..."``: if
the person has none of them.

- ``VALUE?`` may count or not: the release does not say, or its labels show both.
- ``?`` alone stands for all other values so.

So "same", "broader", "complement" and the like are never typed in: they follow from the
values (:mod:`mmpar.structures.ontology`). Meanings are those of the papers and readmes
that the schemas name, and were compared with the labels of PETA, PA-100K (test split),
Market-1501 and DukeMTMC where these decide. The others rest on the names alone, which
holds for all of RAP's, MSP60K's, WIDER's and UPAR's clothes and things carried.

Attributes without a row never transfer. Among them are those that a release does not
define (ages in words: young, adult, elderly; Market-1501's and DukeMTMC's ``bag``,
DukeMTMC's ``top``; casual and formal; "other"), and those that no other dataset has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

COLOURS = (
    *("black", "white", "grey", "red", "green", "blue"),
    *("yellow", "brown", "purple", "pink", "orange"),
)


@dataclass(frozen=True)
class Facet:
    """One side of a person.

    Args:
        values: What it can be.
        exclusive: Whether a person has exactly one of the values, as of ages, or any
            number of them, as of bags.
    """

    values: tuple[str, ...]
    exclusive: bool = True

    def states(self) -> np.ndarray:
        """All that a person can be: which values each state has, (S, V), bool."""
        if self.exclusive:
            return np.eye(len(self.values), dtype=bool)
        return np.array([*product((False, True), repeat=len(self.values))])


FACETS = {
    "gender": Facet(("female", "male")),
    # Years; the bounds of all datasets, so that each range is some of these.
    "age": Facet(("0-15", "16", "17", "18-30", "31-45", "46-60", "61+")),
    "body": Facet(("fat", "normal", "thin")),
    "view": Facet(("front", "back", "left", "right")),
    "hair": Facet(("long", "short", "bald", "unseen")),
    "hair colour": Facet(("black", "other")),
    "accessory": Facet(
        (
            *("hat", "glasses", "sunglasses", "scarf", "mask"),
            *("headphones", "hair band", "kerchief"),
        ),
        exclusive=False,
    ),
    "sleeve": Facet(("long", "short", "none")),
    "upper garment": Facet(
        ("T-shirt", "shirt", "sweater", "jacket", "suit", "vest", "padded coat"),
        exclusive=False,
    ),
    "upper pattern": Facet(
        ("thin stripes", "thick stripes", "plaid", "logo"), exclusive=False
    ),
    "lower garment": Facet(
        (
            *("trousers", "suit trousers", "jeans", "tights", "capri"),
            *("shorts", "hot pants", "short skirt", "long skirt", "dress", "unseen"),
        )
    ),
    "lower pattern": Facet(("thin stripes", "thick stripes", "plaid"), exclusive=False),
    "footwear": Facet(("leather shoes", "sneakers", "boots", "sandals", "other")),
    "carrying": Facet(
        (
            *("backpack", "shoulder bag", "handbag", "plastic bag", "paper bag"),
            *("suitcase", "box", "other"),
        ),
        exclusive=False,
    ),
    "action": Facet(("calling", "other"), exclusive=False),
    # The one that most of it has.
    "upper colour": Facet((*COLOURS, "other")),
    "lower colour": Facet((*COLOURS, "other")),
}
"""Facet name to its values."""

_TROUSERS = "trousers, suit trousers, jeans, tights"
_SHORT = "shorts, hot pants, short skirt"

_ROWS: dict[str, dict[str, str | tuple[str, ...]]] = {
    "gender: female": dict(
        pa100k="Female",
        peta="personalFemale",
        rap="Female",
        upar="Gender-Female",
        market1501="gender",
        dukemtmc="gender",
        msp60k="Female",
    ),
    "gender: male": dict(peta="personalMale", wider="Male"),
    # PETA's paper calls its ages 16-30, 31-45, 46-60 and above 61; "less 15" is apart.
    "age: 0-15": dict(peta="personalLess15"),
    "age: 0-15, 16": dict(rap="AgeLess16"),
    "age: 0-15, 16, 17": dict(pa100k="AgeLess18"),
    "age: 16, 17, 18-30": dict(peta="personalLess30"),
    "age: 17, 18-30": dict(rap="Age17-30"),
    "age: 31-45": dict(peta="personalLess45", rap="Age31-45"),
    "age: 46-60": dict(peta="personalLess60", rap="Age46-60"),
    "age: 18-30, 31-45, 46-60": dict(pa100k="Age18-60"),
    "age: 61+": dict(pa100k="AgeOver60", peta="personalLarger60"),
    "body: fat": dict(rap="BodyFat", msp60k="Fat"),
    "body: normal": dict(rap="BodyNormal", msp60k="Normal"),
    "body: thin": dict(rap="BodyThin", msp60k="Thin"),
    "view: front": dict(pa100k="Front", rap="faceFront", msp60k="Front"),
    "view: back": dict(pa100k="Back", rap="faceBack", msp60k="Back"),
    "view: left, right": dict(pa100k="Side", msp60k="Side"),
    "view: left": dict(rap="faceLeft"),
    "view: right": dict(rap="faceRight"),
    "hair: long": dict(
        peta="hairLong",
        rap="hs-LongHair",
        upar="Hair-Length-Long",
        market1501="hair",
        msp60k="Long hair",
        wider="longHair",
    ),
    # 200 of PETA's 390 bald persons have short hair, too.
    "hair: short, bald?": dict(peta="hairShort", upar="Hair-Length-Short"),
    "hair: bald": dict(
        peta="hairBald", rap="hs-BaldHead", upar="Hair-Length-Bald", msp60k="Bald"
    ),
    "hair colour: black": dict(
        peta="hairBlack", rap="hs-BlackHair", msp60k="Black hair"
    ),
    "accessory: hat": dict(
        pa100k="Hat",
        peta="accessoryHat",
        rap="hs-Hat",
        upar="Accessory-Hat",
        market1501="hat",
        dukemtmc="hat",
        wider="Hat",
    ),
    "accessory: hat?": dict(msp60k="Hat"),  # others may call its helmets hats
    "accessory: glasses, sunglasses": dict(pa100k="Glasses", msp60k="Glasses"),
    # RAPv2 labels sunglasses apart, among those that are not evaluated.
    "accessory: glasses, sunglasses?": dict(rap="hs-Glasses"),
    "accessory: glasses": dict(upar="Accessory-Glasses-Normal"),
    "accessory: sunglasses": dict(
        peta="accessorySunglasses", upar="Accessory-Glasses-Sun", wider="sunglass"
    ),
    "accessory: scarf": dict(peta="accessoryMuffler", rap="hs-Muffler", msp60k="Scarf"),
    "accessory: mask": dict(msp60k="Mask", wider="faceMask"),
    # One image of PETA has one of these (a kerchief) and "nothing"; normal glasses have
    # no label.
    "accessory: no hat, sunglasses, scarf, headphones, hair band, kerchief, mask?": (
        dict(peta="accessoryNothing")
    ),
    "accessory: headphones": dict(peta="accessoryHeadphone"),
    "accessory: hair band": dict(peta="accessoryHairBand"),
    "accessory: kerchief": dict(peta="accessoryKerchief"),
    "sleeve: long": dict(
        pa100k="LongSleeve",
        peta="upperBodyLongSleeve",
        msp60k="Long sleeves",
        wider="longSleeve",
    ),
    # Either these or long sleeves: all of PA-100K's test split, Market's one column.
    "sleeve: short, none": dict(
        pa100k="ShortSleeve", market1501="up", upar="UpperBody-Length-Short"
    ),
    "sleeve: short, none?": dict(rap="ub-ShortSleeve", msp60k="Short sleeves"),
    "sleeve: short": dict(peta="upperBodyShortSleeve"),
    "sleeve: none": dict(peta="upperBodyNoSleeve"),
    "upper garment: T-shirt": dict(
        peta="upperBodyTshirt", rap="ub-TShirt", wider="Tshiirt"
    ),
    "upper garment: shirt": dict(rap="ub-Shirt", msp60k="Shirt"),
    "upper garment: sweater": dict(peta="upperBodySweater", rap="ub-Sweater"),
    "upper garment: jacket": dict(
        peta="upperBodyJacket", rap="ub-Jacket", msp60k="Jacket"
    ),
    "upper garment: suit": dict(peta="upperBodySuit", rap="ub-SuitUp", msp60k="Suit"),
    "upper garment: vest": dict(rap="ub-Vest", msp60k="Vest"),
    "upper garment: padded coat": dict(rap="ub-Cotton", msp60k="Cotton-padded coat"),
    "upper pattern: thin stripes, thick stripes": dict(
        pa100k="UpperStride", wider="stripe"
    ),
    "upper pattern: thin stripes": dict(peta="upperBodyThinStripes"),
    "upper pattern: thick stripes": dict(peta="upperBodyThickStripes"),
    "upper pattern: plaid": dict(pa100k="UpperPlaid", peta="upperBodyPlaid"),
    "upper pattern: logo": dict(pa100k="UpperLogo", peta="upperBodyLogo", wider="logo"),
    f"lower garment: {_TROUSERS}, capri?": dict(pa100k="Trousers"),
    f"lower garment: {_TROUSERS}, capri, shorts, hot pants": dict(
        upar="LowerBody-Type-Trousers&Shorts", market1501="clothes"
    ),
    "lower garment: trousers, tights?": dict(peta="lowerBodyTrousers"),
    "lower garment: trousers, suit trousers, jeans?, tights?, capri?": dict(
        rap="lb-LongTrousers", msp60k="Trousers", wider="longPants"
    ),
    "lower garment: suit trousers": dict(peta="lowerBodySuits"),
    "lower garment: jeans": dict(peta="lowerBodyJeans", wider="jeans", msp60k="Jeans"),
    "lower garment: jeans, tights?": dict(rap="lb-Jeans"),
    "lower garment: tights, jeans?": dict(rap="lb-TightTrousers"),
    "lower garment: capri": dict(peta="lowerBodyCapri"),
    "lower garment: shorts": dict(peta="lowerBodyShorts"),
    # Of 308 in hot pants 115 have a short skirt, of 493 in long skirts 72 trousers.
    "lower garment: hot pants, short skirt?": dict(peta="lowerBodyHotPants"),
    "lower garment: shorts, hot pants, capri?": dict(
        pa100k="Shorts", msp60k="Shorts", wider="shorts"
    ),
    "lower garment: short skirt, dress?": dict(
        peta="lowerBodyShortSkirt", rap="lb-ShortSkirt", msp60k="Short skirt"
    ),
    "lower garment: long skirt, dress?, trousers?": dict(peta="lowerBodyLongSkirt"),
    "lower garment: long skirt, dress?": dict(msp60k="Long skirt"),
    "lower garment: long skirt, short skirt?, dress?": dict(rap="lb-Skirt"),
    "lower garment: short skirt, long skirt, dress?": dict(wider="skirt"),
    "lower garment: short skirt, long skirt, dress": dict(
        pa100k="Skirt&Dress", upar="LowerBody-Type-Skirt&Dress"
    ),
    "lower garment: dress": dict(rap="lb-Dress", msp60k="Dress"),
    f"lower garment: {_SHORT}, long skirt?, dress?, capri?": dict(
        upar="LowerBody-Length-Short", market1501="down"
    ),
    "lower pattern: thin stripes, thick stripes": dict(pa100k="LowerStripe"),
    "lower pattern: thin stripes": dict(peta="lowerBodyThinStripes"),
    "footwear: leather shoes": dict(
        peta="footwearLeatherShoes", rap="shoes-Leather", msp60k="Leather shoes"
    ),
    "footwear: sneakers": dict(
        peta="footwearSneaker", rap=("shoes-Sport", "shoes-Sports")
    ),
    "footwear: boots": dict(
        pa100k="boots",
        peta="footwearBoots",
        rap="shoes-Boots",
        dukemtmc="boots",
        msp60k="Boots",
    ),
    "footwear: sandals": dict(peta="footwearSandals", msp60k="Sandals"),
    "carrying: backpack": dict(
        pa100k="Backpack",
        peta="carryingBackpack",
        rap=("attach-Backpack", "attachment-Backpack"),
        upar="Accessory-Backpack",
        msp60k="Backpack",
    ),
    # A person has one kind of bag at most there, so that a backpack may be left out.
    "carrying: backpack?": dict(market1501="backpack", dukemtmc="backpack"),
    "carrying: handbag?": dict(market1501="handbag", dukemtmc="handbag"),
    "carrying: shoulder bag": dict(
        pa100k="ShoulderBag",
        rap=("attach-SingleShoulderBag", "attachment-ShoulderBag"),
        msp60k="Shoulder bag",
    ),
    "carrying: shoulder bag, handbag?": dict(peta="carryingMessengerBag"),
    "carrying: handbag": dict(
        pa100k="HandBag",
        rap=("attach-HandBag", "attachment-HandBag"),
        msp60k="Handbag",
    ),
    "carrying: plastic bag": dict(
        peta="carryingPlasticBags",
        rap=("attach-PlasticBag", "attachment-PlasticBag"),
        msp60k="Plastic bag",
    ),
    "carrying: paper bag": dict(
        rap=("attach-PaperBag", "attachment-PaperBag"), msp60k="Paper bag"
    ),
    "carrying: suitcase": dict(
        rap=("attach-HandTrunk", "attachment-HandTrunk"), msp60k="Suitcase"
    ),
    "carrying: suitcase?": dict(peta=("carryingSuitcase", "carryingLuggageCase")),
    "carrying: box": dict(rap=("attach-Box", "attachment-Box")),
    "carrying: shoulder bag, handbag, backpack?, plastic bag?, paper bag?, suitcase?": (
        dict(upar="Accessory-Bag")
    ),
    "carrying: no backpack, shoulder bag, handbag, plastic bag, paper bag, suitcase, "
    "box, other": dict(peta="carryingNothing"),
    "action: calling": dict(rap="action-Calling", msp60k="Making a phone call"),
}


def _colour_rows() -> dict[str, dict[str, str | tuple[str, ...]]]:
    """One colour in Market-1501 and above in DukeMTMC, one or more in the others.

    Below, 19 of DukeMTMC's 142 persons in white have another colour, too.
    """
    rows: dict[str, dict[str, str | tuple[str, ...]]] = {}
    for colour in COLOURS:
        title, american = colour.title(), colour.replace("grey", "gray")
        for place, short in (("upper", "up"), ("lower", "down")):
            one, some = f"{place} colour: {colour}", f"{place} colour: {colour}, ?"
            rows[one] = dict(market1501=short + american)
            rows[some] = dict(
                peta=f"{place}Body{title}",
                rap=f"{short.replace('down', 'low')}-{american.title()}",
                upar=f"{place.title()}Body-Color-{title}",
            )
            rows[one if place == "upper" else some]["dukemtmc"] = short + american
    return rows


MEANINGS = {**_ROWS, **_colour_rows()}
"""Meaning to the attributes that have it, by dataset. A dataset's names are those of
all its schemas, and of colours more than it has."""

_DATASETS = {
    "PA-100K": "pa100k",
    "PETA": "peta",
    "RAPv1": "rap",
    "RAPv2": "rap",
    "RAPzs": "rap",
    "UPAR": "upar",
    "Market-1501-attribute": "market1501",
    "DukeMTMC-attribute": "dukemtmc",
    "MSP60K": "msp60k",
    "WIDER-Attribute": "wider",
}
"""Title of a schema, up to a comma ("PETA, all attributes"), to its dataset here."""


def dataset_of(title: str) -> str | None:
    """The dataset in ``MEANINGS`` to whose schemas this title belongs.

    >>> dataset_of("PETA, all attributes"), dataset_of("custom")
    ('peta', None)
    """
    return _DATASETS.get(title.split(",")[0])


def published_meanings(title: str) -> dict[str, str]:
    """Attribute to meaning, of the published schemas of this title.

    >>> published_meanings("PA-100K")["Side"]
    'view: left, right'
    """
    dataset = dataset_of(title)
    found = {}
    for meaning, attributes in MEANINGS.items():
        names = attributes.get(dataset or "", ())
        for name in (names,) if isinstance(names, str) else names:
            found[name] = meaning
    return found


@dataclass(frozen=True, eq=False)
class Claim:
    """What an attribute says of a person.

    Args:
        facet: Of the person, a key of ``FACETS``.
        sure: States in which the attribute is present, (S,), bool.
        may: Those in which it may be present: ``sure`` and doubtful ones.
    """

    facet: str
    sure: np.ndarray
    may: np.ndarray

    def within(self, other: Claim) -> bool:
        """Whether the other attribute is present wherever this one is."""
        return not (self.may & ~other.sure).any()


@cache
def read_meaning(meaning: str) -> Claim:
    """Read ``"FACET: VALUE, VALUE?, ..."`` or ``"FACET: no VALUE, ..."``.

    Raises:
        ValueError: There is no such facet, or it has no such value.
    """
    name, _, listed = meaning.partition(": ")
    if name not in FACETS:
        raise ValueError(
            f"the meaning {meaning!r} names no facet; write one of {sorted(FACETS)}, a "
            "colon and its values, such as 'sleeve: short, none'"
        )
    facet = FACETS[name]
    negated = listed.startswith("no ")
    words = listed.removeprefix("no ").split(", ")
    values = {word.removesuffix("?") for word in words if word != "?"}
    unknown = sorted(values - set(facet.values))
    if unknown:
        raise ValueError(
            f"the meaning {meaning!r} names {unknown}, not among the values of "
            f"{name!r}: {list(facet.values)}"
        )
    certain = np.isin(facet.values, [word for word in words if not word.endswith("?")])
    doubtful = np.isin(facet.values, list(values)) | ("?" in words)
    sure, may = facet.states() @ certain, facet.states() @ doubtful
    return Claim(name, ~may, ~sure) if negated else Claim(name, sure, may)
