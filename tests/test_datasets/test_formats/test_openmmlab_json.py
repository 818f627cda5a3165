"""OpenMMLab's annotation files: what is read of them, and what is written."""

import json
import re

import numpy as np
import pytest

from mmpar.datasets.formats import AnnotationTable
from mmpar.datasets.formats.openmmlab_json import (
    annotation_of,
    openmmlab_text,
    read_json_lines,
    read_openmmlab,
)

# --- reading --------------------------------------------------------------------------


def read(*images, classes=("Hat", "Boots"), **metainfo):
    metainfo = dict(classes=[*classes], **metainfo)
    images = [{"img_path": f"{i}.jpg", **image} for i, image in enumerate(images)]
    return annotation_of(dict(metainfo=metainfo, data_list=images), "x.json")


def select(annotation, **options):
    return annotation.select(annotation.schema(), **options)


def test_positions_are_attributes_present_and_scores_are_a_label_each():
    found = read(
        dict(gt_label=[1]),
        dict(gt_label=[1, 0]),
        dict(gt_label=[], gt_score=None),
        dict(gt_score=[1, None]),
        dict(gt_score=[0.0, float("nan")]),
        dict(gt_score=[-1, True]),
    )
    labels = [[0, 1], [1, 1], [0, 0], [1, -1], [0, -1], [-1, 1]]
    assert select(found).labels.tolist() == labels


