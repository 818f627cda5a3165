"""An attribute as a sentence, for models that compare images with texts."""

from __future__ import annotations

import re

from mmpar.structures.attribute_meanings import published_meanings
from mmpar.structures.attribute_schema import AttributeSchema

_SENTENCES = {
    "gender": "a {} person",
    "age": "a person aged {}",
    "body": "a {} person",
    "view": "a person seen from the {}",
    "hair": "a person with {} hair",
    "hair colour": "a person with {} hair",
    "accessory": "a person wearing {}",
    "sleeve": "a person wearing {} sleeves",
    "upper garment": "a person wearing {}",
    "upper pattern": "a person wearing a top with {}",
    "lower garment": "a person wearing {}",
    "lower pattern": "a person wearing trousers with {}",
    "footwear": "a person wearing {}",
    "carrying": "a person carrying {}",
    "action": "a person {}",
    "upper colour": "a person in {} on the upper body",
    "lower colour": "a person in {} on the lower body",
}
"""Facet to its sentence."""

_EXACT = {
    "hair: bald": "a bald person",
    "sleeve: none": "a person wearing a sleeveless top",
    "sleeve: short, none": "a person wearing short sleeves",
    "view: left, right": "a person seen from the side",
    "action: calling": "a person making a phone call",
    "upper pattern: plaid": "a person wearing a plaid top",
    "upper pattern: logo": "a person wearing a top with a logo",
    "upper pattern: thin stripes, thick stripes": "a person wearing a striped top",
    "lower pattern: thin stripes, thick stripes": "a person wearing striped trousers",
}
"""Values of a facet to their sentence, where the facet's does not fit."""

_WITHOUT = dict(
    accessory="a person without accessories", carrying="a person carrying nothing"
)
"""Facet to the sentence of "no VALUE, VALUE, ..."."""

_COUNTED = (
    *("hat", "scarf", "mask", "hair band", "kerchief"),
    *("T-shirt", "shirt", "sweater", "jacket", "suit", "vest", "padded coat"),
    *("short skirt", "long skirt", "dress"),
    *("backpack", "shoulder bag", "handbag", "plastic bag", "paper bag"),
    *("suitcase", "box"),
)
"""Values that are things of which there is "a" one."""


def attribute_prompts(schema: AttributeSchema) -> list[str]:
    """A sentence for each attribute, from its meaning, or else from its name.

    >>> from mmpar.structures import build_schema
    >>> prompts = attribute_prompts(build_schema("pa100k"))
    >>> prompts[2], prompts[8]
    ('a photo of a person aged 18 to 60', \
'a photo of a person wearing glasses or sunglasses')
    >>> prompts[21]  # LongCoat has no meaning in the vocabulary
    'a photo of a person, long coat'
    """
    meanings = {**published_meanings(schema.title), **schema.meanings}
    return [
        f"a photo of {_of_meaning(meanings[n]) if n in meanings else _of_name(n)}"
        for n in schema.names
    ]


def query_prompts(text: str) -> tuple[str, str]:
    """A statement about a person and its negation, as sentences.

    >>> query_prompts("carries a red umbrella")
    ('a photo of a person who carries a red umbrella', \
'a photo of a person, but not of one who carries a red umbrella')
    """
    return (
        f"a photo of a person who {text}",
        f"a photo of a person, but not of one who {text}",
    )


def _of_name(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-_ ]+", " ", name)
    return f"a person, {words.lower()}"


def _of_meaning(meaning: str) -> str:
    """The sentence of the values that are sure; of the doubtful ones, if none is."""
    facet, _, listed = meaning.partition(": ")
    if listed.startswith("no "):
        return _WITHOUT[facet]
    words = listed.split(", ")
    sure = [word for word in words if not word.endswith("?")]
    values = sure or [word.removesuffix("?") for word in words if word != "?"]
    exact = f"{facet}: {', '.join(values)}"
    if exact in _EXACT:
        return _EXACT[exact]
    if facet == "age":
        return _SENTENCES[facet].format(_years(values))
    named = (f"a {value}" if value in _COUNTED else value for value in values)
    return _SENTENCES[facet].format(" or ".join(named))


def _years(values: list[str]) -> str:
    """``['18-30', '31-45']`` are ``'18 to 45'``, ``['61+']`` is ``'61 or more'``."""
    first, last = values[0].split("-")[0], values[-1].split("-")[-1]
    if last.endswith("+"):
        return f"{first.removesuffix('+')} or more"
    return first if first == last else f"{first} to {last}"
