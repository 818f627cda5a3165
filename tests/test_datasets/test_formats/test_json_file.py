"""JSON of any content is read, or refused by a ValueError that names the file."""

import json

import numpy as np
import pytest

from mmpar.datasets import PA100K, AttributeListDataset, WIDERAttribute
from mmpar.datasets.formats import files, openmmlab_json
from mmpar.datasets.formats.coco import COCOBoxes, read_coco_keypoints
from mmpar.datasets.formats.files import (
    entry,
    numbers,
    parse_json,
    read_json,
    texts,
)
from mmpar.structures import build_schema

SCHEMA = dict(names=["Hat", "Boots"])
READERS = {
    "list": lambda path: AttributeListDataset(ann_file=path),
    "release": lambda path: WIDERAttribute(ann_file=path, split="train"),
    "boxes": lambda path: COCOBoxes(path, build_schema(SCHEMA)),
    "keypoints": lambda path: read_coco_keypoints(path, ["a.jpg"]),
}
TEXTS = {
    "no JSON": "{",
    "nested too deeply": "[" * 100_000,
    "a number of 5,000 digits": "9" * 5000,
    "half a character": '{"images": "\\ud800"}',
    "a NUL": '{"images": "\\u0000"}',
    "a raw NUL": '{"images": "\0"}',
    "no object": '"images"',
    "nothing": "null",
    "keys of other kinds": '{"images": {}, "attributes": 1, "annotations": "x"}',
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("reader", READERS)
def test_any_json_is_refused_by_one_error_with_the_file_s_name(tmp_path, reader, text):
    path = tmp_path / "x.json"
    path.write_text(TEXTS[text])
    with pytest.raises(ValueError, match=r"x\.json") as error:
        READERS[reader](str(path))
    assert error.type is ValueError


def test_numbers_and_texts_are_as_json_says(tmp_path):
    path = tmp_path / "x.json"
    content = dict(id=10**18 - 1, name="Ärmel \udcff", half=0.123456789012345678901)
    path.write_text(json.dumps(content))
    assert read_json(str(path)) == content
    path.write_text('{"path": "C:\\\\u0000"}')  # a backslash, then u0000
    assert read_json(str(path)) == {"path": "C:\\u0000"}
    longest = "999999999999999999"  # beside a fraction with more digits
    path.write_text(f'{{"id": -{longest}, "half": 0.{longest}9}}')
    assert read_json(str(path))["id"] == -int(longest)
    path.write_text(str(10**18))
    with pytest.raises(ValueError, match="more than 18 digits"):
        read_json(str(path))


@pytest.mark.parametrize("name", [r"a\u0000.jpg", r"\\\u0000", r"\ud800", r"\uDfff"])
def test_a_nul_or_half_a_character_is_never_part_of_a_name(name):
    with pytest.raises(ValueError, match=r"x\.json: a text has \\u0000 or half a char"):
        parse_json(f'{{"path": "{name}"}}', "x.json")


def test_entries_of_another_kind_are_errors_that_show_them():
    found = dict(box=[1, 2.5, True], names=["a", 1], bad=[1, float("nan"), 2])
    assert numbers(found, "box", 3, "x.json") == [1, 2.5, 1]
    with pytest.raises(ValueError, match=r"x\.json: 'bad' is .*nan.* 3 numbers"):
        numbers(found, "bad", 3, "x.json")
    with pytest.raises(ValueError, match=r"'box' is .* expected 4 numbers"):
        numbers(found, "box", 4, "x.json")
    with pytest.raises(ValueError, match="'names' holds 1 where text is expected"):
        texts(found, "names", "x.json")
    with pytest.raises(ValueError, match=r"with 'box', text; found .* there"):
        entry(found, "box", str, "x.json")
    with pytest.raises(ValueError, match=r"an object with 'box', a list; found \[\]"):
        entry([], "box", list, "x.json")


def test_labels_as_pandas_writes_them_are_numbers(tmp_path):
    """A column with a missing value holds 1.0 and 0.0; one of bool True and False."""
    labels = [[1.0, True], [0.0, False], [float("nan"), None]]
    rows = "a.jpg,1.0,True\nb.jpg,0.0,False\nc.jpg,,\n"
    (tmp_path / "x.csv").write_text(f"path,Hat,Boots\n{rows}")
    images = [dict(path=f"{n}.jpg", labels=row) for n, row in zip("abc", labels)]
    content = dict(attributes=["Hat", "Boots"], images=images)
    (tmp_path / "x.json").write_text(json.dumps(content))
    text = "a.jpg 1.0 true\nb.jpg 0.0 false\nc.jpg -1.0 ?\n"
    (tmp_path / "x.txt").write_text(text)
    for name in "abc":
        (tmp_path / f"{name}.jpg").touch()
    for ending, more in ((".csv", {}), (".json", {}), (".txt", dict(schema=SCHEMA))):
        dataset = AttributeListDataset(
            ann_file=str(tmp_path / f"x{ending}"), data_prefix=str(tmp_path), **more
        )
        np.testing.assert_array_equal(
            dataset.get_labels(), [[1, 1], [0, 0], [-1, -1]], ending
        )


HEADER = dict(
    format="mmpar-annotation-1",
    dataset="x",
    schema=SCHEMA,
    parts=[["train", 0]],
)
ROW = dict(path="a.jpg", labels=[1, 0], split="train", partition=0)
LINES = {
    "no schema": ([{**HEADER, "schema": None}], "line 1: .*'schema', an object"),
    "no names": ([{**HEADER, "schema": {}}], "line 1: .*'names', a list"),
    "odd names": ([{**HEADER, "schema": dict(names=[1])}], "'names' holds 1"),
    "odd groups": (
        [{**HEADER, "schema": {**SCHEMA, "groups": dict(head=1)}}],
        "groups: .*'head', a list",
    ),
    "a column of objects": (
        [HEADER, {**ROW, "camera": {}}],
        "line 2 .*'camera', a number or text",
    ),
    "an invalid label": (
        [HEADER, ROW, {**ROW, "labels": [7, 0]}],
        "line 3: attribute .* has the label 7",
    ),
}


@pytest.mark.parametrize("fault", LINES)
def test_a_portable_annotation_of_another_form_says_what_is_wrong(tmp_path, fault):
    lines, message = LINES[fault]
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    kwargs = dict(ann_file=str(path), data_prefix=str(tmp_path))
    for reader in (
        lambda: AttributeListDataset(**kwargs),
        lambda: PA100K(split="train", schema=SCHEMA, **kwargs),
    ):
        with pytest.raises(ValueError, match=rf"x\.jsonl.*{message}") as error:
            reader()
        assert error.type is ValueError


@pytest.mark.parametrize(
    "cells",
    [[{}, dict(height=1)], [dict(height="c"), dict(height=1)]]
    + [[dict(height=[1, 2]), dict(height=[1])], [dict(height={}), dict(height={})]],
)
def test_entries_that_images_have_in_two_kinds_are_named_and_not_read(
    tmp_path, cells, monkeypatch
):
    logged = []
    monkeypatch.setattr(files, "print_log", lambda text, *_: logged.append(text))
    rows = [dict(img_path="a.jpg", gt_label=[0], width=1, **cell) for cell in cells]
    path = tmp_path / "x.json"
    content = dict(metainfo=dict(classes=["Hat", "Boots"]), data_list=rows)
    path.write_text(json.dumps(content))
    for _ in range(2):  # as train and val of one file
        assert list(openmmlab_json.read_openmmlab(str(path)).columns) == ["width"]
    (line,) = logged
    assert "x.json: the entries ['height'] do not have one type in all images" in line


def test_a_label_as_deep_as_python_goes_is_an_error_of_the_list(tmp_path):
    path = tmp_path / "x.json"
    kinds = set()
    # From what is parsed to what is not, which with Python 3.13 is beyond 10,000.
    for depth in (*range(600, 1000, 3), 20_000):
        label = "[" * depth + "]" * depth
        content = (
            f'{{"attributes": ["a"], "images": [{{"path": "b", "labels": [{label}]}}]}}'
        )
        path.write_text(content)
        with pytest.raises(ValueError, match=r"x\.json") as error:
            AttributeListDataset(ann_file=str(path))
        kinds.add(str(error.value).split("; ")[0][-20:])
    assert len(kinds) == 2
