"""Each dataset is read from the common pickled form; UPAR's has sources."""

import pickle

import numpy as np
import pytest

from mmpar.datasets import (
    MSP60K,
    PA100K,
    PETA,
    UPAR,
    DukeMTMCAttribute,
    Market1501Attribute,
    PETAzs,
    RAPv1,
    RAPv2,
    RAPzs,
)
from mmpar.datasets.formats.pickles import read_common_pickle
from mmpar.structures import SCHEMAS
from tests.fixtures.common_pickle import common_entries, write_common

IMAGES = [f"{i:05}.png" for i in range(20)]
CLASSES = [MSP60K, PA100K, PETA, RAPv1, RAPv2, DukeMTMCAttribute, Market1501Attribute]


def without_images(cls):
    """The class, not looking for images."""
    return type(
        cls.__name__,
        (cls,),
        dict(IMAGE_DIRS=(), find_missing=lambda self, table: np.empty(0, int)),
    )


def rows_of(dataset):
    return list(zip(dataset.table.paths, dataset.get_labels().tolist()))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("partition", [0, 3])
def test_every_class_reads_the_common_form(tmp_path, cls, partition):
    entries = common_entries(SCHEMAS[cls.SCHEMA], IMAGES, partitions=5)
    path = write_common(tmp_path / "dataset_all.pkl", entries)
    for split in ("trainval", "test"):
        rows = entries["partition"][split][partition].tolist()
        dataset = without_images(cls)(
            ann_file=str(path), split=split, partition=partition
        )
        assert rows_of(dataset) == [
            (IMAGES[row], entries["label"][row].tolist()) for row in rows
        ]


@pytest.mark.parametrize("cls", [*CLASSES, UPAR], ids=lambda cls: cls.__name__)
def test_every_class_reads_a_text_list(tmp_path, cls):
    schema = SCHEMAS[cls.SCHEMA]
    row = [i % 2 for i in range(len(schema))]
    (tmp_path / "list.txt").write_text(f"a/b.png {' '.join(map(str, row))}\n")
    dataset = without_images(cls)(ann_file=str(tmp_path / "list.txt"), split="test")
    assert rows_of(dataset) == [("a/b.png", row)]


def test_petazs_takes_each_partition_from_its_own_file(tmp_path):
    for run in range(5):
        entries = common_entries(SCHEMAS["peta105"], IMAGES, seed=run)
        write_common(tmp_path / f"dataset_zs_run{run}.pkl", entries)
        for split, rows in entries["partition"].items():
            dataset = without_images(PETAzs)(
                data_root=str(tmp_path), split=split, partition=run
            )
            assert len(dataset.schema) == 35
            assert rows_of(dataset) == [
                (IMAGES[row], entries["label"][row, :35].tolist()) for row in rows
            ]


def test_a_sixth_zero_shot_file_is_looked_for_and_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"dataset_zs_run5\.pkl"):
        RAPzs(data_root=str(tmp_path), split="test", partition=5)


