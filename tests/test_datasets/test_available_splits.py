"""A class says which splits and partitions an annotation file gives."""

import json

import numpy as np
import pytest

from mmpar.datasets import (
    MSP60K,
    PA100K,
    PETA,
    Market1501Attribute,
    PETAzs,
    RAPv1,
    WIDERAttribute,
)
from mmpar.datasets.preparing import prepare
from mmpar.structures import SCHEMAS
from tests.fixtures.common_pickle import common_entries, write_common
from tests.fixtures.pa100k import generated_rows, write_pa100k_release
from tests.fixtures.peta import write_peta_release
from tests.fixtures.rap import write_rapv1_release
from tests.fixtures.wider import generated_persons, write_wider_release
from tests.test_datasets.test_reid_attributes import market

NAMES = [f"{i:05}.jpg" for i in range(20)]


def pickled(root, file, kind, partition=None):
    entries = common_entries(SCHEMAS[kind.SCHEMA], NAMES)
    if partition is not None:
        entries["partition"] = partition
    return write_common(root / file, entries)


def test_of_releases_own_files(tmp_path):
    root = write_peta_release(tmp_path / "peta", 40)
    five = [0, 1, 2, 3, 4]
    assert PETA.available_splits(data_root=str(root)) == dict(
        train=five, val=five, test=five, trainval=five
    )
    root = write_rapv1_release(tmp_path / "rapv1", 20)
    found = RAPv1.available_splits(data_root=str(root))
    assert found == dict(trainval=five, test=five)


def test_no_image_is_needed(tmp_path):
    rows = {"test": generated_rows(3)}
    root = write_pa100k_release(tmp_path, rows, image_size=None)
    assert PA100K.available_splits(data_root=str(root)) == dict(test=[0])


def test_of_identities_those_with_a_folder_of_boxes(tmp_path):
    root = market(tmp_path)
    assert set(Market1501Attribute.available_splits(data_root=root)) == {
        "train",
        "trainval",
        "test",
        "query",
    }
    (tmp_path / "query").rename(tmp_path / "queries")
    found = Market1501Attribute.available_splits(data_root=root)
    assert set(found) == {"train", "trainval", "test"}


def test_wider_has_a_file_for_each_part(tmp_path):
    trainval = [*generated_persons("train", 3, 0), *generated_persons("val", 2, 1)]
    write_wider_release(tmp_path, trainval, generated_persons("test", 2, 2))
    found = WIDERAttribute.available_splits(data_root=str(tmp_path))
    assert found == dict(train=[0], val=[0], trainval=[0], test=[0])
    one = dict(data_root=str(tmp_path), ann_file="wider_attribute_test.json")
    assert WIDERAttribute.available_splits(**one) == dict(test=[0])


def test_each_zero_shot_file_that_is_there_is_a_partition(tmp_path):
    for number in (0, 3):
        pickled(tmp_path, f"dataset_zs_run{number}.pkl", PETAzs)
    found = PETAzs.available_splits(data_root=str(tmp_path))
    assert found == {s: [0, 3] for s in ("train", "val", "trainval", "test")}
    one = dict(data_root=str(tmp_path), ann_file="dataset_zs_run3.pkl", partition=3)
    assert PETAzs.available_splits(**one)["val"] == [3]
    with pytest.raises(FileNotFoundError, match=r"dataset_zs_run0\.pkl"):
        PETAzs.available_splits(data_root=str(tmp_path / "elsewhere"))


def test_of_a_pickle_what_its_partition_has(tmp_path):
    partition = dict(trainval=np.arange(12), test=np.arange(12, 20))
    pickled(tmp_path, "scenes.pkl", MSP60K, partition)
    one = dict(data_root=str(tmp_path), ann_file="scenes.pkl")
    assert MSP60K.available_splits(**one) == dict(trainval=[0], test=[0])


def test_splits_that_were_not_published_are_read_where_a_file_has_them(tmp_path):
    (tmp_path / "RAP_datasets").mkdir()
    for name in NAMES:
        (tmp_path / "RAP_datasets" / name).touch()
    pickled(tmp_path, "own.pkl", RAPv1)
    one = dict(data_root=str(tmp_path), ann_file="own.pkl")
    assert set(RAPv1.available_splits(**one)) == {"train", "val", "trainval", "test"}
    assert len(RAPv1(split="val", **one)) == 5


def test_a_split_that_the_file_lacks_is_an_error_that_lists_those_it_has(tmp_path):
    root = str(write_rapv1_release(tmp_path / "rapv1", 20))
    with pytest.raises(ValueError, match=r"\['test', 'trainval'\], got split='val'"):
        RAPv1(data_root=root, split="val")
    with pytest.raises(ValueError, match=r"'train', .*'query'\], got split='val'"):
        Market1501Attribute(data_root=market(tmp_path), split="val")
    with pytest.raises(ValueError, match=r"'trainval', 'test'\], got split='dev'"):
        RAPv1(data_root=root, split="dev")


def test_of_a_prepared_file_its_parts(tmp_path):
    root = str(write_peta_release(tmp_path, 40))
    file = prepare(PETA, [1, 3], root, split="train", data_root=root)
    one = dict(data_root=root, ann_file=str(file))
    assert PETA.available_splits(**one) == dict(train=[1, 3])
    content = json.loads(file.read_text())
    content["data_list"].append({**content["data_list"][-1], "split": "val"})
    file.write_text(json.dumps(content))
    found = PETA.available_splits(**one)
    assert found == dict(train=[1, 3], val=[3], trainval=[3])


@pytest.mark.parametrize(
    ("name", "text"), [("a.txt", "a.jpg 0"), ("a.csv", "path,Hat\na.jpg,0\n")]
)
def test_a_list_of_one_split_does_not_say_which(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert PETA.available_splits(data_root=str(tmp_path), ann_file=name) == {}
