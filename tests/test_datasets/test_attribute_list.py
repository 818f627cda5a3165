"""Attribute lists of each format say the same, and say plainly what is wrong."""

import json
import re
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest

from mmpar.datasets import AttributeListDataset
from tests.fixtures.pa100k import REAL_ROWS, real_rows

NAMES = ["Hat", "Red Bag", "Boots"]
ROWS = [("a.jpg", [1, 0, -1]), ("sub/b.jpg", [0, 0, 1]), ("sub/c.jpg", [-1, -1, 1])]


class Unchecked(AttributeListDataset):
    """Lists without their images."""

    def find_missing(self, table):
        return np.empty(0, np.int64)


def rows_of(dataset):
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(info["img_path"], info["gt_score"].tolist()) for info in infos]


def read(tmp_path, name, text, **kwargs):
    """Write a list and read it; ``text`` is str, bytes, or an object for JSON."""
    path = tmp_path / name
    if not isinstance(text, (str, bytes)):
        text = json.dumps(text)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if name.endswith(".txt"):
        kwargs.setdefault("schema", dict(names=NAMES))
    return Unchecked(ann_file=str(path), **kwargs)


def json_list(labels=([1, 0, None], [0, 0, 1], ["?", -1, 1.0]), **more):
    images = [dict(path=row[0], labels=found) for row, found in zip(ROWS, labels)]
    return dict(attributes=NAMES, images=images, **more)


