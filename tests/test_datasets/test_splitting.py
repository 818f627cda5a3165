"""A dataset is split so that no person is in two splits and labels are balanced."""

import csv

import numpy as np
import pytest

from mmpar.datasets.formats import AnnotationTable
from mmpar.datasets.splitting import split_by_person, split_tables, write_csv
from tests.fixtures.peta import real_peta

SHARES = dict(train=0.7, val=0.1, test=0.2)


def generated(num_persons=400, num_attributes=8, seed=0):
    """Labels and persons; persons have one to nine images, few have the first."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 10, num_persons)
    persons = rng.permutation(np.repeat(np.arange(num_persons), sizes))
    ratios = np.geomspace(0.01, 0.9, num_attributes)
    of_person = rng.random((num_persons, num_attributes)) < ratios
    return of_person[persons].astype(np.int8), persons


def persons_of(persons, split_of):
    return [set(persons[split_of == split].tolist()) for split in range(3)]


@pytest.mark.parametrize("seed", range(3))
def test_no_person_is_in_two_splits_and_every_image_in_one(seed):
    labels, persons = generated(seed=seed)
    split_of = split_by_person(labels, persons, list(SHARES.values()), seed)
    one, two, three = persons_of(persons, split_of)
    assert len(one) + len(two) + len(three) == len(one | two | three)
    assert one | two | three == set(persons.tolist())
    assert split_of.shape == persons.shape


@pytest.mark.parametrize("seed", range(3))
def test_sizes_and_ratios_are_those_asked_for(seed):
    labels, persons = generated(seed=seed)
    shares = np.array(list(SHARES.values()))
    split_of = split_by_person(labels, persons, shares, seed)
    sizes = np.bincount(split_of) / len(labels)
    assert np.abs(sizes - shares).max() < 0.01
    by_lot = np.random.default_rng(seed).choice(3, 400, p=shares)[persons]

    def furthest(splits):
        ratios = [labels[splits == s].mean(axis=0) for s in range(3)]
        return np.abs(np.array(ratios) - labels.mean(axis=0)).max()

    assert furthest(split_of) < 0.03
    assert furthest(split_of) < furthest(by_lot) / 2


def test_a_label_of_as_many_persons_as_splits_is_in_each():
    """Rare presence, and rare absence of a common attribute."""
    labels = np.zeros((60, 2), np.int8)
    labels[:3, 0] = 1
    labels[:, 1] = 1
    labels[30:33, 1] = 0
    for seed in range(20):
        split_of = split_by_person(labels, np.arange(60), [0.7, 0.1, 0.2], seed)
        assert set(split_of[:3]) == {0, 1, 2}
        assert set(split_of[30:33]) == {0, 1, 2}


def test_the_seed_decides_and_nothing_else():
    labels, persons = generated()
    first, again = (split_by_person(labels, persons, [2, 1, 1], 5) for _ in range(2))
    other = split_by_person(labels, persons, [2, 1, 1], 6)
    assert (first == again).all()
    assert (first != other).any()


def test_unknown_labels_count_as_neither():
    labels, persons = generated()
    unknown = np.hstack([labels, np.full((len(labels), 1), -1, np.int8)])
    one, other = (
        split_by_person(values, persons, [7, 1, 2], 3) for values in (labels, unknown)
    )
    assert np.bincount(one).tolist() == pytest.approx(
        np.bincount(other).tolist(), rel=0.02
    )


@pytest.mark.parametrize(
    ("persons", "shares", "message"),
    [
        ([0, 0, 1], [1, 1, 1], "2 persons cannot be assigned to 3 splits"),
        ([0, 1, 2], [1, 0, 1], "must be positive"),
    ],
)
def test_what_cannot_be_split_is_an_error(persons, shares, message):
    with pytest.raises(ValueError, match=message):
        split_by_person(np.zeros((3, 1), np.int8), np.array(persons), shares)


def table(persons, labels=None, paths=None):
    count = len(persons)
    paths = paths or [f"crops/{p}_{i}.jpg" for i, p in enumerate(persons)]
    labels = np.zeros((count, 1)) if labels is None else labels
    return AnnotationTable.of(paths, labels, {"person_id": np.array(persons)})


@pytest.mark.parametrize("unknown", [-1, ""])
def test_images_of_unknown_persons_are_of_different_ones(unknown):
    kind = type(unknown)
    persons = [unknown] * 30 + [kind(i) for i in range(2, 12)]
    done = split_tables([table(persons)], ["Hat"], dict(a=1, b=1))
    assert done.unnamed == 30
    assert sorted(done.split_of[:30].tolist()) != [done.split_of[0]] * 30


def test_a_pattern_finds_the_person_in_the_path():
    paths = [f"x/{person:04}_c{camera}.jpg" for person in range(9) for camera in (1, 2)]
    without = AnnotationTable.of(paths, np.zeros((18, 1)))
    with pytest.raises(ValueError, match=r"no person_id.*--person-pattern"):
        split_tables([without], ["Hat"], SHARES)
    with pytest.raises(ValueError, match="finds no person in 'x/0000_c1"):
        split_tables([without], ["Hat"], SHARES, person_pattern=r"y/(\d+)_")
    with pytest.raises(ValueError, match="no group"):
        split_tables([without], ["Hat"], SHARES, person_pattern=r"\d+")
    done = split_tables([without], ["Hat"], SHARES, person_pattern=r"x/(\d+)_")
    assert done.table.columns["person_id"][:3].tolist() == ["0000", "0000", "0001"]
    assert (done.split_of[::2] == done.split_of[1::2]).all()


def test_what_was_achieved_is_said():
    labels = np.zeros((20, 2), np.int8)
    labels[0, 0] = 1
    labels[:, 1] = -1
    done = split_tables(
        [table(list(range(20)), labels)], ["Hat", "Bag"], dict(a=3, b=1)
    )
    assert [size[:2] for size in done.sizes()] == [("a", 15), ("b", 5)]
    assert list(done.lacking()) == ["b has no positive of Hat"]
    attribute, split, there, over_all = done.furthest_ratio()
    assert (attribute, split, there, over_all) == ("Hat", "b", 0, 0.05)


def test_the_list_has_the_splits_and_all_that_was_known(tmp_path):
    labels = np.array([[1, 0], [-1, 1], [0, 0]])
    first = table(["ü1", "ü2"], labels[:2], ["a b.jpg", 'c,"d.jpg'])
    second = table(["ü3"], labels[2:], ["e.jpg"])
    done = split_tables([first, second], ["Hat", "Bag"], dict(train=1, test=1), seed=1)
    write_csv(done, tmp_path / "new/split.csv")
    header, *rows = csv.reader((tmp_path / "new/split.csv").open(encoding="utf-8"))
    assert header == ["path", "split", "person_id", "Hat", "Bag"]
    names = [("train", "test")[i] for i in done.split_of]
    assert rows == [
        ["a b.jpg", names[0], "ü1", "1", "0"],
        ['c,"d.jpg', names[1], "ü2", "", "1"],
        ["e.jpg", names[2], "ü3", "0", "0"],
    ]
    with pytest.raises(FileExistsError, match=r"split\.csv exists"):
        write_csv(done, tmp_path / "new/split.csv")


def test_the_real_peta_is_split_close_to_its_shares():
    from mmpar.datasets import PETA
    from mmpar.datasets.sources import find_parts

    parts = find_parts(PETA, data_root=str(real_peta().parent), data_prefix=".")
    tables = [part.open(find_missing=False).table for part in parts]
    done = split_tables(tables, parts[0].open(lazy_init=True).schema.names, SHARES)
    for (_, _, share, _), asked in zip(done.sizes(), SHARES.values()):
        assert share == pytest.approx(asked, abs=0.002)
    assert list(done.lacking()) == []
    *_, there, over_all = done.furthest_ratio()
    assert abs(there - over_all) < 0.01
