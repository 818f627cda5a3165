"""RAPv1, RAPv2 and RAPzs are read from files in their releases' nesting."""

import numpy as np
import pytest
import scipy.io

from mmpar.datasets import RAPv1, RAPv2, RAPzs
from mmpar.structures import SCHEMAS
from tests.fixtures.easydict_pickles import write_easydict
from tests.fixtures.rap import (
    rap_names,
    rapv2_attributes,
    write_rapv1_release,
    write_rapv2_release,
)

COUNT = 30


@pytest.fixture(scope="module")
def rapv1(tmp_path_factory):
    return write_rapv1_release(tmp_path_factory.mktemp("rapv1"), COUNT)


@pytest.fixture(scope="module")
def rapv2(tmp_path_factory):
    return write_rapv2_release(tmp_path_factory.mktemp("rapv2"), COUNT)


def raw(root):
    """The struct as SciPy gives it, indexed as published scripts do."""
    return scipy.io.loadmat(root / "RAP_annotation/RAP_annotation.mat")[
        "RAP_annotation"
    ]


def label(value, of_uncertain):
    return of_uncertain if value == 2 else value


@pytest.mark.parametrize(("uncertain", "value"), [("unknown", -1), ("absent", 0)])
@pytest.mark.parametrize("split", ["trainval", "test"])
def test_rapv1_rows_labels_and_names_are_the_releases(rapv1, split, uncertain, value):
    found = RAPv1(data_root=str(rapv1), split=split, partition=3, uncertain=uncertain)
    data = raw(rapv1)[0][0]
    part = 0 if split == "trainval" else 1
    rows = (data[0][3][0][0][0][part][0, :] - 1).tolist()
    assert list(found.table.paths) == [data[5][r][0][0] for r in rows]
    expected = [[label(int(v), value) for v in data[1][r][:51]] for r in rows]
    assert found.get_labels().tolist() == expected
    assert found.get_labels().min() == min(value, 0)
    assert [data[3][i][0][0] for i in range(51)] == list(found.schema.names)


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_rapv2_rows_labels_and_names_are_the_releases(rapv2, split):
    found = RAPv2(data_root=str(rapv2), split=split, partition=2)
    data = raw(rapv2)
    cell = data["partition_attribute"][0][0][0][2]
    rows = (cell[f"{split}_index"][0][0][0] - 1).tolist()
    selected = (data["selected_attribute"][0][0][0] - 1).tolist()
    names = [data["attribute"][0][0][i][0][0] for i in selected]
    assert names == list(found.schema.names)
    assert list(found.table.paths) == [data["name"][0][0][r][0][0] for r in rows]
    labels = data["data"][0][0]
    expected = [[label(int(labels[r, i]), -1) for i in selected] for r in rows]
    assert found.get_labels().tolist() == expected


def test_all_attributes_of_the_file_can_be_used(rapv1, rapv2):
    dataset = RAPv2(data_root=str(rapv2), split="val", schema="all")
    assert list(dataset.schema.names) == rapv2_attributes()[:120]
    assert dataset.get_labels().shape == (6, 120)
    assert len(RAPv1(data_root=str(rapv1), split="test", schema="all").schema) == 92
    dataset = RAPv1(data_root=str(rapv1), split="test", schema="rapv1_92")
    assert dataset.get_labels().shape == (6, 92)


def test_uncertain_labels_count_neither_as_present_nor_absent(rapv1):
    dataset = RAPv1(data_root=str(rapv1), split="test")
    labels = dataset.get_labels().astype(int).tolist()
    for a, ratio in enumerate(dataset.positive_ratios()):
        known = [row[a] for row in labels if row[a] != -1]
        assert ratio == sum(known) / len(known)


def test_the_camera_comes_from_the_name(rapv1):
    info = RAPv1(data_root=str(rapv1), split="test").get_data_info(0)
    assert f"CAM{info['camera']:02}-" in info["img_path"]


