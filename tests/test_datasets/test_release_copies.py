"""Releases are read as their copies lie on users' disks, and as CSV."""

import csv

import numpy as np
import pytest

from mmpar.datasets import (
    PA100K,
    PETA,
    UPAR,
    DukeMTMCAttribute,
    Market1501Attribute,
    RAPv1,
    RAPv2,
    WIDERAttribute,
)
from mmpar.structures import SCHEMAS
from tests.fixtures.identity_attributes import write_boxes
from tests.fixtures.pa100k import generated_rows, write_pa100k_release
from tests.fixtures.peta import write_peta_release
from tests.fixtures.rap import write_rapv1_release, write_rapv2_release
from tests.test_datasets.test_reid_attributes import market

# --- CSV ------------------------------------------------------------------------------


class Labels:
    """Without looking for images."""

    IMAGE_DIRS = ()

    def find_missing(self, table):
        return np.empty(0, np.int64)


def write_csv(path, names, rows, first="Image"):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([[first, *names], *rows])


def rows_of(dataset):
    return list(zip(dataset.table.paths, dataset.get_labels().tolist()))


def test_pa100k_is_read_from_csv(tmp_path):
    rows = generated_rows(5)
    (tmp_path / "data").mkdir()
    for name, _ in rows:
        (tmp_path / "data" / name).touch()
    names = SCHEMAS["pa100k"].names
    # In another order: columns are matched by name.
    backwards = [(name, *labels[::-1]) for name, labels in rows]
    write_csv(tmp_path / "train.csv", names[::-1], backwards)
    dataset = PA100K(data_root=str(tmp_path), ann_file="train.csv", split="train")
    assert rows_of(dataset) == [(name, list(labels)) for name, labels in rows]
    assert dataset.get_data_info(0)["img_path"] == f"{tmp_path}/data/000001.jpg"


KINDS = [PA100K, PETA, RAPv1, RAPv2, UPAR, DukeMTMCAttribute, WIDERAttribute]


@pytest.mark.parametrize("kind", KINDS)
def test_any_class_reads_csv_and_takes_the_columns_of_its_schema(tmp_path, kind):
    kind = type(kind.__name__, (Labels, kind), {})
    names = SCHEMAS[kind.SCHEMA].names
    labels = [i % 2 for i in range(len(names))]
    path = tmp_path / "list.csv"
    write_csv(path, ["further", *names], [["a/b.png", 1, *labels]])
    one = dict(ann_file=str(path), split="test")
    assert rows_of(kind(**one)) == [("a/b.png", labels)]
    assert kind(schema="all", **one).schema.names == ("further", *names)
    few = kind(schema=dict(names=[names[3], names[0]]), **one)
    assert few.get_labels().tolist() == [[labels[3], labels[0]]]


def test_a_csv_that_lacks_an_attribute_is_an_error_that_names_it(tmp_path):
    write_csv(tmp_path / "x.csv", SCHEMAS["peta"].names[1:], [])
    with pytest.raises(ValueError, match=r"x\.csv lacks the attributes \['personalLe"):
        PETA(data_root=str(tmp_path), ann_file="x.csv", split="test")


# --- folders and endings --------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "write"), [(RAPv1, write_rapv1_release), (RAPv2, write_rapv2_release)]
)
def test_raps_folder_may_have_its_second_name(tmp_path, kind, write):
    write(tmp_path, 20)
    (tmp_path / "RAP_dataset").rename(tmp_path / "RAP_datasets")
    info = kind(data_root=str(tmp_path), split="test").get_data_info(0)
    assert info["img_path"].startswith(f"{tmp_path}/RAP_datasets/CAM")


def test_pa100ks_annotation_may_lie_in_its_folder(tmp_path):
    rows = generated_rows(3)
    write_pa100k_release(tmp_path, {"test": rows})
    (tmp_path / "annotation").mkdir()
    (tmp_path / "annotation.mat").rename(tmp_path / "annotation/annotation.mat")
    dataset = PA100K(data_root=str(tmp_path), split="test")
    assert dataset.ann_file == f"{tmp_path}/annotation/annotation.mat"
    assert [path for path, _ in rows_of(dataset)] == [name for name, _ in rows]


@pytest.mark.parametrize("ending", [".JPG", ".Jpeg", ".PNG", ".bmp"])
def test_boxes_of_any_ending_are_found(tmp_path, ending):
    root = market(tmp_path)
    write_boxes(tmp_path, "query", [f"0001_c2s1_000001_00{ending}"])
    dataset = Market1501Attribute(data_root=root, split="query")
    assert len(dataset) == 2
    write_boxes(tmp_path, "query", [f"holiday{ending}"])
    with pytest.raises(ValueError, match="expected a name as"):
        Market1501Attribute(data_root=root, split="query")


