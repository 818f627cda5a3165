"""Which attributes a drawn person has: plausible, decidable, none too rare to learn."""

from __future__ import annotations

import numpy as np

from mmpar.structures.schemas.pa100k import PA100K
from mmpar.synthetic.sampling import choose

NAMES = PA100K.names
"""Attribute names in the order of the labels."""

_INDEX = {name: i for i, name in enumerate(NAMES)}
_DRAWS = 20


def sample_labels(rng: np.random.Generator) -> np.ndarray:
    """Sample the labels of one person, int8, shape (26,), each 0 or 1.

    Frequencies lean on PA-100K's, with the rare attributes raised so that a few
    thousand samples teach them. What cannot be seen is not claimed: no glasses from
    behind, no logo under a backpack.
    """
    draws = iter(rng.random(_DRAWS).tolist())  # always the same number
    person = _who(draws)
    person |= _outfit(draws, person)
    person |= _belongings(draws, person)
    person |= _upper_pattern(draws, person)
    person |= _lower_pattern(draws, person)
    return labels_of(person)


def labels_of(present: set[str] | frozenset[str]) -> np.ndarray:
    """Attribute names to labels, int8, shape (26,)."""
    labels = np.zeros(len(NAMES), np.int8)
    labels[[_INDEX[name] for name in present]] = 1
    return labels


def present_in(labels: np.ndarray) -> frozenset[str]:
    """Labels, shape (26,), to the names of the attributes present."""
    return frozenset(name for name, label in zip(NAMES, labels) if label == 1)


def _who(draws) -> set[str]:
    person = {"Female"} if next(draws) < 0.47 else set()
    person.add(("AgeOver60", "Age18-60", "AgeLess18")[_third(next(draws), 0.17, 0.66)])
    person.add(("Front", "Side", "Back")[_third(next(draws), 0.36, 0.33)])
    return person


def _third(draw: float, first: float, second: float) -> int:
    return int(draw >= first) + int(draw >= first + second)


def _outfit(draws, person: set[str]) -> set[str]:
    female, old = "Female" in person, "AgeOver60" in person
    outfit = set()
    if next(draws) < (0.22 if old else 0.15):
        outfit |= {"LongCoat", "LongSleeve"}
    warm = next(draws) < (0.38 if old else 0.52)
    if "LongCoat" not in outfit:
        outfit.add("ShortSleeve" if warm else "LongSleeve")
    lower, boots, hat = next(draws), next(draws), next(draws)
    if female and lower < (0.46 if warm else 0.38):
        outfit.add("Skirt&Dress")
    elif lower > 0.60 and "ShortSleeve" in outfit:
        outfit.add("Shorts")
    else:
        outfit.add("Trousers")
    if boots < (0.28 if "Skirt&Dress" in outfit else 0.14):
        outfit.add("boots")
    if hat < 0.26:
        outfit.add("Hat")
    return outfit


def _upper_pattern(draws, person: set[str]) -> set[str]:
    pattern, logo = next(draws), next(draws)
    if "LongCoat" in person:
        return {"UpperPlaid"} if pattern < 0.2 else set()
    found = set()
    kind = choose(pattern, UpperStride=0.17, UpperPlaid=0.16, UpperSplice=0.17, no=0.5)
    if kind != "no":
        found.add(kind)
    if kind == "no" and logo < 0.5 and not _hides_logo(person):
        found.add("UpperLogo")
    return found


def _lower_pattern(draws, person: set[str]) -> set[str]:
    stripe, pattern = next(draws), next(draws)
    if "Skirt&Dress" not in person and "LongCoat" not in person and stripe < 0.17:
        return {"LowerStripe"}
    if {"LongCoat", "Trousers", "boots"} <= person:
        return set()  # next to nothing of the trousers is seen
    rate = 0.36 if "Skirt&Dress" in person else 0.12
    return {"LowerPattern"} if pattern < rate else set()


def _belongings(draws, person: set[str]) -> set[str]:
    female, back = "Female" in person, "Back" in person
    glasses, hold, hand, shoulder, backpack = (next(draws) for _ in range(5))
    found = set()
    if glasses < 0.42 and not back:
        found.add("Glasses")
    if hold < 0.16 and not back:
        found.add("HoldObjectsInFront")
    elif hand < (0.27 if female else 0.15):
        found.add("HandBag")
    kind = choose(shoulder, ShoulderBag=0.21, no=0.79)
    if kind != "no":
        found.add(kind)
    elif backpack < 0.26:
        found.add("Backpack")
    return found


def _hides_logo(person: set[str]) -> bool:
    if "Front" in person:
        return "HoldObjectsInFront" in person
    return "Back" in person and "Backpack" in person
