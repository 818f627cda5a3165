"""Every format by every rule of the hub, read by a class made from scratch."""

import json
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
import scipy.io

from mmpar.datasets import PARDataset
from mmpar.datasets.formats import matlab
from mmpar.datasets.formats.annotation import (
    ANY,
    Annotation,
    checked_label_map,
    checked_rows,
    label_codes,
    numbered,
    pack_paths,
    wrong_label,
)
from mmpar.datasets.formats.lists import read_csv
from mmpar.structures import AttributeSchema
from tests.fixtures.matlab73 import write_mat73

# --- a class from scratch -------------------------------------------------------------


def read_own(path):
    """Read ``names``, ``images``, ``labels``, ``persons`` and rows of splits."""
    fields = matlab.read_mat(path)
    splits = {
        name: [fields[name].ravel().astype(int) - 1]
        for name in ("train", "val", "test")
    }
    return Annotation(
        source=path,
        attributes=matlab.strings(fields["names"], path),
        images=pack_paths(matlab.strings(fields["images"], path)),
        labels=fields["labels"],
        partitions=numbered(splits),
        columns=dict(person_id=fields["persons"].ravel().astype(int)),
    )


class Own(PARDataset):
    SCHEMA = dict(names=["Hat", "Red Bag", "Boots"], groups=dict(head=["Hat"]))
    SPLITS = ("train", "val", "test")
    ANN_FILE = "own.mat"
    FORMATS = {**PARDataset.FORMATS, ".mat": read_own}


# --- the same content in every format -------------------------------------------------

NAMES = ["Boots", "Hat", "Red Bag"]  # another order than the schema's
PATHS = ["a.jpg", "sub/b.jpg", "sub/c d.jpg", "e.png", "ä.png"]
SPLIT_OF = ["train", "val", "train", "test", "val"]
PERSONS = [7, 8, 7, 3, 8]
LABELS = np.array([[1, 0, -1], [0, 0, 1], [-1, -1, 1], [0, 1, 0], [1, 1, 1]])
ROWS = dict(train=[0, 2], val=[1, 4], test=[3])


def images(labels, path, found):
    return [
        {path: p, found: row, "split": s, "person_id": n, "partition": 0}
        for p, row, s, n in zip(PATHS, labels.tolist(), SPLIT_OF, PERSONS)
    ]


def write_csv(path, labels):
    lines = ["path,split,person_id," + ",".join(NAMES)]
    for name, split, person, row in zip(PATHS, SPLIT_OF, PERSONS, labels.tolist()):
        lines.append(f"{name},{split},{person},{','.join(map(str, row))}")
    path.write_text("\n".join(lines), encoding="utf-8")


def write_openmmlab(path, labels):
    data_list = images(labels, "img_path", "gt_score")
    content = dict(metainfo=dict(classes=NAMES), data_list=data_list)
    path.write_text(json.dumps(content), encoding="utf-8")


def write_old_list(path, labels):
    found = images(labels, "path", "labels")
    path.write_text(json.dumps(dict(attributes=NAMES, images=found)))


def write_old_lines(path, labels):
    parts = [[split, 0] for split in ROWS]
    head = dict(format="mmpar-annotation-1", dataset="own", parts=parts)
    lines = [dict(head, schema=dict(names=NAMES))]
    lines += images(labels, "path", "labels")
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_pickle(path, labels):
    content = dict(image_name=PATHS, label=labels, attr_name=NAMES, partition=ROWS)
    path.write_bytes(pickle.dumps(content))


def mat_fields(labels):
    def cells(names):
        found = np.empty((len(names), 1), object)
        found[:, 0] = names
        return found

    rows = {split: np.array([found]) + 1.0 for split, found in ROWS.items()}
    return dict(
        rows,
        names=cells(NAMES),
        images=cells(PATHS),
        labels=labels.astype(float),
        persons=np.array([PERSONS], float),
    )


FORMATS = {
    "own.csv": write_csv,
    "own.json": write_openmmlab,
    "old.json": write_old_list,
    "old.jsonl": write_old_lines,
    "own.pkl": write_pickle,
    "own.mat": lambda path, labels: scipy.io.savemat(path, mat_fields(labels)),
    "v73.mat": lambda path, labels: write_mat73(path, mat_fields(labels)),
}
HAS_COLUMNS = [name for name in FORMATS if name != "own.pkl"]


