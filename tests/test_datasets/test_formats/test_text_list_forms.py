"""Text lists as people write them: comments, commas, no labels, a header."""

import logging
import os
from pathlib import Path

import pytest

from mmpar.datasets.formats import lists as text_list
from mmpar.datasets.formats.annotation import checked_label_map
from mmpar.datasets.formats.lists import plain_lines, read_text
from mmpar.structures import AttributeSchema

CASES = Path(__file__).parents[4] / "shared/cases"
SCHEMA = AttributeSchema(("Hat", "Bag", "Boots"))
ROWS = [("a/one.jpg", [1, 0, 1]), ("b/two.jpg", [0, 0, 1])]


@pytest.fixture
def log(monkeypatch):
    """What is logged, as pairs of level and message."""
    said = []
    monkeypatch.setattr(
        text_list,
        "print_log",
        lambda message, logger, level=logging.INFO: said.append((level, message)),
    )
    return said


def read(tmp_path, text, label_map=None):
    file = tmp_path / "list.txt"
    file.write_text(text, encoding="utf-8")
    table = read_text(str(file)).select(SCHEMA, label_map=checked_label_map(label_map))
    return list(zip(table.paths, table.labels.tolist()))


def test_comments_are_counted_and_those_like_samples_are_shown(tmp_path, log):
    text = "# Hat Bag Boots\n#one.jpg 1 0 1\na/one.jpg 1 0 1\n# b.jpg 0,0,1\n"
    assert read(tmp_path, text) == ROWS[:1]
    (level, count), (like_level, like) = log
    assert (level, like_level) == (logging.INFO, logging.WARNING)
    assert count.endswith("list.txt: 3 lines begin with # and are comments")
    assert "2 look like samples, first line 2: '#one.jpg 1 0 1'" in like
    assert "write ./#" in like


def test_comments_of_a_list_of_paths_look_like_samples_if_they_are_a_path(
    tmp_path, log
):
    text = "# as before: one.jpg\na/one.jpg\n#two.jpg\n"
    assert read(tmp_path, text) == [("a/one.jpg", [-1] * 3)]
    assert log[1][1].endswith("list.txt: 2 lines begin with # and are comments")
    assert "1 look like samples, first line 3: '#two.jpg'. They" in log[2][1]


def test_a_list_without_comments_says_nothing(tmp_path, log):
    assert read(tmp_path, "a/one.jpg 1 0 1\nb/two.jpg 0 0 1\n") == ROWS
    assert log == []


@pytest.mark.parametrize("other", ["plain.jpg 0 0 1", "not  plain.jpg 0 0 1"])
def test_an_image_whose_name_begins_with_a_hash_has_a_way_in(tmp_path, log, other):
    rows = read(tmp_path, f"{other}\n./#one.jpg 1 0 1\n./two.jpg 0 0 0\n")
    assert rows[1:] == [("#one.jpg", [1, 0, 1]), ("./two.jpg", [0, 0, 0])]
    assert log == []


COMMAS = {
    "PP-Human": ("a/one.jpg\t1,0,1\nb/two.jpg\t0,0,1\n", True),
    "blank": ("a/one.jpg 1,0,1\nb/two.jpg 0,0,1", True),
    "comma at the end": ("a/one.jpg 1,0,1,\nb/two.jpg 0,0,1,\n", False),
    "blanks after commas": ("a/one.jpg 1, 0, 1\nb/two.jpg 0, 0, 1\n", False),
    "both kinds of lines": ("a/one.jpg 1,0,1\nb/two.jpg 0 0 1\n", False),
    "Windows": ("a/one.jpg\t1,0,1\r\nb\\two.jpg\t0,0,1\r\n", False),
}


@pytest.mark.parametrize(("text", "at_once"), COMMAS.values(), ids=COMMAS)
def test_labels_may_be_separated_by_commas(tmp_path, log, text, at_once):
    assert read(tmp_path, text) == ROWS
    assert (plain_lines(text.encode(), 3, 5) is not None) == at_once


