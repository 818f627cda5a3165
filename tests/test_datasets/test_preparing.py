"""A prepared annotation gives the very samples that the release gives."""

import json
from collections import Counter

import numpy as np
import pytest
from mmpretrain.datasets import MultiLabelDataset

from mmpar.datasets import (
    MSP60K,
    PA100K,
    PETA,
    UPAR,
    AttributeListDataset,
    DukeMTMCAttribute,
    Market1501Attribute,
    PETAzs,
    RAPv1,
    RAPv2,
    RAPzs,
)
from mmpar.datasets.preparing import prepare
from mmpar.structures import SCHEMAS
from tests.fixtures.common_pickle import common_entries, write_common
from tests.fixtures.identity_attributes import write_attributes, write_boxes
from tests.fixtures.pa100k import (
    generated_rows,
    write_images,
    write_pa100k_release,
)
from tests.fixtures.peta import write_peta_release
from tests.fixtures.rap import write_rapv1_release, write_rapv2_release
from tests.test_datasets.test_reid_attributes import market


def samples(dataset):
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [{**info, "gt_score": info["gt_score"].tolist()} for info in infos]


def common(file, kind, partitions=0):
    """Write a pickle in the common form, and its images."""

    def write(root):
        names = [f"{i:05}.jpg" for i in range(20)]
        entries = common_entries(SCHEMAS[kind.SCHEMA], names, partitions)
        if kind is UPAR:
            entries["dataset_ids"] = np.arange(20) % 4
        (root / file).parent.mkdir(exist_ok=True)
        write_common(root / file, entries)
        write_images(root / (*kind.IMAGE_DIRS, ".")[0], names)

    return write


def pa100k(root):
    parts = ("train", "val", "test")
    rows = {p: generated_rows(4, i, 4 * i + 1) for i, p in enumerate(parts)}
    write_pa100k_release(root, rows)


def duke(root):
    people = {"train": ["0002", "0007"], "test": ["0001", "0003"]}
    values = {n: [i % 2 + 1, 2] for i, n in enumerate(SCHEMAS["dukemtmc"].names)}
    parts = {part: (persons, values) for part, persons in people.items()}
    write_attributes(root / "duke_attribute.mat", "duke_attribute", parts)
    for folder, part in FOLDERS.items():
        names = [f"{person}_c2_f0046302.jpg" for person in people[part]]
        write_boxes(root, folder, names)


FOLDERS = dict(bounding_box_train="train", bounding_box_test="test", query="test")

CASES = [
    (PA100K, pa100k, [0], {}),
    (DukeMTMCAttribute, duke, [0], {}),
    (UPAR, common("UPAR/dataset_all.pkl", UPAR, 2), [0, 1], {}),
    (MSP60K, common("dataset_random.pkl", MSP60K), [0], {}),
    (PETAzs, common("dataset_zs_run3.pkl", PETAzs), [3], {}),
    (RAPzs, common("dataset_zs_run0.pkl", RAPzs), [0], {}),
    (PETA, lambda root: write_peta_release(root, 40), [0, 3], {}),
    (PETA, lambda root: write_peta_release(root, 40), [1], {"schema": "peta105"}),
    (RAPv1, lambda root: write_rapv1_release(root, 20), [0], {}),
    (RAPv2, lambda root: write_rapv2_release(root, 20), [0, 4], {}),
    (Market1501Attribute, market, [0], {}),
]


@pytest.mark.parametrize(("kind", "write", "partitions", "kwargs"), CASES)
def test_the_samples_are_identical(tmp_path, kind, write, partitions, kwargs):
    kwargs = dict(data_root=str(tmp_path / "release"), **kwargs)
    (tmp_path / "release").mkdir()
    write(tmp_path / "release")
    file = prepare(kind, partitions, str(tmp_path / "out"), **kwargs)
    for partition in partitions:
        for split in kind.SPLITS:
            one = dict(split=split, partition=partition, **kwargs)
            prepared = kind(ann_file=str(file), **one)
            assert samples(prepared) == samples(kind(**one))
            assert len(prepared) > 0


def test_uncertain_labels_can_still_be_counted_as_absent(tmp_path):
    write_rapv1_release(tmp_path, 20)
    file = prepare(RAPv1, [0], str(tmp_path / "out"), data_root=str(tmp_path))
    one = dict(data_root=str(tmp_path), split="test", uncertain="absent")
    prepared = RAPv1(ann_file=str(file), **one).get_labels()
    assert prepared.tolist() == RAPv1(**one).get_labels().tolist()
    assert prepared.min() == 0


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    root = write_peta_release(tmp_path_factory.mktemp("peta"), 40)
    return prepare(PETA, [0], str(root), data_root=str(root))


