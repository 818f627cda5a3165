"""Published schemas have the names and order of the releases."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from mmpar.structures import SCHEMAS

DATA = Path(__file__).parents[3] / "shared/data"
SIZES = dict(
    pa100k=26,
    peta=35,
    peta105=105,
    rapv1=51,
    rapv1_92=92,
    rapv2=54,
    rapzs=53,
    upar=40,
    market1501=30,
    dukemtmc=23,
    msp60k=57,
    wider=14,
)
UNGROUPED = dict(msp60k=["Gloves"])


def test_every_schema_has_the_published_number_of_attributes():
    assert {name: len(schema) for name, schema in SCHEMAS.items()} == SIZES


@pytest.mark.parametrize("name", SIZES)
def test_every_attribute_is_in_a_group(name):
    schema = SCHEMAS[name]
    grouped = {n for members in schema.groups.values() for n in members}
    assert [n for n in schema.names if n not in grouped] == UNGROUPED.get(name, [])


@pytest.mark.parametrize("name", sorted({*SIZES} - {"wider", "dukemtmc"}))
def test_ages_are_exclusive(name):
    assert set(SCHEMAS[name].groups["age"]) in map(set, SCHEMAS[name].exclusive)


def labels_of_peta():
    matrix = loadmat(DATA / "peta/PETA.mat")["peta"][0][0][0]
    return SCHEMAS["peta105"], matrix[:, 4:]


def labels_of_pa100k():
    lines = (DATA / "pa100k/test.txt").read_text().splitlines()
    rows = [line.split()[-26:] for line in lines]
    return SCHEMAS["pa100k"], np.array(rows).astype(int)


def labels_of_persons(name, file, field):
    content = loadmat(DATA / file, struct_as_record=False, squeeze_me=True)[field]
    schema = SCHEMAS[name]
    columns = [
        [n for n in names if not n.startswith("age")] for names in schema.exclusive
    ]
    labels = np.zeros((len(content.train.image_index), len(schema)), int)
    for names in columns:
        for n in names:
            labels[:, schema.index(n)] = getattr(content.train, n) == 2
    return schema, labels


@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data")
@pytest.mark.parametrize(
    ("read", "violations"),
    [
        (labels_of_peta, 4),  # ages; the release's own flaw
        (labels_of_pa100k, 0),
        (
            lambda: labels_of_persons(
                "market1501", "market1501/market_attribute.mat", "market_attribute"
            ),
            0,
        ),
        (
            lambda: labels_of_persons(
                "dukemtmc", "dukemtmc/duke_attribute.mat", "duke_attribute"
            ),
            0,
        ),
    ],
    ids=["peta", "pa100k", "market1501", "dukemtmc"],
)
def test_exclusive_sets_are_exclusive_in_the_release(read, violations):
    schema, labels = read()
    assert labels.any()
    found = [(labels[:, s] == 1).sum(axis=1) > 1 for s in schema.exclusive_indices]
    assert np.any(found, axis=0).sum() == violations


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