def test_paths_keep_their_blanks_and_commas_before_a_comma_list(tmp_path, log):
    text = "my dir/a, b 7.jpg 1,0,1\nmy dir/a,1.jpg 0 0 1\n"
    assert read(tmp_path, text) == [
        ("my dir/a, b 7.jpg", [1, 0, 1]),
        ("my dir/a,1.jpg", [0, 0, 1]),
    ]


def test_lines_read_at_once_follow_the_label_map_too(tmp_path, log):
    rows = read(tmp_path, "a/one.jpg 1 0 1\nb/two.jpg 0 0 1\n", {0: -1, 1: 0})
    assert [labels for _, labels in rows] == [[0, -1, 0], [-1, -1, 0]]


FAULTS = {
    "semicolons": ("a.jpg 1;0;1", "found ; after the path"),
    "semicolons throughout": ("a.jpg;1;0;1", "found ; after the path"),
    "comma after the path": ("a.jpg,1,0,1", "found , after the path"),
    "comma, then blanks": ("a.jpg, 1 0 1", "found , after the path"),
    "a blank, then commas": ("a/one.jpg 1 0,1", "found , after the path"),
    "brackets": ("a.jpg [1, 0, 1]", r"found , \[ \] after the path"),
    "bars": ("a.jpg|1|0|1", r"found \| after the path"),
    "too few": ("a.jpg 1,0", "found 2 labels, expected 3"),
    "too many": ("a.jpg 1,0,1,0", "found 4 labels, expected 3"),
    "labels alone": ("1 0 1", r"labels alone \(3; .* no path before them, expected 'a"),
    "a label for a path": (
        "1 1 0 1",
        r"labels alone \(4; the schema has 3 ",
    ),
    "commas alone": ("1,0,1 ,", r"labels alone \(3;"),
    "a word": ("nothing", "found 0 labels, expected 3"),
    "words after an image": ("a.jpg Hat Bag Boots", "'Hat' has the label 'Hat'"),
    "fewer words": ("a.jpg Hat Bag", "found 0 labels, expected 3"),
    "odd": ("a.jpg 1,x,1", "'Bag' has the label 'x'"),
    "header": ("path Hat Bag Boots\na.jpg 1 0 1", "no header.*'Hat', 'Bag', 'Boots'"),
    "header of two": ("path labels\na.jpg 1 0 1", "no header.*'Hat', 'Bag', 'Boots'"),
    "some without": ("a.jpg\nb.jpg 1 0 1", "line 1: found 0 labels.* as in line 2"),
}


@pytest.mark.parametrize(("text", "match"), FAULTS.values(), ids=FAULTS)
def test_a_fault_says_what_was_found(tmp_path, log, text, match):
    with pytest.raises(ValueError, match=match):
        read(tmp_path, text)


def test_a_list_of_paths_has_unknown_labels_and_says_so(tmp_path, log):
    rows = read(tmp_path, "a/one.jpg\nmy dir/two 1.PNG\n")
    assert rows == [("a/one.jpg", [-1] * 3), ("my dir/two 1.PNG", [-1] * 3)]
    assert ["prediction only" in message for _, message in log] == [True]


@pytest.mark.skipif(not os.path.isdir(CASES), reason=f"no {CASES}")
@pytest.mark.parametrize("name", ["peta_vespa_commas.txt", "pphuman_tab_commas.txt"])
def test_the_reported_comma_lists_are_read(name, log):
    schema = AttributeSchema(tuple(f"peta{i}" for i in range(35)))
    table = read_text(str(CASES / name)).select(schema)
    lines = (CASES / name).read_text().splitlines()
    expected = [
        [int(word) for word in line.split()[-1].strip(",").split(",")] for line in lines
    ]
    assert table.labels.tolist() == expected
    assert list(table.paths) == [line.split()[0] for line in lines]