@pytest.fixture(params=FORMATS)
def name(request):
    return request.param


def read(root, name, split="train", labels=LABELS, **more):
    FORMATS[name](root / name, labels)
    more = {"missing_images": "ignore", **more}
    return Own(data_root=str(root), ann_file=name, split=split, **more)


def expected(rows, labels=LABELS, order=(1, 2, 0)):
    return [(PATHS[i], labels[i][list(order)].tolist()) for i in rows]


def samples(dataset):
    return list(zip(dataset.table.paths, dataset.get_labels().tolist()))


# --- the rules ------------------------------------------------------------------------


@pytest.mark.parametrize("split", ROWS)
def test_a_split_has_its_rows_with_labels_in_the_order_of_the_schema(
    tmp_path, name, split
):
    assert samples(read(tmp_path, name, split)) == expected(ROWS[split])


def test_trainval_is_train_and_then_val(tmp_path, name):
    found = samples(read(tmp_path, name, "trainval"))
    assert found == expected(ROWS["train"] + ROWS["val"])


@pytest.mark.parametrize("name", HAS_COLUMNS)
def test_columns_follow_their_rows(tmp_path, name):
    dataset = read(tmp_path, name, "trainval")
    assert dataset.table.columns["person_id"].tolist() == [7, 7, 8, 8]
    assert set(dataset.table.columns) == {"person_id"}


def test_what_the_file_gives_is_known_before_it_is_chosen(tmp_path, name):
    FORMATS[name](tmp_path / name, LABELS)
    found = Own.available_splits(data_root=str(tmp_path), ann_file=name)
    assert found == dict(train=[0], val=[0], test=[0], trainval=[0])


def test_some_attributes_or_all_can_be_taken(tmp_path, name):
    some = read(tmp_path, name, schema=dict(names=["Red Bag", "Boots"]))
    assert samples(some) == expected(ROWS["train"], order=(2, 0))
    every = read(tmp_path, name, schema="all")
    assert samples(every) == expected(ROWS["train"], order=(0, 1, 2))
    assert every.schema.names == tuple(NAMES)
    assert every.schema.groups == {"head": ("Hat",)}


def test_label_map_has_the_last_word_and_may_swap(tmp_path, name):
    swapped = np.where(LABELS < 0, LABELS, 1 - LABELS)
    dataset = read(tmp_path, name, label_map={"1": 0, 0: 1})
    assert samples(dataset) == expected(ROWS["train"], swapped)
    dataset = read(tmp_path, name, labels=LABELS * 2, label_map={2: 1, -2: 0})
    assert samples(dataset) == expected(ROWS["train"], np.maximum(LABELS, 0))


FAULTS = {
    "partition": (dict(partition=3), r"partitions \[0\] of 'train'; got partition=3"),
    "attribute": (
        dict(schema=dict(names=["Hat", "Scarf"])),
        r"lacks the attributes \['Scarf'\]; it has \['Boots', 'Hat', 'Red Bag'\]",
    ),
    "label": (
        dict(labels=np.where(LABELS < 0, 7, LABELS)),
        r"'Red Bag' has the label '?7.*label_map=",
    ),
}


