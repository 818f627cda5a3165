"""A card is read back as it was written, or a field of it is named."""

import json
from dataclasses import replace

import pytest

from mmpar.structures import AttributeSchema, DecisionRule, ModelCard, Preprocessing
from mmpar.structures.plain_data import to_canonical_json

SCHEMA = AttributeSchema(
    names=("Hat", "Young", "Old"),
    groups=dict(head=("Hat",), age=("Young", "Old")),
    title="two ages",
    exclusive=[("Young", "Old")],
)
CARD = ModelCard(
    name="tiny_model-1",
    schema=SCHEMA,
    regions=dict(head=dict(rows=(0, 0.5), groups=("head",)), whole=dict(rows=(0, 1))),
    model=dict(type="PARClassifier", head=dict(type="SSPNetHead", pool_grids=(1, 2))),
    preprocessing=Preprocessing(
        64, 128, "cv2", "area", (1, 2, 3), (1, 1, 1), False, True
    ),
    decision=DecisionRule(SCHEMA, dict(Hat=0.3)),
    chosen_by=dict(metric="par/mA", split="val", value=70.5, checkpoint="best.pth"),
    positive_ratio=(0.5, None, 0.25),
    training_data=dict(
        dataset="PETA",
        split="train",
        num_images=9,
        num_persons=None,
        labels_sha256="a" * 64,
    ),
    license="unknown",
    intended_use="Müßig",
    versions=dict(mmpar="1.0", torch="2.0"),
    needs_keypoints=False,
    weights_sha256="b" * 64,
    protocol="paper",
)


def test_a_card_is_read_back_from_its_one_text():
    text = CARD.to_json()
    assert ModelCard.from_json(text) == CARD
    assert ModelCard.from_json(text).to_json() == text
    assert CARD.model["head"]["pool_grids"] == [1, 2]  # plain data
    assert replace(CARD, chosen_by=None, training_data=None).chosen_by is None


def test_a_card_of_version_1_does_not_know_its_protocol():
    card = replace(CARD, protocol=None, format_version=1)
    assert "protocol" not in card.to_dict()
    assert ModelCard.from_json(card.to_json()) == card
    with pytest.raises(ValueError, match=r"has the unknown \['protocol'\]"):
        ModelCard.from_dict(dict(card.to_dict(), protocol="paper"))


@pytest.mark.parametrize(
    ("field", "value", "match"),
    [
        ("format_version", 3, "format_version is 3; this mmpar reads 1 to 2. Update"),
        ("format_version", 0, "format_version is 0; this mmpar reads 1 to 2. Update"),
        ("format_version", 1, "protocol is 'paper', expected one of .None,"),
        ("protocol", "honest", "protocol is 'honest', expected one of"),
        ("name", "../x", "name is '../x'"),
        ("regions", dict(a=dict(rows=[0, 2])), "regions: region 'a' has rows"),
        ("regions", dict(a=dict(rows=[0, 1], sort=1)), "regions: .*sort"),
        (
            "regions",
            dict(a=dict(rows=[0, 1], groups=["head"])),
            "regions: .*read by 0 regions",
        ),
        ("model", dict(type="A"), "model.head is None"),
        ("model", dict(head=dict(init_cfg={})), r"model\.head\.init_cfg: .*without it"),
        (
            "model",
            dict(head={}, backbone=dict(stages=[dict(pretrained="http://x")])),
            r"model\.backbone\.stages\[0\]\.pretrained",
        ),
        ("model", dict(head={}, regions={}), "model.regions is given twice.*regions"),
        ("model", dict(head=dict(schema="peta")), "model.head.schema is given twice"),
        ("model", dict(head=dict(loss=object())), r"model\.head\.loss is <object"),
        ("decision", DecisionRule(AttributeSchema(("A",))), "decision is for other"),
        ("chosen_by", dict(metric="mA"), r"chosen_by lacks \['split', 'value', 'che"),
        ("chosen_by", {**(CARD.chosen_by or {}), "value": True}, "chosen_by.value is"),
        ("positive_ratio", (0.5,), "positive_ratio has 1 values for the 3"),
        ("positive_ratio", (0.5, 1.5, None), "positive_ratio of 'Young' is 1.5"),
        (
            "training_data",
            {**(CARD.training_data or {}), "num_persons": 10},
            "num_images is 9 and num_persons 10",
        ),
        (
            "training_data",
            {**(CARD.training_data or {}), "labels_sha256": "A" * 64},
            "training_data.labels_sha256 is",
        ),
        ("license", None, "license is None, expected str"),
        ("versions", dict(mmpar="", torch="2"), "versions.mmpar is empty"),
        ("needs_keypoints", 0, "needs_keypoints is 0, expected bool"),
        ("weights_sha256", "b" * 63, "weights_sha256 is"),
    ],
)
def test_a_field_that_is_wrong_or_contradicts_another_is_named(field, value, match):
    with pytest.raises(ValueError, match=match):
        replace(CARD, **{field: value})


def test_a_missing_or_unknown_field_is_named():
    data = CARD.to_dict()
    for field in data:
        without = {name: value for name, value in data.items() if name != field}
        with pytest.raises(ValueError, match=field):
            ModelCard.from_dict(without)
    with pytest.raises(ValueError, match=r"has the unknown \['author'\]"):
        ModelCard.from_dict({**data, "author": "me"})


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda text: text.replace("70.5", "90.5"), "was changed or is damaged"),
        (lambda text: text.replace("70.5", "70.50"), "not in its one form"),
        (lambda text: text.replace("70.5", "NaN"), "NaN is not a number of JSON"),
        (lambda text: text.replace(",", ", ", 1), "not in its one form"),
        (lambda text: text[:-1], "not valid JSON"),
        (lambda text: text + "\n", "not in its one form"),
        (lambda text: text[:-1] + ',"sha256":"0"}', r"repeated keys \['sha256'\]"),
        (lambda text: text[:-1] + ',"more":0}', r"the unknown \['more'\]"),
        (lambda text: "[" * 100_000, "nested too deep|not valid JSON"),
        (lambda text: "[]", r"the card's text is \[\], expected a dict"),
        (lambda text: " " * 2**20 + text, "more than 1,048,576 bytes"),
        (
            lambda text: to_canonical_json(
                dict(json.loads(text), card=dict(format_version=3))
            ),
            "was changed or is damaged",
        ),
    ],
)
def test_another_text_is_refused(change, match):
    with pytest.raises(ValueError, match=match):
        ModelCard.from_json(change(CARD.to_json()))