def test_all_attributes_are_those_of_the_metainfo(prepared):
    dataset = PETA(
        data_root=str(prepared.parent),
        ann_file=str(prepared),
        split="val",
        schema="all",
    )
    assert dataset.schema.names == SCHEMAS["peta"].names
    assert dict(dataset.schema.groups) == dict(SCHEMAS["peta"].groups)


def test_trainval_is_not_train_where_val_was_not_prepared(tmp_path):
    write_peta_release(tmp_path, 10)
    kwargs = dict(data_root=str(tmp_path))
    file = prepare(PETA, [0], str(tmp_path / "out"), split="train", **kwargs)
    with pytest.raises(ValueError, match="got split='trainval'"):
        PETA(ann_file=str(file), split="trainval", **kwargs)


def test_all_attributes_of_a_list_without_names_are_refused(tmp_path):
    write_list(tmp_path)
    with pytest.raises(ValueError, match=r"train\.txt has no attribute names"):
        PETA(data_root=str(tmp_path), ann_file="train.txt", split="train", schema="all")


def test_attributes_are_matched_by_name(prepared):
    names = ["personalMale", "hairLong"]
    kwargs = dict(data_root=str(prepared.parent), split="val")
    few = PETA(ann_file=str(prepared), schema=dict(names=names), **kwargs)
    full = PETA(**kwargs)
    order = [full.schema.index(name) for name in names]
    assert np.array_equal(few.get_labels(), full.get_labels()[:, order])


def of_first(change):
    """Change the first image."""

    def changed(content):
        change(content["data_list"][0])
        return content

    return changed


FAULTS = {
    "a list": (lambda content: [], "expected an object with 'metainfo'"),
    "no classes": (lambda content: {**content, "metainfo": {}}, "with 'classes', a l"),
    "no path": (
        of_first(lambda image: image.pop("img_path")),
        "'img_path', text",
    ),
    "no label": (of_first(lambda image: image.pop("gt_label")), "found the labels "),
    "two labels": (
        of_first(lambda image: image.update(gt_score=[1])),
        "'gt_label', 'gt",
    ),
    "odd place": (of_first(lambda image: image.update(gt_label=[35])), "from 0 to 34"),
    "odd word": (of_first(lambda image: image.update(gt_label=["x"])), "holds 'x'"),
}


@pytest.mark.parametrize(("change", "match"), FAULTS.values(), ids=FAULTS)
def test_a_faulty_file_is_an_error_that_says_what(prepared, tmp_path, change, match):
    path = tmp_path / "x.json"
    path.write_text(json.dumps(change(json.loads(prepared.read_text()))))
    with pytest.raises(ValueError, match=r"x\.json.*" + match):
        PETA(data_root=str(prepared.parent), ann_file=str(path), split="train")


def test_a_partition_that_was_not_prepared_is_an_error(prepared):
    with pytest.raises(ValueError, match=r"partitions \[0\] of 'val'; got partition=1"):
        PETA(
            data_root=str(prepared.parent),
            ann_file=str(prepared),
            split="val",
            partition=1,
        )


def test_mmpretrain_reads_what_is_written(prepared):
    content = json.loads(prepared.read_text())
    dataset = MultiLabelDataset(ann_file=str(prepared), data_prefix="x")
    own = PETA(data_root=str(prepared.parent), ann_file=str(prepared), split="train")
    assert list(dataset.metainfo["classes"]) == list(own.schema.names)
    assert len(dataset) == len(content["data_list"]) == 40
    for i in range(len(own)):
        assert dataset.get_cat_ids(i) == own.get_cat_ids(i)
        assert dataset.get_data_info(i)["img_path"].endswith(own.table.paths[i])


def test_a_file_with_unknown_labels_has_scores(tmp_path):
    write_rapv1_release(tmp_path, 20)
    file = prepare(RAPv1, [0], str(tmp_path / "out"), data_root=str(tmp_path))
    labels = [image["gt_score"] for image in json.loads(file.read_text())["data_list"]]
    assert {label for row in labels for label in row} == {0, 1, -1}


def write_list(root):
    """A ``.txt`` list of three images of PETA."""
    row = " ".join(["0", "1"] * 17 + ["0"])
    (root / "train.txt").write_text("".join(f"{i:05}.png {row}\n" for i in (1, 2, 3)))