@pytest.mark.parametrize(("more", "match"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_an_error_that_names_the_file(tmp_path, name, more, match):
    with pytest.raises(ValueError, match=match) as error:
        read(tmp_path, name, **more)
    assert name in str(error.value)


def test_a_split_that_is_not_there_is_an_error_with_those_that_are(tmp_path, name):
    with pytest.raises(ValueError, match=r"Own has the splits .*got split='dev'"):
        read(tmp_path, name, "dev")
    FORMATS[name](tmp_path / name, LABELS)
    annotation = Own.FORMATS["." + name.rpartition(".")[2]](str(tmp_path / name))
    match = rf"{name} has the splits \['test', 'train', 'val'\], got split='dev'"
    with pytest.raises(ValueError, match=match):
        annotation.rows("dev")
    with pytest.raises(ValueError, match="got split='trainval'"):
        annotation.rows("trainval", trainval=("train", "dev"))


def test_an_invalid_label_of_another_split_is_its_own_matter(tmp_path, name):
    labels = LABELS.copy()
    labels[ROWS["test"][0]] = 7
    assert len(read(tmp_path, name, labels=labels)) == 2


def test_a_missing_file_and_one_of_another_kind_are_named(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=rf"{name}.*check data_root"):
        Own(data_root=str(tmp_path), ann_file=name, split="train")
    (tmp_path / name).write_text("<!doctype html><html>")
    with pytest.raises(ValueError, match=rf"{name} is a web page"):
        Own(data_root=str(tmp_path), ann_file=name, split="train")


def test_an_ending_that_nothing_reads_is_an_error_with_those_that_are_read():
    match = r"x\.xml: Own is read from files that end in one of .*'\.csv'.*'\.mat'"
    with pytest.raises(ValueError, match=match):
        Own(ann_file="x.xml", split="train")


def test_old_lines_have_boxes_under_their_new_name(tmp_path):
    write_old_lines(tmp_path / "old.jsonl", LABELS)
    text = (tmp_path / "old.jsonl").read_text()
    boxed = text.replace(
        '"partition": 0}', '"partition": 0, "person_box": [1, 2, 3, 4]}'
    )
    (tmp_path / "old.jsonl").write_text(boxed)
    dataset = Own(
        data_root=str(tmp_path),
        ann_file="old.jsonl",
        split="val",
        missing_images="ignore",
    )
    assert dataset.table.columns["bbox"].tolist() == [[1, 2, 3, 4]] * 2


# --- labels ---------------------------------------------------------------------------


@pytest.mark.parametrize("key", [-1, -1.0, "-1", " -1.0 "])
def test_a_number_is_one_key_however_it_is_written(key):
    assert checked_label_map({key: 0, "yes": "1"}) == {-1.0: 0, "yes": 1}


@pytest.mark.parametrize("label_map", [{1: 2}, {1: "yes"}, {"x": None}, {"x": 0.5}])
def test_an_invalid_label_in_the_map_is_an_error(label_map):
    with pytest.raises(ValueError, match=r"expected 1 \(present\), 0 \(absent\)"):
        checked_label_map(label_map)


def test_a_key_with_two_labels_is_an_error():
    assert checked_label_map({-1: 0, "-1": 0}) == {-1.0: 0}
    with pytest.raises(ValueError, match="twice, with different labels"):
        checked_label_map({-1: 0, "-1": 1})


def test_words_numbers_and_null_have_codes():
    codes = label_codes(checked_label_map({None: 1, "no": 0, 2: -1}))
    words = ["1", "+1", "1.0", 1, True, "", None, "no", "2", 2.0, "?", "-1"]
    assert [codes[word] for word in words] == [1, 1, 1, 1, 1, 1, 1, 0, -1, -1, -1, -1]


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int64, np.float64, object])
def test_numbers_of_any_type_are_labels(kind):
    labels = np.array([[1, 0], [0, 1]]).astype(kind)
    annotation = Annotation("x.mat", ["Hat", "Bag"], pack_paths("ab"), labels)
    found = annotation.select(AttributeSchema(("Bag", "Hat"))).labels
    assert found.dtype == np.int8
    assert found.tolist() == [[0, 1], [1, 0]]
    assert select(annotation, label_map={0.0: 1}).labels.tolist() == [[1, 1], [1, 1]]
    assert select(annotation, label_map={1.0: -1}).labels.tolist() == [[-1, 0], [0, -1]]
    empty = replace(annotation, images=pack_paths(()), labels=labels[:0])
    assert select(empty).labels.shape == (0, 2)


def test_labels_of_a_plain_list_are_not_copied():
    labels = np.array([[0, 1], [-1, 0], [1, 1]], np.int8)
    annotation = Annotation("x.txt", None, pack_paths("abc"), labels)
    label_map = {"?": 1, 1.0: 1}  # changes no number
    table = annotation.select(AttributeSchema(("Hat", "Bag")), label_map=label_map)
    assert table.labels is labels or table.labels.base is labels
    assert table.paths is annotation.images


def test_parts_that_disagree_are_an_error():
    with pytest.raises(ValueError, match=r"x\.mat: labels have the shape \(2, 2\)"):
        Annotation("x.mat", ["Hat"], pack_paths("ab"), np.zeros((2, 2)))


