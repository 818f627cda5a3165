"""A written label means what label_map says, in whatever form the file has."""

import json
import pickle

import numpy as np
import pytest

from mmpar.datasets import UPAR, AttributeListDataset, RAPv2, SyntheticPAR
from mmpar.datasets.formats.annotation import (
    checked_label_map,
    checked_labels,
    label_codes,
)
from mmpar.datasets.formats.openmmlab_json import header_line
from mmpar.structures import AttributeSchema

NAMES = ["Hat", "Boots"]
SCHEMA = AttributeSchema(tuple(NAMES))
WRITTEN = np.array([[1, -1], [-1, 1], [0, 2]])


@pytest.mark.parametrize("key", [-1, -1.0, "-1", " -1.0 "])
def test_a_number_is_one_key_however_it_is_written(key):
    assert checked_label_map({key: 0, "yes": "1"}) == {-1.0: 0, "yes": 1}


@pytest.mark.parametrize("label_map", [{1: 2}, {1: "yes"}, {"x": None}, {"x": 0.5}])
def test_a_label_that_is_none_is_an_error(label_map):
    with pytest.raises(ValueError, match=r"expected 1 \(present\), 0 \(absent\)"):
        checked_label_map(label_map)


def test_a_key_with_two_labels_is_an_error():
    assert checked_label_map({-1: 0, "-1": 0}) == {-1.0: 0}
    with pytest.raises(ValueError, match="twice, with different labels"):
        checked_label_map({-1: 0, "-1": 1})


def test_words_numbers_and_null_have_codes():
    codes = label_codes(checked_label_map({None: 0, "no": 0, 2: -1}))
    words = ["1", "+1", "1.0", 1, True, "", None, "no", "2", 2.0, "?", "-1"]
    assert [codes[word] for word in words] == [1, 1, 1, 1, 1, 0, 0, 0, -1, -1, -1, -1]


def test_a_matrix_is_mapped_at_once_so_that_labels_may_be_swapped():
    swapped = checked_label_map({-1: 0, 0: -1, 2: 1})
    found = checked_labels(WRITTEN, NAMES, "x.mat", label_map=swapped)
    assert found.tolist() == [[1, 0], [0, 1], [-1, 1]]
    with pytest.raises(ValueError, match=r"'Boots' has the label 2; .*label_map"):
        checked_labels(WRITTEN, NAMES, "x.mat", label_map={-1.0: 0})


def written(tmp_path, ending):
    """A list of ``WRITTEN`` in one of the formats."""
    rows = list(zip("abc", WRITTEN.tolist()))
    file = tmp_path / f"list{ending}"
    lines = {
        ".txt": [f"{name}.jpg {one} {two}" for name, (one, two) in rows],
        ".csv": ["path,Hat,Boots"] + [f"{n}.jpg,{a},{b}" for n, (a, b) in rows],
        ".json": [
            json.dumps(
                dict(
                    attributes=NAMES,
                    images=[dict(path=f"{n}.jpg", labels=row) for n, row in rows],
                )
            )
        ],
        ".jsonl": [header_line("x", SCHEMA, [("train", 0)]).strip()]
        + [
            json.dumps(dict(path=f"{n}.jpg", labels=row, split="train", partition=0))
            for n, row in rows
        ],
    }
    file.write_text("\n".join(lines[ending]))
    return str(file)


@pytest.mark.parametrize("ending", [".txt", ".csv", ".json", ".jsonl"])
def test_every_list_is_read_by_label_map(tmp_path, ending):
    config = dict(ann_file=written(tmp_path, ending), schema=SCHEMA, lazy_init=True)
    dataset = AttributeListDataset(label_map={"-1": 0, 2: -1, 0: 1}, **config)
    assert dataset.load_annotations().labels.tolist() == [[1, 0], [0, 1], [1, -1]]
    with pytest.raises(ValueError, match=r"'Boots' has the label '?2'?.*label_map="):
        AttributeListDataset(**config).load_annotations()


@pytest.mark.parametrize(("kind", "value"), [(UPAR, None), (RAPv2, -1)])
def test_a_pickle_is_read_by_label_map(tmp_path, kind, value):
    content = dict(
        image_name=["a.jpg", "b.jpg", "c.jpg"],
        label=WRITTEN,
        attr_name=NAMES,
        partition=dict(train=[0, 1, 2]),
    )
    file = tmp_path / "all.pkl"
    file.write_bytes(pickle.dumps(content))
    config = dict(ann_file=str(file), split="train", schema=SCHEMA, lazy_init=True)
    config["data_prefix"] = str(tmp_path)
    dataset = kind(label_map={-1: 0, 2: 1}, **config)
    assert dataset.load_annotations().labels.tolist() == [[1, 0], [0, 1], [0, 1]]
    if value is not None:  # RAP's own coding of 2 holds where label_map does not say
        dataset = kind(label_map={-1: 0}, **config)
        assert dataset.load_annotations().labels[2].tolist() == [0, value]


def test_drawn_labels_have_no_coding():
    with pytest.raises(ValueError, match=r"label_map=.* has no effect"):
        SyntheticPAR(num_samples=2, split="train", label_map={-1: 0})