GOOD = {
    "plain.txt": "a.jpg 1 0 -1\nsub/b.jpg 0 0 1\nsub/c.jpg ? ? 1\n",
    "untidy.txt": "\ufeff# note\r\n\r\n a.jpg\t1  0 ? \r\nsub\\b.jpg 0 0 1\r\n"
    "sub/c.jpg -1 -1 1",
    "plain.csv": "path,Hat,Red Bag,Boots\na.jpg,1,0,\nsub/b.jpg,0,0,1\n"
    "sub/c.jpg,?,-1,1",
    "untidy.csv": "\ufefffile, Hat ,Red Bag,Boots\r\na.jpg,1, 0,?\r\n\r\n,,,\r\n"
    '"sub\\b.jpg",0,0,1\r\nsub/c.jpg,,,1\r\n',
    "pandas.csv": "path,Hat,Red Bag,Boots\na.jpg,1.0,0.0,\nsub/b.jpg,0.0,0.0,1\n"
    "sub/c.jpg,,-1.0,1\n",
    "plain.json": json_list(),
    "named.json": json_list(
        [{"Hat": 1, "Red Bag": 0}, {"Boots": True, "Hat": False, "Red Bag": 0}]
        + [{"Boots": 1}]
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_every_format_gives_the_same_samples(tmp_path, name):
    dataset = read(tmp_path, name, GOOD[name])
    assert rows_of(dataset) == ROWS
    assert dataset.schema.names == tuple(NAMES)


def test_a_text_lists_paths_may_contain_blanks(tmp_path):
    dataset = read(tmp_path, "a.txt", "my images/a 7 b.jpg 1 0 1\n")
    assert rows_of(dataset) == [("my images/a 7 b.jpg", [1, 0, 1])]


def test_a_quoted_csv_path_may_contain_commas(tmp_path):
    dataset = read(tmp_path, "a.csv", 'path,Hat\n"a, b.jpg",1\n')
    assert rows_of(dataset) == [("a, b.jpg", [1])]


@pytest.mark.parametrize("name", ["plain.csv", "plain.json", "named.json"])
def test_columns_are_matched_to_a_given_schema_by_name(tmp_path, name):
    schema = dict(names=["Boots", "Hat", "Red Bag"], groups=dict(foot=["Boots"]))
    dataset = read(tmp_path, name, GOOD[name], schema=schema)
    assert rows_of(dataset) == [(p, [r[2], r[0], r[1]]) for p, r in ROWS]
    assert dataset.schema.groups == {"foot": ("Boots",)}


def test_groups_come_from_the_json_file(tmp_path):
    groups = {"head": ["Hat"], "foot": ["Boots"]}
    dataset = read(tmp_path, "a.json", json_list(groups=groups))
    assert dataset.schema.to_dict()["groups"] == groups


def test_a_published_schema_reads_its_own_text_list(tmp_path):
    (tmp_path / "rows.txt").write_text("x.jpg " + " ".join("01" * 13))
    dataset = Unchecked(ann_file=str(tmp_path / "rows.txt"), schema="pa100k")
    assert dataset.schema.title == "PA-100K"
    assert dataset.get_labels().tolist() == [[0, 1] * 13]


def test_the_real_pa100k_text_list_is_read():
    rows = real_rows()
    assert rows_of(Unchecked(ann_file=str(REAL_ROWS), schema="pa100k")) == rows


def test_the_real_peta_text_list_is_read():
    path = Path(REAL_ROWS).parents[1] / "peta/PETA_test_list.txt"
    if not path.exists():
        pytest.skip(f"no {path}")
    schema = dict(names=[f"peta{i}" for i in range(35)])
    dataset = Unchecked(ann_file=str(path), schema=schema)
    lines = [line.split() for line in path.read_text().splitlines()]
    assert rows_of(dataset) == [(n, [float(w) for w in words]) for n, *words in lines]
    assert len(dataset) == 7_600


def test_data_root_and_prefix_are_joined_and_images_looked_up(tmp_path):
    (tmp_path / "p" / "sub").mkdir(parents=True)
    (tmp_path / "p" / "a.jpg").touch()
    (tmp_path / "rows.csv").write_text("path,Hat\na.jpg,1\nsub\\b.jpg,0\n")
    config = dict(data_root=str(tmp_path), ann_file="rows.csv", data_prefix="p")
    with pytest.raises(FileNotFoundError, match=r"1 of 2 .*/p/sub/b\.jpg"):
        AttributeListDataset(**config)
    (tmp_path / "p" / "sub" / "b.jpg").touch()
    assert len(AttributeListDataset(**config)) == 2


def test_a_lazy_list_knows_its_schema_and_reads_later(tmp_path):
    dataset = read(tmp_path, "a.csv", GOOD["plain.csv"], lazy_init=True)
    assert dataset.schema.names == tuple(NAMES)
    dataset.full_init()
    assert rows_of(dataset) == ROWS


BAD = {
    "too few labels": ("a.txt", "a.jpg 1 0 1\nb.jpg 1 0\n", "line 2: found 2 labels, "),
    "too many labels": (
        "a.txt",
        "a.jpg 1 0 1 1\n",
        "line 1: found 4 labels, expected 3",
    ),
    "no labels": (
        "a.txt",
        "\na.jpg 1 0 1\nb.jpg\n",
        "line 3: found 0 labels, expected 3 as in line 2",
    ),
    "odd label": (
        "a.txt",
        "a.jpg 1 2 1\n",
        "line 1: attribute 'Red Bag' has the label '2'",
    ),
    "odd word": ("a.txt", "a.jpg 1 yes 1\n", "attribute 'Red Bag' has the label 'yes'"),
    "blank in path": ("a.txt", "my a.jpg 1 0\n", "found 2 labels, expected 3"),
    "not utf-8": ("a.txt", "ä.jpg 1 0 1".encode("latin-1"), "is not UTF-8"),
    "empty list": ("a.txt", "# nothing\n", "has no samples"),
    "csv, too few": (
        "a.csv",
        "path,Hat,Bag\n\na.jpg,1\n",
        "line 3: found 1 labels, exp",
    ),
    "csv, too many": ("a.csv", "path,Hat\na.jpg,1,0\n", "line 2: found 2 labels, exp"),
    "csv, odd label": (
        "a.csv",
        "path,Hat\na.jpg,x\n",
        "line 2: attribute 'Hat' has the",
    ),
    "csv, no path": (
        "a.csv",
        "path,Hat\n,1\n",
        "line 2: the path, in the first column",
    ),
    "csv, no header": ("a.csv", "", "a.csv is empty"),
    "csv, no names": ("a.csv", "path\na.jpg\n", "has no attribute names; give them"),
    "csv, empty name": ("a.csv", "path,Hat,\na.jpg,1,\n", "none of its columns is"),
    "csv, repeated name": ("a.csv", "path,Hat,Hat\na.jpg,1,1\n", "a.csv repeats"),
    "csv, labels for a header": ("a.csv", "0001,1\n0002,0\n", "line 1 holds labels"),
    "csv, an image in the header": ("a.csv", "a.jpg,Hat\n", "line 1 holds labels or"),
    "csv, semicolons": (
        "a.csv",
        "path;Hat;Boots\na.jpg;1;0\n",
        "line 1 is separated by ';', expected commas: a header such as",
    ),
    "csv, row numbers of pandas": (
        "a.csv",
        ",path,Hat\n0,a.jpg,1\n",
        r"the first column, .* has no name in the header \['', 'path', 'Hat'\]; pandas",
    ),
    "csv, open quote": (
        "a.csv",
        'path,Hat\na.jpg,1\n"b.jpg,0\n' + "c.jpg,1\n" * 20_000,
        "a.csv, line 3: .*a quotation mark that is opened there is not closed",
    ),
    "csv, open quote in the header": (
        "a.csv",
        '"path,Hat\na.jpg,1\n',
        "a.csv, line 1: ",
    ),
    "csv, a NUL": ("a.csv", "path,Hat\na.jpg,1\n\0.jpg,1\n", "a.csv, line 3 has a NUL"),
    "json, odd group members": (
        "a.json",
        json_list(groups=dict(head=[1])),
        "a.json, metainfo, groups: 'head' holds 1",
    ),
    "json, odd groups": ("a.json", json_list(groups=["Hat"]), "'groups', an object"),
    "json, odd camera": (
        "a.json",
        dict(attributes=["a"], images=[dict(path="x", labels=[1], camera=[1])]),
        r"data_list\[0\] \(x\): .*'camera', a number or text; found \[1\]",
    ),
    "json, broken": ("a.json", '{"attributes": [', "a.json is not JSON: .* line 1"),
    "json, a list": ("a.json", [], "expected an object with 'metainfo'"),
    "json, no images": (
        "a.json",
        dict(attributes=["a"]),
        "expected an object with 'images', a list",
    ),
    "json, no path": (
        "a.json",
        dict(attributes=["a"], images=[dict(labels=[1])]),
        r"images\[0\]: expected an object with 'path', text",
    ),
    "json, no labels": (
        "a.json",
        dict(attributes=["a"], images=[dict(path="x")]),
        r"data_list\[0\] \(x\): found the labels \[\], expected either 'gt_score'",
    ),
    "json, too few": (
        "a.json",
        json_list([[1, 0, 1], [1, 0]]),
        r"data_list\[1\] \(sub/b\.jpg\): found 2 labels, expected 3",
    ),
    "json, odd label": (
        "a.json",
        json_list([[1, 0, 3]]),
        "attribute 'Boots' has the label 3",
    ),
    "json, a list as a label": (
        "a.json",
        json_list([[1, 0, [1]]]),
        r"a\.jpg\): attribute 'Boots' has the label \[1\]",
    ),
    "json, odd name": ("a.json", json_list([{"Hut": 1}]), r"labels for \['Hut'\]"),
    "json, odd group": (
        "a.json",
        json_list(groups=dict(head=["Hut"])),
        "a.json: group 'head' .* 'Hut'",
    ),
    "unknown ending": (
        "a.xml",
        "",
        "end in one of .*'.csv', '.json', '.jsonl', '.pkl', '.txt'",
    ),
}


@pytest.mark.parametrize(("name", "text", "match"), BAD.values(), ids=BAD)
def test_a_fault_is_an_error_that_names_file_and_place(tmp_path, name, text, match):
    with pytest.raises(ValueError, match=match) as caught:
        read(tmp_path, name, text)
    assert match.startswith("has no samples") or name in str(caught.value)


@pytest.mark.parametrize("name", ["plain.csv", "plain.json"])
def test_other_attributes_than_the_schemas_are_an_error_with_both(tmp_path, name):
    match = re.escape("lacks ['Scarf'], the schema lacks ['Red Bag', 'Boots']")
    with pytest.raises(ValueError, match=match):
        read(tmp_path, name, GOOD[name], schema=dict(names=["Scarf", "Hat"]))


def test_a_text_list_without_a_schema_asks_for_one(tmp_path):
    with pytest.raises(ValueError, match=r"a\.txt has no attribute names.*schema=dict"):
        read(tmp_path, "a.txt", "a.jpg 1", schema=None)


@pytest.mark.parametrize("name", ["no.txt", "no.csv", "no.json"])
def test_a_missing_list_is_an_error_that_names_it(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=f"{name}.*check data_root"):
        Unchecked(ann_file=str(tmp_path / name), schema=dict(names=NAMES))


def test_a_split_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(ValueError, match=r"no column 'split'.*ann_file"):
        read(tmp_path, "a.csv", GOOD["plain.csv"], split="train")


# --- columns that are no attributes, and classes ----------------------------------

TABLE = (
    "path,split,Hat,person_id,age,camera,domain\n"
    "a.jpg,train,1,0007,young,c1,3\n"
    "b.jpg,train,0,8.0,old,c2,3\n"
    "c.jpg,test,,,?,c1,10\n"
    "d.jpg,test,1,7,young,,3\n"
)
ONE_HOT = ["age"]


def column(dataset, name):
    return dataset.table.columns[name].tolist()


def as_json(table):
    """The same list as JSON."""
    header, *lines = [line.split(",") for line in table.split()]
    rows = [dict(zip(header, cells)) for cells in lines]
    labels = [{name: row.pop(name) for name in ("Hat", "age")} for row in rows]
    images = [dict(row, labels=found) for row, found in zip(rows, labels)]
    return dict(attributes=["Hat", "age"], images=images)


@pytest.mark.parametrize("name", ["a.csv", "a.json"])
def test_known_columns_are_no_attributes_and_classes_become_some(tmp_path, name):
    text = TABLE if name == "a.csv" else as_json(TABLE)
    dataset = read(tmp_path, name, text, one_hot=ONE_HOT)
    assert dataset.schema.names == ("Hat", "age:old", "age:young")
    assert rows_of(dataset) == [
        ("a.jpg", [1, 0, 1]),
        ("b.jpg", [0, 1, 0]),
        ("c.jpg", [-1, -1, -1]),
        ("d.jpg", [1, 0, 1]),
    ]
    assert column(dataset, "person_id") == [7, 8, -1, 7]
    assert column(dataset, "domain") == [3, 3, 10, 3]
    assert column(dataset, "camera") == ["c1", "c2", "c1", ""]
    assert column(dataset, "split") == ["train", "train", "test", "test"]
    assert dataset.get_data_info(1)["person_id"] == 8


def test_the_groups_of_a_column_are_those_of_its_classes(tmp_path):
    content = dict(as_json(TABLE), groups=dict(head=["Hat"], upper=["age"]))
    dataset = read(tmp_path, "a.json", content, one_hot=ONE_HOT)
    assert dataset.schema.groups == {
        "head": ("Hat",),
        "upper": ("age:old", "age:young"),
    }


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_lines_of_a_table_end_as_on_any_system(tmp_path, end):
    dataset = read(tmp_path, "a.csv", TABLE.replace("\n", end), one_hot=ONE_HOT)
    assert column(dataset, "camera") == ["c1", "c2", "c1", ""]


@pytest.mark.parametrize("name", ["a.csv", "a.json"])
def test_a_split_is_the_rows_that_say_so(tmp_path, name):
    text = TABLE if name == "a.csv" else as_json(TABLE)
    dataset = read(tmp_path, name, text, one_hot=ONE_HOT, split="test")
    assert [path for path, _ in rows_of(dataset)] == ["c.jpg", "d.jpg"]
    assert dataset.schema.names == ("Hat", "age:old", "age:young")
    assert "split" not in dataset.table.columns
    assert column(dataset, "person_id") == [-1, 7]


def test_a_split_that_is_not_there_is_an_error_with_those_that_are(tmp_path):
    match = r"has the splits \['test', 'train'\], got split='val'"
    with pytest.raises(ValueError, match=match):
        read(tmp_path, "a.csv", TABLE, one_hot=ONE_HOT, split="val")


@pytest.mark.parametrize(("listed", "stored"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_file_whose_name_has_the_other_form_of_unicode_is_found(
    tmp_path, listed, stored
):
    names = ["M\u00fcller.jpg", "plain.jpg"]
    for name in names:
        (tmp_path / normalize(stored, name)).touch()
    rows = "".join(f"{normalize(listed, name)},1\n" for name in names)
    (tmp_path / "a.csv").write_text(f"path,Hat\n{rows}", encoding="utf-8")
    dataset = AttributeListDataset(
        data_root=str(tmp_path), ann_file="a.csv", data_prefix="."
    )
    paths = [dataset.get_data_info(i)["img_path"] for i in range(2)]
    assert all(Path(path).exists() for path in paths)
    assert [normalize("NFC", Path(path).name) for path in paths] == names


def test_a_missing_file_is_still_missing_beside_one_in_the_other_form(tmp_path):
    (tmp_path / normalize("NFD", "M\u00fcller.jpg")).touch()
    text = "path,Hat\nM\u00fcller.jpg,1\nabsent\u00e9.jpg,0\n"
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"1 of 2 images listed .*absent"):
        AttributeListDataset(data_root=str(tmp_path), ann_file="a.csv", data_prefix=".")


@pytest.mark.parametrize("ending", [".txt", ".csv", ".json"])
@pytest.mark.parametrize("key", [-1, "-1"])
def test_a_list_coded_minus_one_and_one_is_read_by_label_map(tmp_path, ending, key):
    text = {
        ".txt": "a.jpg 1 -1\nb.jpg -1 ?\n",
        ".csv": "path,Hat,Boots\na.jpg,1,-1\nb.jpg,-1,\n",
        ".json": '{"attributes": ["Hat", "Boots"], "images": [{"path": "a.jpg", '
        '"labels": [1, -1]}, {"path": "b.jpg", "labels": [-1, null]}]}',
    }[ending]
    (tmp_path / f"a{ending}").write_text(text)
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).touch()
    dataset = AttributeListDataset(
        data_root=str(tmp_path),
        data_prefix=".",
        ann_file=f"a{ending}",
        schema=dict(names=["Hat", "Boots"]),
        label_map={key: 0},
    )
    assert dataset.get_labels().tolist() == [[1, 0], [0, -1]]


def test_a_header_of_labels_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a.jpg,1,0\nb.jpg,0,1\n")
    with pytest.raises(ValueError, match="line 1 holds labels"):
        AttributeListDataset(data_root=str(tmp_path), ann_file="a.csv")


@pytest.mark.parametrize(
    ("line", "found"),
    [("a.jpg;1;0", ";"), ("a.jpg,1,0", ","), ("a.jpg [1,0]", r"\["), (",0,1", ",")],
)
def test_other_separators_are_named(tmp_path, line, found):
    (tmp_path / "a.txt").write_text(line + "\n")
    with pytest.raises(ValueError, match=rf"line 1: found .*{found}"):
        AttributeListDataset(
            data_root=str(tmp_path), ann_file="a.txt", schema=dict(names=["Hat", "b"])
        )


@pytest.mark.parametrize("line", ["a b.jpg\t1,0", "a b.jpg 1,0,", "a b.jpg 1 0"])
def test_labels_between_commas_and_blanks_are_read(tmp_path, line):
    (tmp_path / "a.txt").write_text(line + "\n")
    (tmp_path / "a b.jpg").touch()
    dataset = AttributeListDataset(
        data_root=str(tmp_path),
        data_prefix=".",
        ann_file="a.txt",
        schema=dict(names=["Hat", "Boots"]),
    )
    assert dataset.get_labels().tolist() == [[1, 0]]
    assert Path(dataset.get_data_info(0)["img_path"]).name == "a b.jpg"


def test_columns_choose_the_split_and_classes_become_attributes(tmp_path):
    (tmp_path / "a.csv").write_text(
        "path,Hat,age,split,person_id\n"
        "a.jpg,1,old,train,7\nb.jpg,0,young,test,8\nc.jpg,0,,train,7\n"
    )
    for name in "abc":
        (tmp_path / f"{name}.jpg").touch()
    dataset = AttributeListDataset(
        data_root=str(tmp_path),
        data_prefix=".",
        ann_file="a.csv",
        split="train",
        one_hot=["age"],
    )
    assert dataset.schema.names == ("Hat", "age:old", "age:young")
    assert dataset.get_labels().tolist() == [[1, 1, 0], [0, -1, -1]]
    assert [int(dataset.get_data_info(i)["person_id"]) for i in range(2)] == [7, 7]


@pytest.mark.parametrize("name", ["a.txt", "a.csv"])
def test_a_list_of_paths_alone_has_unknown_labels(tmp_path, name):
    header = "path\n" if name.endswith(".csv") else ""
    (tmp_path / name).write_text(f"{header}a.jpg\n")
    (tmp_path / "a.jpg").touch()
    dataset = AttributeListDataset(
        data_root=str(tmp_path),
        data_prefix=".",
        ann_file=name,
        schema=dict(names=["Hat", "Boots"]),
    )
    assert dataset.get_labels().tolist() == [[-1, -1]]