def test_without_a_split_the_images_of_no_split_are_left_out():
    annotation = Annotation(
        "x.mat",
        ["Hat"],
        pack_paths("abcd"),
        np.zeros((4, 1)),
        partitions=dict(val={0: np.array([3])}, train={0: np.array([0, 2])}),
    )
    assert annotation.rows().tolist() == [0, 2, 3]


# --- rows of splits -------------------------------------------------------------------


def listed(partitions=None, count=5, **fields):
    images = pack_paths(f"{i}.jpg" for i in range(count))
    labels = np.zeros((count, 1), np.int8)
    found = {
        split: {number: np.array(rows) for number, rows in of.items()}
        for split, of in (partitions or {}).items()
    }
    return Annotation("x.mat", ["Hat"], images, labels, found or None, **fields)


def test_a_file_of_one_split_gives_all_rows_of_any_split():
    assert listed().rows() == listed().rows("val") == slice(None)
    message = "x.mat: the list has one partition, got partition=1; leave it out"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        listed().rows(partition=1)


def test_a_partition_is_that_of_its_number_or_the_one_that_names_none():
    found = listed(dict(val={1: [4], 3: [1]}, test={ANY: [0]}))
    assert found.rows("val", 3).tolist() == [1]
    assert found.rows("test", 3).tolist() == found.rows("test").tolist() == [0]
    message = "x.mat has the partitions [1, 3] of 'val'; got partition=0"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        found.rows("val")


def test_a_split_named_trainval_is_no_union():
    found = listed(dict(trainval={0: [4]}, train={0: [3]}, val={0: [1]}))
    assert found.rows("trainval").tolist() == [4]


def test_trainval_is_the_splits_that_a_release_calls_so():
    found = listed(dict(train={0: [3]}, query={0: [1]}, val={0: [0]}))
    assert found.rows("trainval", trainval=("query", "train")).tolist() == [1, 3]
    assert found.rows("trainval").tolist() == [3, 0]


def test_without_a_split_the_first_partition_of_all_splits_is_read(log):
    found = listed(dict(val={2: [4], 1: [3, 1]}, train={1: [0]}, test={2: [2]}))
    assert found.rows().tolist() == [0, 1, 3]
    said = "x.mat has the splits {'val': 2, 'train': 1}, and all of them are read; "
    (record,) = log.records
    assert record.getMessage() == f"{said}choose one with split=..."
    assert record.levelname == "WARNING"


def test_the_only_split_is_read_without_a_word(log):
    assert listed(dict(val={0: [4, 1]})).rows().tolist() == [1, 4]
    assert listed(dict(val={0: [4, 3, 2, 1, 0]})).rows() == slice(None)
    assert listed({"val": {}}).rows().tolist() == []
    assert log.records == []


# --- classes of a column --------------------------------------------------------------


def read_table(root, text):
    (root / "a.csv").write_text(text)
    return read_csv(str(root / "a.csv"))


def select(annotation, **options):
    return annotation.select(annotation.schema(), **options)


AGES = "path,Hat,age,Bag\na.jpg,1,young,0\nb.jpg,0,old,1\nc.jpg,,?,1\nd.jpg,1,,1\n"


def test_classes_take_the_place_of_their_column(tmp_path):
    found = read_table(tmp_path, AGES).with_classes(["age"])
    assert found.attributes == ["Hat", "age:old", "age:young", "Bag"]
    labels = [[1, 0, 1, 0], [0, 1, 0, 1], [-1, -1, -1, 1], [1, -1, -1, 1]]
    assert select(found).labels.tolist() == labels


def test_a_label_map_is_not_for_classes(tmp_path):
    found = read_table(tmp_path, AGES).with_classes(["age"])
    labels = [[0, 0, 1, 1], [1, 1, 0, 0], [-1, -1, -1, 0], [0, -1, -1, 0]]
    swapped = select(found, label_map={1.0: 0, 0.0: 1})
    assert swapped.labels.tolist() == labels


def test_classes_are_sorted_numbers_by_size(tmp_path):
    cells = ["10", "b", "2.50", "9", "a", "-3", "0", "10.0"]
    rows = "".join(f"{i}.jpg,{cell}\n" for i, cell in enumerate(cells))
    found = read_table(tmp_path, f"path,age\n{rows}").with_classes(["age"])
    classes = ["-3", "0", "2.5", "9", "10", "a", "b"]
    assert found.attributes == [f"age:{one}" for one in classes]
    assert np.argmax(select(found).labels, axis=1).tolist() == [4, 6, 2, 3, 5, 0, 1, 4]


