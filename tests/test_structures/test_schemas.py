"""Published schemas have the names and order of the releases."""

from pathlib import Path

import pytest
from scipy.io import loadmat

from mmpar.structures import SCHEMAS

DATA = Path(__file__).parents[3] / "shared/data"
SIZES = {"pa100k": 26, "peta": 35, "rapv1": 51}


@pytest.mark.parametrize("name", SIZES)
def test_schema_has_the_published_number_of_attributes(name):
    assert len(SCHEMAS[name]) == SIZES[name]


@pytest.mark.parametrize("name", SIZES)
def test_every_attribute_stands_in_a_group(name):
    grouped = [n for members in SCHEMAS[name].groups.values() for n in members]
    assert sorted(grouped) == sorted(SCHEMAS[name].names)


@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data")
def test_peta_is_the_first_35_columns_of_the_release():
    names = loadmat(DATA / "peta/PETA.mat")["peta"][0][0][1]
    assert SCHEMAS["peta"].names == tuple(str(row[0][0]) for row in names[:35])


def test_rapv1_groups_are_spelled_by_their_prefix():
    groups = SCHEMAS["rapv1"].groups
    prefixes = dict(head="hs-", upper="ub-", lower="lb-", foot="shoes-", bag="attach-")
    for group, prefix in (prefixes | dict(action="action-")).items():
        expected = tuple(n for n in SCHEMAS["rapv1"].names if n.startswith(prefix))
        assert groups[group] == expected
