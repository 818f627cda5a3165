"""Lists whose columns have names: which are attributes, and how they are kept."""

import numpy as np
import pytest

from mmpar.datasets.formats import files
from mmpar.datasets.formats.lists import column_of, read_csv


@pytest.fixture
def log(monkeypatch):
    said = []
    monkeypatch.setattr(files, "print_log", lambda message, *_: said.append(message))
    return said


def read(tmp_path, text):
    (tmp_path / "x.csv").write_text(text)
    return read_csv(str(tmp_path / "x.csv"))


def test_what_is_no_attribute_and_that_none_is_there_is_said_once(tmp_path, log):
    for _ in range(2):  # as train and val of one file
        read(tmp_path, "path,split,camera\na.jpg,train,c1\n")
    columns, none = log
    assert columns.endswith("x.csv: ['split', 'camera'] are not read as attributes")
    assert none.endswith(
        "x.csv has no column of labels: all are unknown, so it is for prediction only"
    )


def test_nothing_is_said_of_attributes(tmp_path, log):
    read(tmp_path, "path,Hat\na.jpg,1\n")
    assert log == []


@pytest.mark.parametrize(("count", "itemsize"), [(256, 1), (257, 4)])
def test_a_label_takes_one_byte_while_256_words_are_enough(tmp_path, count, itemsize):
    words = [f"c{i}" for i in range(count)]
    lines = [f"{i}.jpg,{word},{words[0]}\n" for i, word in enumerate(words)]
    found = read(tmp_path, "path,age,dress\n" + "".join(lines))
    assert [found.words[i] for i in found.labels[:, 0]] == words
    assert {found.words[i] for i in found.labels[:, 1]} == {"c0"}
    assert found.labels.itemsize == itemsize


def test_a_split_is_text_whatever_its_cells():
    assert column_of("split", ["0", 1, None]).tolist() == ["0", "1", ""]
    assert column_of("split", []).dtype.kind == "U"
    assert column_of("camera", ["0", 1]).dtype == np.int64
