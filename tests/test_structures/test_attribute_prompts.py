"""Attributes as sentences."""

import pytest

from mmpar.structures import AttributeSchema, build_schema
from mmpar.structures.attribute_meanings import published_meanings
from mmpar.structures.attribute_prompts import attribute_prompts

SCHEMAS = ("pa100k", "peta", "rapv1", "rapv2", "upar", "market1501", "dukemtmc",
           "msp60k", "wider")  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
def test_attributes_of_a_dataset_have_sentences_of_their_own(name):
    schema = build_schema(name)
    prompts = attribute_prompts(schema)
    assert len(prompts) == len(schema)
    assert all(prompt.startswith("a photo of ") for prompt in prompts)
    assert not any(mark in prompt for prompt in prompts for mark in "{}?:&")
    assert len({*prompts}) == len(schema)


@pytest.mark.parametrize(
    ("schema", "name", "expected"),
    [
        ("pa100k", "AgeOver60", "a person aged 61 or more"),
        ("pa100k", "Side", "a person seen from the side"),
        ("pa100k", "Skirt&Dress", "a person wearing a short skirt or a long skirt or "
         "a dress"),
        ("peta", "accessoryNothing", "a person without accessories"),
        ("peta", "carryingSuitcase", "a person carrying a suitcase"),  # in doubt
        ("market1501", "upred", "a person in red on the upper body"),
    ],
)  # fmt: skip
def test_a_sentence_says_what_the_attribute_means(schema, name, expected):
    known = build_schema(schema)
    if name not in known.names:
        known = AttributeSchema((name,), title=known.title)
        assert name in published_meanings(known.title)
    assert attribute_prompts(known)[known.index(name)] == f"a photo of {expected}"


def test_own_attributes_may_say_what_they_mean():
    schema = AttributeSchema(
        ("A1", "HasWhiteStick"), meanings={"A1": "footwear: boots"}
    )
    assert attribute_prompts(schema) == [
        "a photo of a person wearing boots",
        "a photo of a person, has white stick",
    ]
