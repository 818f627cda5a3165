"""Regions give the published rows, and every attribute is read exactly once."""

import itertools
from pathlib import Path

import pytest
from mmengine.config import Config

from mmpar.structures import (
    SCHEMAS,
    AttributeSchema,
    Region,
    assign_attributes,
    build_regions,
)

ALL = dict(level=1, rows=(0, 1))
SHIPPED = ("head", "torso", "bottom", "whole")
CONFIG = Path(__file__).parents[2] / "configs/_base_/models/sspnet_r50.py"
SCHEMA = AttributeSchema(
    names=("Bag", "Hat", "Boots", "Coat"),
    groups={"head": ("Hat",), "upper": ("Coat",), "foot": ("Boots",)},
    title="mine",
)


def sspnet_rows(image_height):
    """Region to (first row, one past the last, rows of its level)."""
    rows = {}
    for region in build_regions(Config.fromfile(CONFIG).model.regions):
        height = image_height // 2 ** (region.level + 1)
        rows[region.name] = (*region.row_range(height), height)
    return rows


def test_an_image_of_256_rows_gives_the_rows_of_the_released_code():
    assert sspnet_rows(256) == {
        "head": (0, 24, 64),
        "torso": (4, 20, 32),
        "bottom": (16, 32, 32),
        "whole": (0, 16, 16),
    }


def test_other_sizes_give_the_same_fractions():
    assert sspnet_rows(128) == {
        "head": (0, 12, 32),
        "torso": (2, 10, 16),
        "bottom": (8, 16, 16),
        "whole": (0, 8, 8),
    }
    assert sspnet_rows(384)["torso"] == (6, 30, 48)


@pytest.mark.parametrize("height", range(1, 40))
def test_a_region_keeps_a_row_on_any_map_and_stays_inside(height):
    for rows in [(0, 0.01), (0.99, 1), (0.49, 0.5), (0, 1), (0.3, 0.31)]:
        start, stop = Region("x", rows).row_range(height)
        assert 0 <= start < stop <= height


def test_regions_read_their_groups_and_one_reads_the_rest():
    spec = dict(
        top=dict(level=1, rows=(0, 0.5), groups=("upper", "head")),
        rest=dict(level=2, rows=[0, 1]),
    )
    assigned = assign_attributes(build_regions(spec), SCHEMA)
    assert assigned == dict(top=(1, 3), rest=(0, 2))


def test_a_region_reads_the_attributes_that_it_names_beside_its_groups():
    spec = dict(
        rest=dict(rows=(0, 1)),
        boots=dict(rows=(0.5, 1), attributes=["Boots"]),
        top=dict(rows=(0, 0.5), groups=("head",), attributes=("Bag", "Hat")),
    )
    assigned = assign_attributes(build_regions(spec), SCHEMA)
    assert assigned == dict(rest=(3,), boots=(2,), top=(0, 1))


def test_a_named_attribute_that_the_schema_lacks_is_an_error():
    region = Region("x", (0, 1), attributes=("Cape",))
    with pytest.raises(ValueError, match=r"no attribute 'Cape' .*'Bag', 'Hat'"):
        assign_attributes([region], SCHEMA)


def test_keypoints_of_a_region_are_found_in_cocos_order():
    assert Region("x", (0, 1)).keypoint_indices == tuple(range(17))
    ankles = Region("x", (0, 1), keypoints=["right_ankle", "left_ankle"])
    assert ankles.keypoint_indices == (16, 15)


@pytest.mark.parametrize("names", [("toe",), (), ("nose", "nose")])
def test_keypoints_that_coco_lacks_or_repeats_are_errors(names):
    with pytest.raises(ValueError, match=r"'x' has the keypoints .*'left_ankle'"):
        Region("x", (0, 1), keypoints=names)


def test_one_name_that_is_no_list_is_an_error():
    with pytest.raises(ValueError, match=r"groups of region 'x' is the string 'head'"):
        Region("x", (0, 1), groups="head")


def test_pa100k_splits_as_published():
    regions = build_regions(Config.fromfile(CONFIG).model.regions)
    assigned = assign_attributes(regions, SCHEMAS["pa100k"])
    read = sorted(i for indices in assigned.values() for i in indices)
    assert read == list(range(26))
    assert len(assigned["head"]) == 2


@pytest.mark.parametrize("names", [*itertools.permutations(SHIPPED)])
def test_regions_have_one_order_which_is_that_of_the_shipped_configs(names):
    spec = Config.fromfile(CONFIG).model.regions
    regions = build_regions({name: spec[name] for name in names})
    assert tuple(region.name for region in regions) == SHIPPED


def test_regions_of_the_same_rows_are_in_the_order_of_their_names():
    spec = dict(b=dict(rows=(0, 1)), a=dict(rows=(0, 1)), c=dict(rows=(0.5, 1)))
    assert [region.name for region in build_regions(spec)] == ["c", "a", "b"]


def test_a_region_without_an_attribute_reads_nothing():
    spec = dict(a=ALL, b=dict(**ALL, groups=("shoe",)))
    assert assign_attributes(build_regions(spec), SCHEMA) == dict(a=(0, 1, 2, 3))
    spec = dict(
        a=dict(**ALL, groups=("head", "upper", "foot"), attributes=["Bag"]), b=ALL
    )
    assert assign_attributes(build_regions(spec), SCHEMA) == dict(a=(0, 1, 2, 3))


@pytest.mark.parametrize("name", ["", "0", "upper.body"])
def test_a_name_that_weights_cannot_be_stored_under_is_an_error(name):
    with pytest.raises(ValueError, match=rf"a region is called '{name}'"):
        Region(name, (0, 1))


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        (dict(level=0, rows=(0, 1)), r"'x' has level 0; levels start at 1"),
        (dict(level=1, rows=(0.5, 0.5)), r"'x' has rows \(0\.5, 0\.5\); .*fractions"),
        (dict(level=1, rows=(-0.1, 0.5)), "fractions of the image height"),
        (dict(level=1, rows=(0, 24)), "fractions of the image height"),
    ],
)
def test_a_band_that_is_none_is_an_error(fields, match):
    with pytest.raises(ValueError, match=match):
        Region("x", **fields)


def test_no_region_is_an_error():
    with pytest.raises(ValueError, match="at least one region"):
        build_regions({})


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        (dict(a=dict(**ALL, groups=("head",))), "'Bag' .*'mine' is read by 0 regions"),
        (dict(a=ALL, b=ALL), "'Bag' .* is read by 2 regions"),
        (
            dict(
                a=ALL, b=dict(**ALL, groups=("head",)), c=dict(**ALL, groups=["head"])
            ),
            "'Hat' .* is read by 2 regions",
        ),
    ],
)
def test_attributes_not_read_once_are_errors(spec, match):
    with pytest.raises(ValueError, match=match):
        assign_attributes(build_regions(spec), SCHEMA)