def test_a_known_column_may_be_one_of_classes(tmp_path):
    table = "path,camera,Hat,domain\na.jpg,c2,1,3\nb.jpg,c1,0,4\n"
    found = read_table(tmp_path, table).with_classes(["camera", "Hat"])
    assert found.attributes == ["Hat:0", "Hat:1", "camera:c1", "camera:c2"]
    assert select(found).labels.tolist() == [[0, 1, 0, 1], [1, 0, 1, 0]]
    assert list(found.columns) == ["domain"]


def test_a_known_column_is_an_attribute_where_the_schema_has_one(tmp_path):
    found = read_table(tmp_path, "path,domain,Hat,camera\na.jpg,1,0,c1\nb.jpg,0,1,c2\n")
    table = found.select(AttributeSchema(("domain", "Hat")))
    assert table.labels.tolist() == [[1, 0], [0, 1]]
    assert list(table.columns) == ["camera"]
    assert list(select(found).columns) == ["domain", "camera"]


def test_an_attribute_is_taken_before_a_column_of_its_name(tmp_path):
    found = read_table(tmp_path, "path,Hat,camera\na.jpg,1,c1\n")
    found = replace(found, columns=dict(found.columns, Hat=np.array(["felt"])))
    table = select(found)
    assert table.labels.tolist() == [[1]]
    assert list(table.columns) == ["camera", "Hat"]


CLASS_FAULTS = {
    "no such column": (
        ["sex"],
        None,
        "{} has no column 'sex', which one_hot names; it has ['Hat', 'age', 'Bag']",
    ),
    "a class that the schema lacks": (
        ["age"],
        ["Hat", "age:old", "age:tall", "ages"],
        "{}, line 2: column 'age' has the class 'young', and the schema has "
        "['age:old', 'age:tall']",
    ),
    "a schema without classes": (
        ["age"],
        ["Hat", "ages:old"],
        "the schema 'custom' has no attribute of the one_hot column 'age' of {}; they "
        "are called 'age:CLASS', and the schema has ['Hat', 'ages:old']",
    ),
}


@pytest.mark.parametrize("fault", CLASS_FAULTS)
def test_classes_that_do_not_fit_are_an_error(tmp_path, fault):
    one_hot, names, message = CLASS_FAULTS[fault]
    found = read_table(tmp_path, AGES)
    match = re.escape(message.format(found.source))
    with pytest.raises(ValueError, match=f"^{match}$"):
        found.with_classes(one_hot, names and AttributeSchema(names))


def test_a_column_without_any_class_is_an_error(tmp_path):
    found = read_table(tmp_path, "path,age\na.jpg,?\nb.jpg,-1\n")
    with pytest.raises(ValueError, match=r"a\.csv: the column 'age' has no class$"):
        found.with_classes(["age"])


def test_a_file_without_columns_of_words_has_no_classes():
    match = (
        r"^one_hot names the column 'Hat' of a \.csv or \.json list; x\.mat has none$"
    )
    with pytest.raises(ValueError, match=match):
        listed().with_classes(["Hat"])


# --- the errors of labels -------------------------------------------------------------

EXPECTED = (
    "expected 1 (present), 0 (absent) or unknown (-1 or ?, in .csv also empty, in "
    ".json also null). "
)
CODINGS = "Other codings are read with label_map="


