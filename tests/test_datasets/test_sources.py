"""The tools open whatever splits there are, of releases and of lists."""

import argparse

import pytest

from mmpar.datasets import PETA, AttributeListDataset, Market1501Attribute
from mmpar.datasets.sources import (
    find_parts,
    readable_classes,
    source_arguments,
)
from mmpar.utils.cli import add_source_arguments
from tests.fixtures.pa100k import write_images
from tests.fixtures.peta import write_peta_release
from tests.test_datasets.test_reid_attributes import market


def called(parts):
    return [(part.split, part.partition) for part in parts]


def write_lists(root, **lists):
    for name, text in lists.items():
        (root / f"{name}.csv").write_text(text, encoding="utf-8")
    return str(root)


def test_of_a_release_those_of_the_file_and_no_union_of_them(tmp_path):
    root = str(write_peta_release(tmp_path, 20))
    parts = find_parts(PETA, partitions=[1, 0], data_root=root)
    splits = ("train", "val", "test")
    assert called(parts) == [(s, p) for p in (1, 0) for s in splits]
    assert [len(part.open()) for part in parts] == [10, 2, 8] * 2
    assert called(find_parts(PETA, split="trainval", data_root=root)) == [
        ("trainval", 0)
    ]
    with pytest.raises(ValueError, match=r"has the splits .*got split='query'"):
        find_parts(PETA, split="query", data_root=root)
    with pytest.raises(ValueError, match="no partition 7"):
        find_parts(PETA, partitions=[7], data_root=root)


def test_of_a_release_of_which_a_folder_was_not_unpacked_the_rest(tmp_path):
    root = market(tmp_path)
    (tmp_path / "query").rename(tmp_path / "elsewhere")
    parts = find_parts(Market1501Attribute, data_root=root)
    assert called(parts) == [("train", 0), ("test", 0)]


def test_lists_go_by_their_file_names(tmp_path):
    root = write_lists(tmp_path, train="p,Hat,Bag\na,1,0\n", val="p,Bag,Hat\nb,1,0\n")
    parts = find_parts(AttributeListDataset, ["train.csv", "val.csv"], data_root=root)
    assert called(parts) == [("train", 0), ("val", 0)]
    train, val = (part.open(find_missing=False) for part in parts)
    assert train.schema.names == val.schema.names == ("Hat", "Bag")
    assert val.get_labels().tolist() == [[0, 1]]
    (part,) = find_parts(
        AttributeListDataset, ["train.csv"], split="night", data_root=root
    )
    assert part.split == "night"


def test_images_are_looked_for_unless_told_otherwise(tmp_path):
    root = write_lists(tmp_path, train="p,Hat\nmissing.jpg,1\n")
    (part,) = find_parts(AttributeListDataset, ["train.csv"], data_root=root)
    assert len(part.open(find_missing=False)) == 1
    with pytest.raises(FileNotFoundError, match=r"missing\.jpg"):
        part.open()


def test_a_faulty_list_fails_when_it_is_opened_and_the_others_do_not(tmp_path):
    root = write_lists(tmp_path, train="p,Hat\na,1\n", val="p,Hat\nb,7\n")
    files = ["train.csv", "val.csv", "nowhere.csv"]
    train, val, nowhere = find_parts(AttributeListDataset, files, data_root=root)
    assert len(train.open(find_missing=False)) == 1
    with pytest.raises(ValueError, match=r"label '?7"):
        val.open()
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        nowhere.open()


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (PETA, dict(ann_file=["a.txt", "b.txt"]), "one annotation file"),
        (AttributeListDataset, dict(), "needs its lists: --ann-file"),
        (AttributeListDataset, dict(ann_file=["a.csv"], partitions=[1]), "partition"),
    ],
)
def test_what_cannot_be_is_an_error(kind, options, message):
    with pytest.raises(ValueError, match=message):
        find_parts(kind, **options)


def test_two_files_of_one_name_are_an_error(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_lists(tmp_path / folder, train="p,Hat\na,1\n")
    with pytest.raises(ValueError, match="both give the split 'train'"):
        find_parts(
            AttributeListDataset,
            ["a/train.csv", "b/train.csv"],
            data_root=str(tmp_path),
        )


def test_a_column_says_the_splits(tmp_path):
    text = "p,split,person_id,age,Hat\na,x,1,old,1\nb,y,2,young,0\nc,x,3,old,0\n"
    root = write_lists(tmp_path, all=text)
    options = dict(data_root=root, one_hot=["age"])
    parts = find_parts(AttributeListDataset, ["all.csv"], **options)
    assert called(parts) == [("x", 0), ("y", 0)]
    x, y = (part.open(find_missing=False) for part in parts)
    assert set(x.schema.names) == {"age:old", "age:young", "Hat"}
    assert x.schema == y.schema
    assert x.table.columns["person_id"].tolist() == [1, 3]
    only = find_parts(AttributeListDataset, ["all.csv"], split="y", **options)
    assert called(only) == [("y", 0)]
    with pytest.raises(ValueError, match="got split='z'"):
        find_parts(AttributeListDataset, ["all.csv"], split="z", **options)


def test_a_row_without_a_split_is_an_error(tmp_path):
    root = write_lists(tmp_path, all="p,split,Hat\na,x,1\nb,,0\n")
    with pytest.raises(ValueError, match="'split' is empty in 1 of 2 rows"):
        find_parts(AttributeListDataset, ["all.csv"], data_root=root)


def parsed(dataset, *options):
    parser = argparse.ArgumentParser()
    add_source_arguments(parser)
    args = parser.parse_args(options)
    args.dataset, args.source = dataset, "here"
    return source_arguments(args)


def test_the_command_line_gives_what_was_given_only():
    assert parsed("PETA") == dict(data_root="here")
    assert parsed("PETA", "--schema", "all")["schema"] == "all"
    names = dict(names=["Hat", "Bag"])
    assert parsed("PETA", "--schema", "Hat, Bag")["schema"] == names
    assert parsed("AttributeListDataset", "--schema", "peta")["schema"] == "peta"
    found = parsed("AttributeListDataset", "--schema", "Hat", "--label-map", "{-1: 0}")
    assert found["schema"] == dict(names=["Hat"])
    assert found["label_map"] == {-1: 0}
    with pytest.raises(SystemExit):
        parsed("PETA", "--label-map", "-1=0")


def test_every_release_and_the_lists_are_readable():
    names = readable_classes()
    assert {"PETA", "MSP60K", "UPAR", "AttributeListDataset"} <= set(names)
    assert "SyntheticPAR" not in names


def test_a_list_of_one_split_of_a_release_may_have_to_be_named(tmp_path):
    root = str(write_peta_release(tmp_path, 4))
    row = " ".join(["0", "1"] * 17 + ["0"])
    (tmp_path / "some.txt").write_text(f"00001.png {row}\n")
    write_images(tmp_path / "images", ["00001.png"])
    (part,) = find_parts(PETA, ["some.txt"], data_root=root)
    assert (part.split, len(part.open())) == ("some.txt", 1)
    with pytest.raises(ValueError, match="Name it: --split train"):
        find_parts(PETA, ["some.txt"], must_be_named=True, data_root=root)