def test_rapv2s_persons_are_kept_and_unnamed_ones_are_unknown(rapv2, tmp_path):
    written = raw(rapv2)["person_identity"][0][0].ravel()
    assert {-2, -1} < set(written.tolist())
    for split in ("train", "test"):
        dataset = RAPv2(data_root=str(rapv2), split=split)
        rows = [rap_names(COUNT).index(path) for path in dataset.table.paths]
        for i, row in enumerate(rows):
            expected = written[row] if written[row] > 0 else -1
            assert dataset.get_data_info(i)["person_id"] == expected
    write_rapv2_release(tmp_path, COUNT, person_identity=None)
    info = RAPv2(data_root=str(tmp_path), split="test").get_data_info(0)
    assert "person_id" not in info


def test_persons_of_the_first_images_only_leave_the_others_unknown(tmp_path):
    write_rapv2_release(tmp_path, COUNT, person_identity=np.arange(1, 11)[:, None])
    dataset = RAPv2(data_root=str(tmp_path), split="train")
    rows = [rap_names(COUNT).index(path) for path in dataset.table.paths]
    expected = [row + 1 if row < 10 else -1 for row in rows]
    assert dataset.table.columns["person_id"].tolist() == expected
    write_rapv2_release(tmp_path, COUNT, person_identity=np.ones((COUNT + 1, 1)))
    with pytest.raises(ValueError, match="person_identity: 31 entries"):
        RAPv2(data_root=str(tmp_path), split="train")


def test_a_rapv2_without_its_box_numbers_is_an_error(tmp_path):
    write_rapv2_release(tmp_path, COUNT, data=np.zeros((COUNT, 120), np.uint8))
    with pytest.raises(ValueError, match=r"shape \(30, 120\), expected 152"):
        RAPv2(data_root=str(tmp_path), split="train")


def test_a_word_for_uncertain_that_is_none_is_an_error(rapv1):
    with pytest.raises(ValueError, match="'unknown' or 'absent', got 'present'"):
        RAPv1(data_root=str(rapv1), split="test", uncertain="present")


def test_one_releases_file_given_to_the_other_class_is_an_error(rapv1, rapv2):
    with pytest.raises(ValueError, match=r"RAP_annotation has the fields.*RAPv2's"):
        RAPv1(data_root=str(rapv2), split="test")
    with pytest.raises(ValueError, match=r"RAPv2's has name.*is it RAPv1's\?"):
        RAPv2(data_root=str(rapv1), split="test")


def test_fewer_labels_than_attributes_is_an_error(tmp_path):
    write_rapv1_release(tmp_path, COUNT, label=np.zeros((COUNT, 91), np.uint8))
    with pytest.raises(ValueError, match=r"\(30, 91\), expected \(30, 92\)"):
        RAPv1(data_root=str(tmp_path), split="test")


def zero_shot(root, run):
    """As the Strong Baseline writes it: 119 attributes, one partition a file."""
    rng = np.random.default_rng(run)
    names = [*SCHEMAS["rapv2"].names, *(f"more{i}" for i in range(65))]
    order = rng.permutation(COUNT)
    entries = dict(
        description="rap2",
        root="/elsewhere/RAP2/RAP_dataset",
        image_name=rap_names(COUNT),
        label=rng.integers(0, 3, (COUNT, 119)).astype(np.uint8),
        attr_name=names,
        label_idx=dict(eval=list(range(53)), color=[], extra=[]),
        partition=dict(
            train=order[:10], val=order[10:15], trainval=order[:15], test=order[15:]
        ),
        weight_train=[np.zeros(119, np.float32)],
    )
    write_easydict(root / f"dataset_zs_run{run}.pkl", entries)
    return entries


def test_rapzs_takes_each_partition_from_its_own_file(tmp_path):
    (tmp_path / "RAP_dataset").mkdir()
    for name in rap_names(COUNT):
        (tmp_path / "RAP_dataset" / name).touch()
    written = [zero_shot(tmp_path, run) for run in range(5)]
    for run, entries in enumerate(written):
        for split, rows in entries["partition"].items():
            dataset = RAPzs(data_root=str(tmp_path), split=split, partition=run)
            assert len(dataset.schema) == 53
            assert list(dataset.table.paths) == [rap_names(COUNT)[r] for r in rows]
            keep = [i for i in range(54) if SCHEMAS["rapv2"].names[i] != "Age46-60"]
            expected = [
                [label(int(entries["label"][r, i]), -1) for i in keep] for r in rows
            ]
            assert dataset.get_labels().tolist() == expected
