"""Pickles of data are read; nothing of any other pickle runs."""

import collections
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from mmpar.datasets.annotations.safe_pickle import RefusedPickleError, read_pickle
from tests.fixtures.easydict_pickles import write_easydict

CONTENT = {
    "names": ["a", "b"],
    "labels": np.arange(6, dtype=np.uint8).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "words": np.array(["x", "yy"]),
    "objects": np.array([[1, 2], None], dtype=object),
    "scalars": [np.int64(7), np.float32(0.5)],
    "rows": range(3, 6),
    "kinds": {"set": {1, 2}, "none": None, "bytes": b"\x00\xff", "tuple": (1, 2.5)},
    "ordered": collections.OrderedDict(a=1),
}


def same(found, expected):
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            same(found[key], expected[key])
    elif isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        assert np.array_equal(found, expected)
    else:
        assert found == expected


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_comes_back_from_every_protocol(tmp_path, protocol):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(CONTENT, protocol=protocol))
    same(read_pickle(str(path)), CONTENT)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_easydict_comes_back_without_the_package(tmp_path, protocol):
    entries = {"a": 1, "inner": {"b": [2, 3]}}
    path = write_easydict(tmp_path / "x.pkl", entries, protocol)
    found = read_pickle(str(path))
    assert found == entries
    assert isinstance(found["inner"], dict)
    assert "easydict" not in sys.modules


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"numpy._core", b"numpy.core"), (b"numpy.core", b"numpy._core")],
)
def test_arrays_of_numpy_1_and_2_are_read(tmp_path, old, new):
    path = tmp_path / "x.pkl"
    content = pickle.dumps([np.arange(3), np.float64(2.5)], protocol=2)
    path.write_bytes(content.replace(b"c" + old, b"c" + new))
    array, scalar = read_pickle(str(path))
    assert array.tolist() == [0, 1, 2]
    assert scalar == 2.5


class Runs:
    def __init__(self, function, *args):
        self.made = (function, args)

    def __reduce__(self):
        return self.made


@pytest.mark.parametrize(
    ("function", "args", "named"),
    [
        (os.system, "touch {}", f"{os.name}.system"),
        (subprocess.check_call, ["touch", "{}"], "subprocess.check_call"),
        (eval, "open('{}', 'w')", "builtins.eval"),
        (getattr, "{}", "builtins.getattr"),
    ],
)
def test_a_pickle_that_runs_a_program_is_refused_and_nothing_runs(
    tmp_path, function, args, named
):
    witness = tmp_path / "witness"
    if isinstance(args, list):
        call = Runs(function, [arg.format(witness) for arg in args])
    else:
        call = Runs(function, args.format(witness))
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({"label": [call]}))
    with pytest.raises(RefusedPickleError, match=rf"evil\.pkl is refused.*{named}"):
        read_pickle(str(path))
    assert not witness.exists()


def test_the_witness_of_that_test_appears_when_unpickled_freely(tmp_path):
    witness = tmp_path / "witness"
    pickle.loads(pickle.dumps(Runs(os.system, f"touch {witness}")))
    assert witness.exists()


def test_a_state_cannot_alter_what_reads_the_next_file(tmp_path):
    code = b"cnumpy.core.multiarray\nscalar\n}S'_make'\nI1\nsb."
    (tmp_path / "evil.pkl").write_bytes(code)
    with pytest.raises(ValueError, match=r"evil\.pkl"):
        read_pickle(str(tmp_path / "evil.pkl"))
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(np.float64(1.5)))
    assert read_pickle(str(path)) == 1.5


def test_scalars_of_objects_are_refused(tmp_path):
    inner = pickle.dumps(1)
    reconstruct = np.float64(0).__reduce__()[0]
    evil = Runs(reconstruct, np.dtype("O"), inner)
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(evil))
    with pytest.raises(RefusedPickleError, match="scalars of the type"):
        read_pickle(str(tmp_path / "evil.pkl"))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_a_truncated_pickle_is_an_error_that_names_it(tmp_path, share):
    content = pickle.dumps(CONTENT)
    (tmp_path / "x.pkl").write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"x\.pkl .* not a whole pickle"):
        read_pickle(str(tmp_path / "x.pkl"))