def test_market_as_its_archives_unpack(tmp_path):
    root = market(tmp_path)
    expected = rows_of(Market1501Attribute(data_root=root, split="train"))
    (tmp_path / "Market-1501_Attribute-master").mkdir()
    mat = tmp_path / "market_attribute.mat"
    mat.rename(tmp_path / "Market-1501_Attribute-master" / mat.name)
    boxes = tmp_path / "Market-1501-v15.09.15"
    boxes.mkdir()
    for folder in ("bounding_box_train", "bounding_box_test", "query"):
        (tmp_path / folder).rename(boxes / folder)
    dataset = Market1501Attribute(data_root=root, split="train")
    assert rows_of(dataset) == expected
    assert dataset.get_data_info(0)["img_path"].startswith(f"{boxes}/bounding_box_")
    found = Market1501Attribute.available_splits(data_root=root)
    assert set(found) == {"train", "trainval", "test", "query"}


def test_another_releases_file_is_recognized(tmp_path):
    write_peta_release(tmp_path, 10)
    match = r"no field 'attributes'; it has \['peta'\]; is it PETA's PETA\.mat\?$"
    with pytest.raises(ValueError, match=match):
        PA100K(data_root=str(tmp_path), ann_file="PETA.mat", split="test")


# --- WIDER-Attribute's crops -------------------------------------------------------


def write_crops(root, part, rows, names=SCHEMAS["wider"].names, folder="Annotations"):
    """OpenPAR's three lists, and empty images."""
    lists = root / folder
    lists.mkdir(exist_ok=True)
    text = "".join(f"{name}\n" for name in SCHEMAS["wider"].names)
    (lists / "attr_name.txt").write_text(text)
    text = "".join(f"{name}\n" for name, _ in rows)
    (lists / f"{part}_name.txt").write_text(text)
    text = "".join(f"[{', '.join(map(str, labels))}]\n" for _, labels in rows)
    (lists / f"{part}_gt_label.txt").write_text(text)
    (root / "split_image").mkdir(exist_ok=True)
    for name, _ in rows:
        (root / "split_image" / name).touch()


def crops(part, values=(-1, 0, 1)):
    drawn = np.random.default_rng(len(part)).choice(values, (6, 14))
    return [(f"{part}_{i}.jpg", row.tolist()) for i, row in enumerate(drawn)]


@pytest.mark.parametrize("part", ["trainval", "test"])
def test_widers_crops_are_read_where_the_release_is_not(tmp_path, part):
    rows = {one: crops(one) for one in ("trainval", "test")}
    for one, found in rows.items():
        write_crops(tmp_path, one, found)
    dataset = WIDERAttribute(data_root=str(tmp_path), split=part)
    meaning = {1: 1, -1: 0, 0: -1}
    assert rows_of(dataset) == [
        (name, [meaning[value] for value in labels]) for name, labels in rows[part]
    ]
    info = dataset.get_data_info(0)
    assert info["img_path"] == f"{tmp_path}/split_image/{part}_0.jpg"
    assert "bbox" not in info
    found = WIDERAttribute.available_splits(data_root=str(tmp_path))
    assert found == dict(trainval=[0], test=[0])


@pytest.mark.parametrize("name", ["test_gt_label.txt", "test_name.txt"])
def test_crops_can_be_named(tmp_path, name):
    write_crops(tmp_path, "test", crops("test"), folder="lists")
    one = dict(data_root=str(tmp_path), ann_file=f"lists/{name}")
    assert len(WIDERAttribute(split="test", **one)) == 6
    assert WIDERAttribute.available_splits(**one) == dict(test=[0])
    with pytest.raises(ValueError, match=r"has the splits \['test'\], got split='tra"):
        WIDERAttribute(split="trainval", **one)


def test_zero_is_absent_in_crops_without_minus_one(tmp_path):
    rows = crops("test", (0, 1))
    write_crops(tmp_path, "test", rows)
    assert rows_of(WIDERAttribute(data_root=str(tmp_path), split="test")) == rows


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda lines: lines[1:], r"has 5 lines and test_name\.txt beside it 6"),
        (lambda lines: ["[1, 0]", *lines[1:]], r"line 1: found '\[1, 0\]', expected"),
        (lambda lines: [*lines[:-1], lines[-1].replace("1", "x")], "line 6: found"),
        (lambda lines: [lines[0].replace("1", "7"), *lines[1:]], "has the label"),
    ],
)
def test_faulty_crops_are_errors(tmp_path, change, match):
    rows = [(name, [1, 0] * 7) for name, _ in crops("test")]
    write_crops(tmp_path, "test", rows)
    file = tmp_path / "Annotations/test_gt_label.txt"
    file.write_text("\n".join(change(file.read_text().splitlines())))
    with pytest.raises(ValueError, match=match):
        WIDERAttribute(data_root=str(tmp_path), split="test")
