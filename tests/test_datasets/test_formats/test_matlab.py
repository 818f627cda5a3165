"""Structs and partitions of MATLAB files are found; nothing else is taken for them."""

import h5py
import numpy as np
import pytest

from mmpar.datasets.formats.matlab import read_mat, read_partitions, struct
from tests.fixtures.matlab73 import write_mat73
from tests.fixtures.peta import struct_cells


def struct_array(*values):
    """1 x N structs, each with one field."""
    array = np.empty((1, len(values)), [("a", object)])
    array["a"][0] = values
    return array


def in_a_cell(value):
    return struct_cells([value], (1, 1))


def test_a_struct_is_found_in_cells_of_cells():
    assert struct(in_a_cell(in_a_cell(struct_array(7))), "x.mat") == {"a": 7}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (struct_array(7, 8), r"\(1, 2\)"),
        (in_a_cell(struct_array(7, 8)), r"\(1, 2\)"),
        (struct_array(), r"\(1, 0\)"),
        (np.zeros((2, 1)), r"\(2, 1\)"),
        (np.array(["word"]), r"\(\)"),
    ],
)
def test_what_is_not_one_struct_is_refused(value, found):
    with pytest.raises(ValueError, match=f"^x: expected one struct, got {found}$"):
        struct(value, "x")


def test_partitions_are_numbered_down_the_columns():
    numbers = [struct_array(np.array([[i]])) for i in (1, 3, 2, 4)]
    found = read_partitions(struct_cells(numbers, (2, 2)), ("a",), 4, "x.mat")
    assert {i: rows.tolist() for i, rows in found["a"].items()} == {
        0: [0],
        1: [1],
        2: [2],
        3: [3],
    }


def test_fields_in_no_order_are_sorted(tmp_path):
    path = write_mat73(tmp_path / "x.mat", {"s": {"b": "word", "a": np.ones((1, 1))}})
    assert list(struct(read_mat(str(path))["s"], "s")) == ["b", "a"]
    with h5py.File(path, "r+") as file:
        del file["s"].attrs["MATLAB_fields"]
    assert list(struct(read_mat(str(path))["s"], "s")) == ["a", "b"]