def test_a_list_of_one_split_is_not_written_as_all_of_them(tmp_path):
    write_peta_release(tmp_path, 10)
    write_list(tmp_path)
    kwargs = dict(data_root=str(tmp_path), ann_file="train.txt")
    out = str(tmp_path / "out")
    match = r"train\.txt holds one split.*'train', 'val', 'test'.*--split train"
    with pytest.raises(ValueError, match=match):
        prepare(PETA, [0], out, **kwargs)
    file = prepare(PETA, [0], out, split="train", **kwargs)
    assert parts_in(file) == {("train", 0): 3}


def test_a_list_has_one_partition(tmp_path):
    write_peta_release(tmp_path, 10)
    write_list(tmp_path)
    match = r"train\.txt: the list has one partition, got partition=3"
    with pytest.raises(ValueError, match=match):
        PETA(data_root=str(tmp_path), ann_file="train.txt", split="train", partition=3)


def parts_in(file):
    images = json.loads(file.read_text())["data_list"]
    return Counter((image["split"], image["partition"]) for image in images)


def test_the_splits_are_those_of_the_file_not_of_the_class(tmp_path):
    rows = {"test": generated_rows(3)}
    write_pa100k_release(tmp_path, rows)
    file = prepare(PA100K, [0], str(tmp_path), data_root=str(tmp_path))
    assert parts_in(file) == {("test", 0): 3}


def test_a_run_again_changes_nothing_and_another_never_replaces(tmp_path):
    write_peta_release(tmp_path, 40)
    out, kwargs = str(tmp_path / "out"), dict(data_root=str(tmp_path))
    before = prepare(PETA, [0], out, **kwargs).read_bytes()
    file = prepare(PETA, [0], out, **kwargs)
    assert file.read_bytes() == before
    for options in (dict(split="train"), dict(schema="peta105")):
        with pytest.raises(ValueError, match=r"annotation\.json exists and is another"):
            prepare(PETA, [0], out, **options, **kwargs)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["annotation.json"]


def test_missing_images_may_be_left_out(tmp_path):
    write_peta_release(tmp_path, 40)
    (tmp_path / "images/00007.png").unlink()
    out, kwargs = str(tmp_path / "out"), dict(data_root=str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"00007\.png"):
        prepare(PETA, [0], out, **kwargs)
    with pytest.warns(UserWarning, match="1 of "):
        file = prepare(PETA, [0], out, missing_images="drop", **kwargs)
    assert sum(parts_in(file).values()) == 39
    assert "00007.png" not in file.read_text()


def test_lists_become_one_annotation(tmp_path):
    write_images(tmp_path, ["a.jpg", "b.jpg"])
    (tmp_path / "train.csv").write_text("p,Hat,Bag\na.jpg,1,0\n")
    (tmp_path / "val.csv").write_text("p,Bag,Hat\nb.jpg,1,\n")
    file = prepare(
        AttributeListDataset,
        [0],
        str(tmp_path),
        ann_file=["train.csv", "val.csv"],
        data_root=str(tmp_path),
    )
    assert parts_in(file) == {("train", 0): 1, ("val", 0): 1}
    content = json.loads(file.read_text())
    assert content["metainfo"]["classes"] == ["Hat", "Bag"]
    assert [image["gt_score"] for image in content["data_list"]] == [[1, 0], [-1, 1]]


def test_lists_of_other_attributes_are_not_put_together(tmp_path):
    write_images(tmp_path, ["a.jpg", "b.jpg"])
    (tmp_path / "train.csv").write_text("p,Hat\na.jpg,1\n")
    (tmp_path / "val.csv").write_text("p,Bag\nb.jpg,1\n")
    with pytest.raises(ValueError, match=r"val\.csv .*name different attributes"):
        prepare(
            AttributeListDataset,
            [0],
            str(tmp_path / "out"),
            ann_file=["train.csv", "val.csv"],
            data_root=str(tmp_path),
        )
    assert not (tmp_path / "out/annotation.json").exists()


def prepared_list(root, partitions):
    rows = "".join(f"{i}.png,train,{p},1\n" for i, p in enumerate(partitions))
    (root / "all.csv").write_text("path,split,partition,Hat\n" + rows)
    for i in range(len(partitions)):
        (root / f"{i}.png").touch()
    return prepare(
        AttributeListDataset,
        [0],
        str(root / "out"),
        ann_file=["all.csv"],
        data_root=str(root),
    )


def test_own_columns_named_as_fields_are_written_once_or_refused(tmp_path):
    lines = prepared_list(tmp_path, [0, 0]).read_text().splitlines()[2:4]
    assert [line.count('"partition":0') for line in lines] == [1, 1]
    assert [line.count('"split":"train"') for line in lines] == [1, 1]
    (tmp_path / "other").mkdir()
    with pytest.raises(ValueError, match=r"column 'partition' holds .*1.*rename"):
        prepared_list(tmp_path / "other", [0, 1])
