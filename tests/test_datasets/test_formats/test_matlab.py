"""Structs and partitions of MATLAB files are found; nothing else is taken for them."""

import h5py
import numpy as np
import pytest

from mmpar.datasets.formats.matlab import (
    field,
    read_mat,
    read_partitions,
    strings,
    struct,
)
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


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("ba", r"it has \['a', 'b'\]"),
        (["peta"], r"it has \['peta'\]; is it PETA's PETA\.mat\?"),
    ],
)
def test_the_error_of_a_missing_field_says_what_is_there(names, said):
    with pytest.raises(ValueError, match=rf"^x\.mat has no field 'c'; {said}$"):
        field(dict.fromkeys(names), "c", "x.mat")


def test_a_cell_that_is_no_string_is_named_by_its_number():
    cells = struct_cells(["a", in_a_cell("b "), np.array(["c", "d"])], (3, 1))
    assert strings(cells[:2], "x") == ["a", "b"]
    with pytest.raises(ValueError, match=r"^x: cell 3 is not one string but array"):
        strings(cells, "x")


def test_partitions_are_numbered_down_the_columns():
    numbers = [struct_array(np.array([[i]])) for i in (1, 3, 2, 4)]
    found = read_partitions(struct_cells(numbers, (2, 2)), ("a",), 4, "x.mat")
    assert {i: rows.tolist() for i, rows in found["a"].items()} == {
        0: [0],
        1: [1],
        2: [2],
        3: [3],
    }


def test_the_error_of_a_partition_has_its_number():
    numbers = [struct_array(np.array([[i]])) for i in (1, 0)]
    with pytest.raises(ValueError, match=r"^x\.mat\{2\}\.a: entry 1 is the row 0"):
        read_partitions(struct_cells(numbers, (2, 1)), ("a",), 4, "x.mat")


def test_fields_in_no_order_are_sorted(tmp_path):
    path = write_mat73(tmp_path / "x.mat", {"s": {"b": "word", "a": np.ones((1, 1))}})
    assert list(struct(read_mat(str(path))["s"], "s")) == ["b", "a"]
    with h5py.File(path, "r+") as file:
        del file["s"].attrs["MATLAB_fields"]
    assert list(struct(read_mat(str(path))["s"], "s")) == ["a", "b"]
