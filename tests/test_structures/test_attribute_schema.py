"""The attribute schema refuses what is not one and survives every way of storing it."""

import copy
import doctest
import json
import pickle

import pytest

from mmpar.structures import (
    SCHEMAS,
    AttributeSchema,
    SchemaMismatchError,
    attribute_schema,
    build_schema,
)

NAMES = ("Hat", "Bag", "Boots", "Male")
GROUPS = {"head": ("Hat",), "foot": ("Boots",)}
SCHEMA = AttributeSchema(NAMES, GROUPS, title="mine")


def test_it_keeps_names_in_order_and_groups():
    assert SCHEMA.names == NAMES
    assert dict(SCHEMA.groups) == GROUPS
    assert len(SCHEMA) == 4


@pytest.mark.parametrize(
    ("names", "groups", "match"),
    [
        ((), {}, "has no attributes"),
        (("a", "b", "a"), {}, r"repeats \['a'\]"),
        (("a",), {"head": ("b",)}, r"'head' .* names 'b'.*\['a'\]"),
        (("a",), {"head": ("a",), "foot": ("a",)}, "the groups 'head' and 'foot'"),
    ],
)
def test_what_is_no_schema_is_an_error_that_says_why(names, groups, match):
    with pytest.raises(ValueError, match=match):
        AttributeSchema(names, groups)


def test_index_is_the_position_of_a_name():
    assert [SCHEMA.index(name) for name in NAMES] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match=r"no attribute 'Hut' .*'Boots'"):
        SCHEMA.index("Hut")


def test_indices_of_groups_ascend_and_absent_groups_add_nothing():
    assert SCHEMA.indices(["foot", "head"]) == (0, 2)
    assert SCHEMA.indices(["bag"]) == ()


@pytest.mark.parametrize(
    "through",
    [
        lambda schema: build_schema(schema.to_dict()),
        lambda schema: build_schema(json.loads(json.dumps(schema.to_dict()))),
        lambda schema: pickle.loads(pickle.dumps(schema)),
        copy.deepcopy,
        build_schema,
    ],
    ids=["dict", "json", "pickle", "deepcopy", "build"],
)
@pytest.mark.parametrize("schema", [SCHEMA, SCHEMAS["pa100k"]], ids=lambda s: s.title)
def test_a_stored_schema_comes_back_equal(schema, through):
    back = through(schema)
    assert back == schema
    assert hash(back) == hash(schema)
    assert back.title == schema.title
    back.require_same(schema, "one", "the other")


def test_changing_what_it_was_made_from_does_not_change_it():
    names, groups = list(NAMES), {"head": ["Hat"]}
    schema = AttributeSchema(names, groups)  # type: ignore[arg-type]
    names.clear()
    groups["head"].append("Bag")
    groups["foot"] = ["Boots"]
    assert schema.names == NAMES
    assert dict(schema.groups) == {"head": ("Hat",)}
    schema.to_dict()["groups"]["head"].append("Bag")
    assert dict(schema.groups) == {"head": ("Hat",)}
    with pytest.raises(TypeError):
        schema.groups["foot"] = ("Boots",)  # type: ignore[index]


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (AttributeSchema(NAMES[:3], GROUPS), r"only in the first \['Male'\]"),
        (AttributeSchema((*NAMES, "Age"), GROUPS), r"only in the second \['Age'\]"),
        (AttributeSchema(NAMES[::-1], GROUPS), "the same attributes in another order"),
        (AttributeSchema(NAMES, {"head": ("Hat",)}), "in other body-region groups"),
    ],
)
def test_another_schema_is_an_error_with_both_and_the_difference(other, difference):
    with pytest.raises(SchemaMismatchError, match=difference) as caught:
        SCHEMA.require_same(other, "the model", "the checkpoint")
    text = str(caught.value)
    assert f"the model: 'mine', 4 attributes: {', '.join(NAMES)}" in text
    assert ", ".join(other.names) in text


def test_the_title_alone_makes_no_difference():
    other = AttributeSchema(NAMES, GROUPS, title="yours")
    SCHEMA.require_same(other, "one", "the other")


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ("pa10k", r"unknown attribute schema 'pa10k'; known are .*'pa100k'"),
        (dict(groups={}), r"keys 'names'.*got \['groups'\]"),
        (dict(names=["a"], group={}), r"got \['group', 'names'\]"),
        (["a", "b"], "name of a published one or a dict .* got list"),
    ],
)
def test_a_config_that_names_no_schema_is_an_error(spec, match):
    with pytest.raises(ValueError, match=match):
        build_schema(spec)


def test_pa100k_has_the_groups_of_its_published_positions():
    schema = SCHEMAS["pa100k"]
    assert len(schema) == 26
    expected = dict(
        head=range(7, 9),
        upper=range(13, 19),
        lower=range(19, 25),
        foot=range(25, 26),
        bag=range(9, 13),
        age=range(1, 4),
        gender=range(1),
        view=range(4, 7),
    )
    assert {g: schema.indices([g]) for g in schema.groups} == {
        group: tuple(positions) for group, positions in expected.items()
    }


@pytest.mark.parametrize("names", [("Hat",), ("Hat", "Hat"), ("Hat", "Cape"), ()])
def test_what_is_no_exclusive_set_is_an_error(names):
    with pytest.raises(ValueError, match=r"exclusive set .* 'mine' must be two"):
        AttributeSchema(NAMES, GROUPS, "mine", exclusive=(names,))


def test_exclusive_sets_are_stored_but_need_not_agree():
    with_sets = build_schema(
        dict(names=NAMES, groups=GROUPS, exclusive=[["Boots", "Hat"]])
    )
    assert with_sets.exclusive_indices == ((2, 0),)
    for back in (
        build_schema(with_sets.to_dict()),
        pickle.loads(pickle.dumps(with_sets)),
    ):
        assert back.exclusive == (("Boots", "Hat"),)
    old = {k: v for k, v in with_sets.to_dict().items() if k != "exclusive"}
    with_sets.require_same(build_schema(old), "the model", "an older checkpoint")


def test_members_of_a_group_are_kept_in_the_order_of_the_schema():
    schema = AttributeSchema(NAMES, {"head": ("Boots", "Hat")})
    assert schema.groups["head"] == ("Hat", "Boots")
    schema.require_same(AttributeSchema(NAMES, {"head": ("Hat", "Boots")}), "a", "b")


def test_the_example_of_the_docstring_holds():
    results = doctest.testmod(attribute_schema)
    assert results.attempted >= 3
    assert results.failed == 0