@pytest.mark.parametrize(
    ("name", "label", "count", "said"),
    [
        ("Hat", 7, None, ""),
        ("Hat", 7.0, 2, "This file has 2 invalid labels. "),
        ("age", "old", None, "A column of classes is read with one_hot=['age']. "),
        ("Hat", "b.PNG", 1, "The path of the image is the first column. "),
        (
            "Camera",
            "c1",
            3,
            "This file has 3 invalid labels. A column 'camera', in lower case, is not "
            "an attribute. ",
        ),
    ],
)
def test_an_invalid_label_is_an_error_with_the_remedy(name, label, count, said):
    error = wrong_label("a.csv, line 2", name, label, *([count] if count else []))
    assert str(error) == (
        f"a.csv, line 2: attribute {name!r} has the label {label!r}; {EXPECTED}{said}"
        f"{CODINGS}{{{label!r}: ...}}"
    )


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("kind", [np.int8, np.int64, np.float32, object])
def test_an_invalid_number_is_named_with_its_row_in_the_file(kind, count):
    labels = np.array([[5, 5], [0, 1], [0, 1], [1, 3], [3, 0]]).astype(kind)
    rows = np.array([2, 3, 4][: count + 1])
    found = Annotation("x.mat", ["Hat", "Bag"], pack_paths("abcde"), labels)
    found = replace(found, partitions=dict(val={0: rows}))
    said = "This file has 2 invalid labels. " if count == 2 else ""
    shown = labels.tolist()[3][1]
    message = (
        f"x.mat, row 4 (d): attribute 'Bag' has the label {shown!r}; {EXPECTED}{said}"
        f"{CODINGS}{{{shown!r}: ...}}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        found.select(AttributeSchema(("Hat", "Bag")), "val")
    message = message.replace("row 4 (d)", "line 13")
    found = replace(found, lines=np.arange(10, 15))
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        found.select(AttributeSchema(("Hat", "Bag")), "val")


@pytest.mark.parametrize("label", [-3, -2, 2])
@pytest.mark.parametrize("label_map", [None, {1.0: 1}, {1.0: 0}])
def test_small_numbers_that_are_no_labels_are_an_error(label, label_map):
    labels = np.array([[0], [label]], np.int8)
    found = Annotation("x.pkl", ["Hat"], pack_paths("ab"), labels)
    with pytest.raises(ValueError, match=rf"'Hat' has the label {label};"):
        select(found, label_map=label_map)


def test_the_label_map_of_a_format_is_for_labels_that_the_users_does_not_name():
    labels = np.array([[2], [1], [3]], np.int8)
    found = Annotation(
        "x", ["Hat"], pack_paths("abc"), labels, label_map={2.0: 0, 3.0: 1}
    )
    assert select(found, label_map={3: -1}).labels.tolist() == [[0], [1], [-1]]
    assert select(found, label_map={3.0: -1}).labels.tolist() == [[0], [1], [-1]]


# --- row numbers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [[1, 3], [[1.0], [3.0]], np.array([1, 3], np.uint8), range(1, 4, 2)]
    + [np.array([[1, 3]], object)],
)
def test_row_numbers_of_any_type_and_shape_count_from_0(rows):
    for first in (0, 1):
        found = checked_rows(rows, 4, "x.mat", first)
        assert found.dtype == np.int64
        assert found.tolist() == [1 - first, 3 - first]
    assert checked_rows(range(4), 4, "x.mat", 0).tolist() == [0, 1, 2, 3]


ROW_FAULTS = [
    ([1, 0], 1, "entry 2 is the row 0; there are 3 rows, numbered from 1 to 3"),
    ([[4], [0]], 1, "entry 1 is the row 4; there are 3 rows, numbered from 1 to 3"),
    ([2, 3], 0, "entry 2 is the row 3; there are 3 rows, numbered from 0 to 2"),
    ([-1], 0, "entry 1 is the row -1; there are 3 rows, numbered from 0 to 2"),
    (range(4), 0, "4 rows are listed, there are 3"),
    ([1.5, 1], 1, "expected row numbers, got array([1.5, 1. ])"),
    ([True], 0, "expected row numbers, got array([ True])"),
    (np.ones(3, np.uint8), 1, "expected row numbers, got a mask of 3 zeros and ones"),
    ([[0], [1], [0]], 0, "expected row numbers, got a mask of 3 zeros and ones"),
    (["1"], 0, "expected row numbers, got array(['1'], dtype='<U1')"),
    (np.array([1, None], object), 0, "expected row numbers, got array([1, None], dty"),
    (np.array([1, "a"], object), 0, "expected row numbers, got array([1, 'a'], dtype"),
    ([[1], [1, 2]], 0, "the lists in it differ in length: "),
]


@pytest.mark.parametrize(("rows", "first", "message"), ROW_FAULTS)
def test_row_numbers_that_are_none_are_an_error(rows, first, message):
    with pytest.raises(ValueError, match=f"^x.pkl: {re.escape(message)}"):
        checked_rows(rows, 3, "x.pkl", first)
