"""A release saved by MATLAB as version 7.3 reads as one saved as version 5."""

import builtins

import h5py
import numpy as np
import pytest
import scipy.io

from mmpar.datasets.formats.matlab import field, read_mat, strings, struct
from mmpar.datasets.peta import read_peta
from tests.fixtures.matlab73 import write_mat73
from tests.fixtures.peta import peta_fields


def cells(values, shape):
    array = np.empty(shape, object)
    for index, value in zip(np.ndindex(shape), values):
        array[index] = value
    return array


def struct_array(**fields):
    """1 x N structs, of N values for each field."""
    count = len(next(iter(fields.values())))
    array = np.empty((1, count), [(name, object) for name in fields])
    for name, values in fields.items():
        array[name][0] = values
    return array


CONTENT = {
    "labels": np.arange(6, dtype=np.uint8).reshape(2, 3),
    "names": cells(["a.jpg", "b c.jpg"], (2, 1)),
    "nested": cells([cells(["x"], (1, 1)), cells(["y"], (1, 1))], (2, 1)),
    "table": cells(["11", "12", "21", "22"], (2, 2)),
    "seen": np.array([[True], [False]]),
    "nobody": np.empty((0, 3)),
    "people": struct_array(name=["Ann", "Bo"], boxes=[np.eye(2), np.empty((0, 4))]),
    "s": {"z": np.array([[1.0, 2.0]]), "a": "word", "inner": {"b": np.array([[3]])}},
}


WRITERS = {"v5": scipy.io.savemat, "v73": write_mat73}


def test_both_versions_give_the_same_fields(tmp_path):
    for version, write in WRITERS.items():
        write(tmp_path / f"{version}.mat", CONTENT)
        fields = read_mat(str(tmp_path / f"{version}.mat"))
        assert sorted(fields) == sorted(CONTENT)
        assert fields["labels"].tolist() == CONTENT["labels"].tolist()
        assert strings(fields["names"], "") == ["a.jpg", "b c.jpg"]
        assert strings(fields["nested"], "") == ["x", "y"]
        assert strings(fields["table"], "") == ["11", "21", "12", "22"]
        assert fields["seen"].tolist() == [[1], [0]]
        assert fields["seen"].dtype == np.uint8
        assert fields["nobody"].shape == (0, 3)
        assert strings(fields["people"]["name"], "") == ["Ann", "Bo"]
        shapes = [boxes.shape for boxes in fields["people"]["boxes"][0]]
        assert shapes == [(2, 2), (0, 4)]
        outer = struct(fields["s"], "s")
        assert list(outer) == ["z", "a", "inner"]
        assert np.ravel(outer["z"]).tolist() == [1, 2]
        assert struct(field(outer, "inner", ""), "")["b"].item() == 3


def test_peta_reads_the_same_from_both_versions(tmp_path):
    fields = peta_fields(20, seed=1)
    for version, write in WRITERS.items():
        write(tmp_path / f"{version}.mat", fields)
    old, new = (read_peta(str(tmp_path / f"{v}.mat")) for v in WRITERS)
    assert old.attributes == new.attributes
    assert list(old.images) == list(new.images)
    assert np.array_equal(old.labels, new.labels)
    assert old.partitions.keys() == new.partitions.keys()
    for key, rows in old.partitions.items():
        assert {n: r.tolist() for n, r in rows.items()} == {
            n: r.tolist() for n, r in new.partitions[key].items()
        }


def test_without_h5py_the_error_says_what_to_install(tmp_path, monkeypatch):
    write_mat73(tmp_path / "x.mat", CONTENT)
    importing = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "h5py":
            raise ImportError(name)
        return importing(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ValueError, match=r"x\.mat.*7\.3.*pip install h5py.*-v7"):
        read_mat(str(tmp_path / "x.mat"))


@pytest.mark.parametrize("version", WRITERS)
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_file_is_an_error_that_names_it(tmp_path, version, share):
    path = tmp_path / "x.mat"
    WRITERS[version](path, CONTENT)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"x\.mat .*not a whole MATLAB file"):
        read_mat(str(path))


@pytest.mark.parametrize(
    ("version", "library", "reader"),
    [("v5", scipy.io, "loadmat"), ("v73", h5py, "File")],
)
def test_a_file_that_takes_too_much_memory_is_not_called_another_kind(
    tmp_path, monkeypatch, version, library, reader
):
    def take_too_much(*args, **kwargs):
        raise MemoryError

    WRITERS[version](tmp_path / "x.mat", CONTENT)
    monkeypatch.setattr(library, reader, take_too_much)
    with pytest.raises(ValueError, match=r"x\.mat is damaged: .* more than .* memory"):
        read_mat(str(tmp_path / "x.mat"))