@pytest.mark.parametrize("place", [-1, 2, True, 1.0, "1", None])
def test_a_position_that_no_attribute_has_is_an_error(place):
    message = (
        f"x.json, data_list[1] (1.jpg): 'gt_label' holds {place!r}, expected positions "
        "of attributes from 0 to 1"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read(dict(gt_label=[0]), dict(gt_label=[0, place, 7]))


@pytest.mark.parametrize(
    ("image", "given"),
    [
        (dict(gt_label=[0], gt_score=[1, 0]), ["gt_label", "gt_score"]),
        (dict(gt_label=None), []),
    ],
)
def test_both_kinds_of_labels_or_none_are_an_error(image, given):
    message = f"x.json, data_list[0] (0.jpg): found the labels {given}, expected either"
    with pytest.raises(ValueError, match=f"^{re.escape(message)} 'gt_score', a label"):
        read(image)


@pytest.mark.parametrize("labels", [[1], [1, 0, 1]])
def test_another_number_of_scores_is_an_error_with_both(labels):
    match = rf"data_list\[0\] \(0\.jpg\): found {len(labels)} labels, expected 2, one"
    with pytest.raises(ValueError, match=match):
        read(dict(gt_score=labels))


def test_an_image_that_is_no_object_is_an_error_at_its_place():
    content = dict(metainfo=dict(classes=[]), data_list=[dict(img_path="a"), 1])
    match = r"^x\.json, data_list\[1\]: expected an object with 'img_path', text"
    with pytest.raises(ValueError, match=match):
        annotation_of(content, "x.json")


def test_a_label_that_is_a_list_is_an_error_with_the_number_of_the_image():
    match = r"^x\.json, row 2 \(1\.jpg\): attribute 'Boots' has the label \[1\]"
    with pytest.raises(ValueError, match=match):
        read(dict(gt_label=[0]), dict(gt_score=[0, [1]]))


def test_entries_of_one_kind_in_all_images_are_columns():
    entries = [
        dict(note="night", width=192, bbox=[1, 2, 3, 4], Hat="felt", odd=[1, "x"]),
        dict(note="", width=96.5, bbox=[5, 6, 7, 8.5], Hat="straw", odd=[2, "y"]),
    ]
    found = read(*(dict(entry, gt_label=[0]) for entry in entries)).columns
    assert list(found) == ["note", "width", "bbox"]
    assert found["note"].tolist() == ["night", ""]
    assert found["width"].tolist() == [192, 96.5]
    assert found["bbox"].tolist() == [[1, 2, 3, 4], [5, 6, 7, 8.5]]


def test_known_entries_may_be_missing_in_some_images():
    nan = float("nan")
    images = [dict(camera="c1", person_id=7.0), dict(person_id=nan), dict(domain=None)]
    found = read(*(dict(image, gt_label=[0]) for image in images)).columns
    assert found["camera"].tolist() == ["c1", "", ""]
    assert found["person_id"].tolist() == [7, -1, -1]
    assert found["domain"].tolist() == ["", "", ""]


def test_known_entries_that_are_numbers_are_read_as_such_also_from_text():
    images = [dict(person_id="0007"), dict(person_id="8.0")]
    found = read(*(dict(image, gt_label=[0]) for image in images)).columns
    assert found["person_id"].tolist() == [7, 8]


def test_split_and_the_number_partition_say_where_an_image_belongs():
    places = [("train", 0), ("val", 1), ("train", 1), ("train", 0)]
    found = read(*(dict(gt_label=[], split=s, partition=p) for s, p in places))
    rows = {
        s: {p: rows.tolist() for p, rows in of.items()}
        for s, of in found.partitions.items()
    }
    assert rows == dict(train={0: [0, 3], 1: [2]}, val={1: [1]})
    assert list(found.columns) == ["split"]


@pytest.mark.parametrize(
    ("entries", "columns"),
    [
        (dict(split="train", partition="a"), ["split", "partition"]),
        (dict(partition=3), ["partition"]),
    ],
)
def test_a_partition_of_text_or_without_a_split_is_a_column(entries, columns):
    found = read(dict(entries, gt_label=[]))
    assert list(found.columns) == columns
    assert found.columns["partition"].tolist() == [entries["partition"]]
    expected = {"train": {0: [0]}} if "split" in entries else None
    assert found.partitions == expected


def test_a_file_without_classes_and_labels_is_for_prediction():
    found = read(dict(camera="c1"), {}, classes=())
    assert found.schema() is None
    assert found.labels.shape == (2, 0)
    with pytest.raises(ValueError, match=r"found 1 labels, expected 0"):
        read(dict(gt_score=[1]), classes=())


def test_the_schema_of_a_file_is_its_classes_in_groups():
    schema = dict(
        names=["something", "else"],
        title="theirs",
        groups=dict(head=["Hat"]),
        exclusive=[["Hat", "Boots"]],
    )
    found = read(dict(gt_label=[]), schema=schema).schema()
    assert found.names == ("Hat", "Boots")
    assert found.title == "x.json"
    assert found.groups == {"head": ("Hat",)}
    assert found.exclusive == (("Hat", "Boots"),)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ([], "x.json, metainfo: expected an object with 'schema', an object"),
        (dict(groups=[]), "x.json, metainfo, schema: expected an object with 'groups'"),
        (
            dict(groups={"a": 1}),
            "x.json, metainfo, groups: expected an object with 'a'",
        ),
    ],
)
def test_a_schema_of_another_form_is_an_error_at_its_place(schema, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        read(schema=schema)


# --- forms of before ------------------------------------------------------------------


def test_a_file_of_neither_form_is_an_error_with_its_first_entries():
    content = dict.fromkeys("ihgfedcba")
    message = (
        "x.json: expected an object with 'metainfo' and 'data_list', found the entries "
        "['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        annotation_of(content, "x.json")


def test_an_old_list_keeps_its_known_entries_and_no_others():
    image = dict(path="a.jpg", labels=[1], person_id=7, split="val", height=3)
    content = dict(attributes=["Hat"], images=[image], groups=dict(head=["Hat"]))
    found = annotation_of(content, "x.json")
    assert list(found.columns) == ["split", "person_id"]
    assert found.schema().groups == {"head": ("Hat",)}


def test_half_an_old_list_is_an_error_with_the_other_half():
    with pytest.raises(ValueError, match="an object with 'images', a list; found"):
        annotation_of(dict(attributes=["Hat"]), "x.json")
    with pytest.raises(ValueError, match="an object with 'attributes', a list; found"):
        annotation_of(dict(images=[]), "x.json")


def test_labels_of_an_old_list_may_have_names_and_those_without_are_unknown():
    labels = [dict(Boots=1, Hat=0), dict(Boots=1), {}]
    images = [dict(path=f"{i}.jpg", labels=row) for i, row in enumerate(labels)]
    content = dict(attributes=["Hat", "Boots"], images=images)
    found = select(annotation_of(content, "x.json"))
    assert found.labels.tolist() == [[0, 1], [-1, 1], [-1, -1]]
    images[1]["labels"] = dict(Boot=1, Hat=0, Hut=1)
    message = (
        "x.json, images[1] (1.jpg): labels for ['Boot', 'Hut'], which are not in "
        "'attributes' ['Hat', 'Boots']"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        annotation_of(content, "x.json")


HEADER = dict(format="mmpar-annotation-1", schema=dict(names=["Hat"], title="mine"))


def write_lines(root, *lines):
    path = root / "x.jsonl"
    text = "\n".join(
        line if isinstance(line, str) else json.dumps(line) for line in lines
    )
    path.write_text(text)
    return str(path)


def test_blank_lines_between_old_lines_are_skipped_and_counted(tmp_path):
    rows = [dict(path=f"{i}.jpg", labels=[label]) for i, label in enumerate([1, 7])]
    path = write_lines(tmp_path, "", HEADER, " ", rows[0], "", rows[1])
    found = read_json_lines(path)
    assert found.lines.tolist() == [4, 6]
    assert list(found.images) == ["0.jpg", "1.jpg"]
    with pytest.raises(ValueError, match="line 6: attribute 'Hat' has the label 7"):
        select(found)
    for row, match in {
        '{"labels": [1]}': "expected an object with 'path', text",
        '{"path": "a"}': "expected an object with 'labels', a list",
        "{": "is not JSON",
        '{"path": "a", "labels": []}': r"\(a\): found 0 labels",
    }.items():
        path = write_lines(tmp_path, "", HEADER, " ", rows[0], "", row)
        with pytest.raises(ValueError, match=rf"x\.jsonl, line 6:? {match}"):
            read_json_lines(path)


@pytest.mark.parametrize(
    ("lines", "number"),
    [([" "], 1), (["", "", "{}"], 3), ([[]], 1), ([dict(HEADER, format="other")], 1)],
)
def test_lines_that_do_not_begin_with_the_format_are_refused(tmp_path, lines, number):
    path = write_lines(tmp_path, *lines)
    match = rf"x\.jsonl, line {number} does not name the format 'mmpar-annotation-1'"
    with pytest.raises(ValueError, match=match):
        read_json_lines(path)


# --- writing --------------------------------------------------------------------------


def table(paths, labels, **columns):
    columns = {name: np.array(values) for name, values in columns.items()}
    return AnnotationTable.of(paths, np.array(labels), columns)


def test_a_file_has_a_line_for_each_image_with_its_positions():
    tables = [
        ("train", 0, table(["ä.jpg", "b.jpg"], [[0, 1], [0, 0]], camera=["c1", "c2"])),
        ("val", 1, table(["c.jpg"], [[1, 1]])),
    ]
    assert "".join(openmmlab_text(dict(classes=["Hat", "Müff"]), iter(tables))) == (
        '{"metainfo":{"classes":["Hat","Müff"]},\n"data_list":[\n'
        '{"img_path":"ä.jpg","gt_label":[1],"split":"train","partition":0,'
        '"camera":"c1"},\n'
        '{"img_path":"b.jpg","gt_label":[],"split":"train","partition":0,'
        '"camera":"c2"},\n'
        '{"img_path":"c.jpg","gt_label":[0,1],"split":"val","partition":1}\n'
        "]}\n"
    )


def test_one_unknown_label_makes_scores_of_all():
    tables = [("a", 0, table(["a.jpg"], [[0, 1]])), ("b", 0, table(["b"], [[-1, 0]]))]
    written = json.loads("".join(openmmlab_text({}, tables)))["data_list"]
    assert [image.get("gt_score") for image in written] == [[0, 1], [-1, 0]]
    assert not any("gt_label" in image for image in written)


def test_what_is_written_is_what_is_read(tmp_path):
    given = table(["a.jpg", "b.jpg"], [[1, -1], [0, 1]], bbox=[[1, 2.5]] * 2)
    text = "".join(openmmlab_text(dict(classes=["Hat", "Bag"]), [("val", 3, given)]))
    (tmp_path / "x.json").write_text(text)
    found = select(read_openmmlab(str(tmp_path / "x.json")), split="val", partition=3)
    assert list(found.paths) == list(given.paths)
    assert found.labels.tolist() == given.labels.tolist()
    assert found.columns["bbox"].tolist() == given.columns["bbox"].tolist()


def test_a_column_that_says_the_same_as_an_entry_is_written_once():
    given = table(["a"], [[1]], split=["val"], partition=[2])
    (image,) = json.loads("".join(openmmlab_text({}, [("val", 2, given)])))["data_list"]
    assert image == dict(img_path="a", gt_label=[0], split="val", partition=2)


@pytest.mark.parametrize("name", ["split", "partition", "img_path", "gt_label"])
def test_a_column_that_contradicts_an_entry_is_an_error_with_five_values(name):
    given = table(["a"] * 8, [[1]] * 8, **{name: [1, 7, 5, 2, 3, 4, 6, 5]})
    value = dict(split="val", partition=1).get(name)
    rest = [2, 3, 4, 5, 6] if name == "partition" else [1, 2, 3, 4, 5]
    message = (
        f"the column {name!r} holds {rest} in rows that are written as "
        f"{name}={value!r}; rename the column"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        "".join(openmmlab_text({}, [("val", 1, given)]))