@pytest.mark.parametrize("cls", [PETAzs, RAPzs], ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("schema", [None, "all"])
def test_the_release_whose_partitions_share_persons_is_refused(tmp_path, cls, schema):
    (tmp_path / "release.mat").touch()
    with pytest.raises(ValueError, match=r"release\.mat.*dataset_zs_run0\.pkl"):
        cls(
            data_root=str(tmp_path),
            ann_file="release.mat",
            split="test",
            partition=3,
            schema=schema,
        )


def test_the_pickle_of_partitions_that_share_persons_is_refused(tmp_path):
    entries = common_entries(SCHEMAS["peta"], IMAGES, partitions=5)
    path = write_common(tmp_path / "dataset_all.pkl", entries)
    with pytest.raises(ValueError, match=r"_all\.pkl.*dataset_zs_run0\.pkl"):
        without_images(PETAzs)(ann_file=str(path), split="test")


# --- UPAR -----------------------------------------------------------------------------

SOURCES = ["PA100k/data/1.jpg", "PETA/images/1.png", "RAP2/x.png", "Market1501/y.jpg"]


def upar_entries():
    images = [f"{name[:-4]}{i}{name[-4:]}" for i in range(15) for name in SOURCES]
    entries = common_entries(SCHEMAS["upar"], images)
    domains = np.arange(60) % 4
    entries["dataset_ids"] = domains
    partitions = {}
    for split, rows in entries["partition"].items():
        by_source = [rows[domains[rows] == d] for d in range(4)]
        leave_one_out = [by_source[0]] if split == "test" else by_source[1:]
        partitions[split] = [by_source, leave_one_out]
    entries["partition"] = partitions
    return entries


@pytest.mark.parametrize("partition", [0, 1])
@pytest.mark.parametrize("split", ["train", "val", "trainval", "test"])
def test_upar_joins_the_rows_of_each_source_and_keeps_its_number(
    tmp_path, split, partition
):
    entries = upar_entries()
    (tmp_path / "UPAR").mkdir()
    write_common(tmp_path / "UPAR/dataset_all.pkl", entries)
    for name in entries["image_name"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    dataset = UPAR(data_root=str(tmp_path), split=split, partition=partition)
    rows = [row for part in entries["partition"][split][partition] for row in part]
    assert rows_of(dataset) == [
        (entries["image_name"][row], entries["label"][row].tolist()) for row in rows
    ]
    assert [dataset.get_data_info(i)["domain"] for i in range(len(rows))] == [
        row % 4 for row in rows
    ]
    assert dataset.get_data_info(0)["img_path"] == (
        f"{tmp_path}/{entries['image_name'][rows[0]]}"
    )


def test_the_challenges_csv_is_read_with_the_source_as_domain(tmp_path):
    labels = np.random.default_rng(0).integers(0, 2, (4, 40)).tolist()
    lines = [",".join(["# image", *SCHEMAS["upar"].names])]
    lines += [",".join([p, *map(str, row)]) for p, row in zip(SOURCES, labels)]
    (tmp_path / "train.csv").write_text("\n".join(lines))
    for name in SOURCES:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    dataset = UPAR(data_root=str(tmp_path), ann_file="train.csv", split="train")
    assert rows_of(dataset) == list(zip(SOURCES, labels))
    domains = [dataset.get_data_info(i)["domain"] for i in range(4)]
    assert domains == ["PA100k", "PETA", "RAP2", "Market1501"]
    with pytest.raises(ValueError, match=r"train\.csv: the list has one partition"):
        UPAR(data_root=str(tmp_path), ann_file="train.csv", split="train", partition=1)


@pytest.mark.parametrize("empty", [[], np.empty(0)])
def test_one_of_several_partitions_may_be_empty(tmp_path, empty):
    entries = common_entries(SCHEMAS["peta"], IMAGES)
    entries["partition"] = dict(val=[empty, [3, 1]])
    path = write_common(tmp_path / "x.pkl", entries)
    found = read_common_pickle(str(path)).partitions
    assert [rows.tolist() for rows in found["val"].values()] == [[], [3, 1]]


# --- faults ---------------------------------------------------------------------------


LACKING = object()


def faulty(**changes):
    entries = common_entries(SCHEMAS["peta"], IMAGES)
    entries.update(changes)
    return {name: value for name, value in entries.items() if value is not LACKING}


GOOD = common_entries(SCHEMAS["peta"], IMAGES)
FAULTS = {
    "no names": (
        dict(attr_name=LACKING),
        r"it lacks \['attr_name or .*'\]; it has \['descr",
    ),
    "missing column": (
        dict(label=GOOD["label"][:, 1:]),
        r"shape \(20, 34\), expected \(20, 35\)",
    ),
    "missing row": (
        dict(image_name=IMAGES[1:], partition=dict(test=[0])),
        r"\(20, 35\), expected \(19, 35\)",
    ),
    "past the end": (
        dict(partition=dict(test=np.array([3, 20]))),
        r"partition\.test: entry 2 is the row 20; there are 20 rows, numbered from 0 "
        "to 19",
    ),
    "endless range": (
        dict(partition=dict(test=range(10**15))),
        r"unfolds to far more entries",
    ),
    "list for partition": (
        dict(partition=[np.arange(3)]),
        "partition is a list, expected a dict of split to row numbers",
    ),
    "one row": (dict(partition=dict(test=3)), r"partition\.test: expected row numbers"),
    "one row in an array": (
        dict(partition=dict(test=np.array(3))),
        r"partition\.test: expected row numbers, got '3'",
    ),
    "text for rows": (dict(partition=dict(test="x")), "expected row numbers, got 'x'"),
    "fewer sources": (
        dict(dataset_ids=np.zeros((19, 1), int)),
        "dataset_ids has 19 entries, image_name 20",
    ),
    "ragged rows": (
        dict(partition=dict(test=[[[1], [2]], [[1], [[2], [3, 4]]]])),
        r"partition\.test\[1\]: the lists in it differ in length",
    ),
    "ragged labels": (
        dict(label=[[0, 1], [0]]),
        "label: the lists in it differ in length",
    ),
    "a number for names": (
        dict(image_name=5),
        "image_name: expected a list of names as text",
    ),
    "a name of bytes": (
        dict(attr_name=[*GOOD["attr_name"][1:], b"x"]),
        "attr_name: expected a list of names as text, found \"b'x'\"",
    ),
    "no partition": (
        dict(partition=None),
        "partition is a NoneType, expected a dict of split to row numbers",
    ),
    "no such split": (
        dict(partition=dict(train=np.arange(3))),
        r"has the splits \['train'\], got split='test'",
    ),
    "an empty split": (
        dict(partition=dict(train=np.arange(3), test=[])),
        r"has the splits \['train'\], got split='test'",
    ),
    "odd label": (
        dict(label=GOOD["label"] + np.uint8(3)),
        "attribute 'personalLess30' has the label",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_pickle_is_an_error_that_says_what(tmp_path, fault):
    changes, match = FAULTS[fault]
    path = write_common(tmp_path / "x.pkl", faulty(**changes))
    with pytest.raises(ValueError, match=r"x\.pkl.*" + match):
        without_images(PETA)(ann_file=str(path), split="test")


def test_a_form_that_a_class_does_not_know_is_an_error(tmp_path):
    (tmp_path / "x.csv").write_text("path,a\n")
    with pytest.raises(ValueError, match=r"x\.csv lacks the attributes \['Age-Young'"):
        without_images(UPAR)(ann_file=str(tmp_path / "x.csv"), split="test")
    with pytest.raises(
        ValueError, match=r"x\.bin: MSP60K is read from files that end in"
    ):
        without_images(MSP60K)(ann_file=str(tmp_path / "x.bin"), split="test")


@pytest.mark.parametrize(("kind", "value"), [(UPAR, None), (RAPv2, -1)])
def test_a_pickle_is_read_by_label_map(tmp_path, kind, value):
    content = dict(
        image_name=["a.jpg", "b.jpg", "c.jpg"],
        label=np.array([[1, -1], [-1, 1], [0, 2]]),
        attr_name=["Hat", "Boots"],
        partition=dict(train=[0, 1, 2]),
    )
    file = tmp_path / "all.pkl"
    file.write_bytes(pickle.dumps(content))
    config = dict(
        ann_file=str(file),
        split="train",
        schema=dict(names=["Hat", "Boots"]),
        lazy_init=True,
    )
    config["data_prefix"] = str(tmp_path)
    dataset = kind(label_map={-1: 0, 2: 1}, **config)
    assert dataset.load_annotations().labels.tolist() == [[1, 0], [0, 1], [0, 1]]
    if value is not None:  # RAP's own coding of 2 holds where label_map does not say
        dataset = kind(label_map={-1: 0}, **config)
        assert dataset.load_annotations().labels[2].tolist() == [0, value]
