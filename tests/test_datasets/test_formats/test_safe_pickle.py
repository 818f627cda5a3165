"""Pickles of data are read; nothing of any other pickle runs."""

import collections
import multiprocessing
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from mmpar.datasets.formats import pickles
from mmpar.datasets.formats.pickles import RefusedPickleError, read_pickle
from tests.fixtures.easydict_pickles import EasyDict, write_easydict

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


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_was_deleted_from_an_easydict_does_not_come_back(tmp_path, protocol):
    entries = EasyDict({"a": 1, "b": 2})
    del entries["b"]  # leaves the attribute
    assert entries.b == 2
    path = write_easydict(tmp_path / "x.pkl", entries, protocol)
    assert read_pickle(str(path)) == {"a": 1}


PYTHON_2 = {
    "text": (b"U\x02\xfc1.", "\xfc1"),
    "xrange": (b"c__builtin__\nxrange\n(I2\nI5\nI1\ntR.", range(2, 5)),
    "EasyDict": (
        b"ccopy_reg\n_reconstructor\n(ceasydict\nEasyDict\nc__builtin__\ndict\n"
        b"(S'a'\nI1\ndtR(S'a'\nI1\ndb.",
        {"a": 1},
    ),
    "array": (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntU\x01btR"
        b"(I1\n(I2\ntcnumpy\ndtype\n(U\x02u1I0\nI1\ntR"
        b"(I3\nU\x01|NNNI-1\nI-1\nI0\ntbI00\nU\x02\x01\xfftb.",
        np.array([1, 255], np.uint8),
    ),
}


@pytest.mark.parametrize("kind", PYTHON_2)
def test_what_python_2_wrote_is_read(tmp_path, kind):
    content, expected = PYTHON_2[kind]
    (tmp_path / "x.pkl").write_bytes(content)
    same(read_pickle(str(tmp_path / "x.pkl")), expected)


@pytest.mark.parametrize(
    "classes", [b"cbuiltins\nlist\ncbuiltins\ndict\n", b"ceasydict\nEasyDict\n" * 2]
)
def test_objects_of_other_kinds_are_refused(tmp_path, classes):
    code = b"ccopyreg\n_reconstructor\n(" + classes + b")tR."
    (tmp_path / "evil.pkl").write_bytes(code)
    with pytest.raises(RefusedPickleError, match=r"evil\.pkl is refused: objects of"):
        read_pickle(str(tmp_path / "evil.pkl"))


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


@pytest.mark.parametrize("code", [b"cnumpy\ndtype\n.", b"cnumpy\ndtype\n(S'i8'\ntR."])
def test_a_function_or_a_type_in_place_of_data_is_refused(tmp_path, code):
    path = tmp_path / "evil.pkl"
    path.write_bytes(b"(l" + code[:-1] + b"a.")
    with pytest.raises(RefusedPickleError, match=r"evil\.pkl is refused.*where data"):
        read_pickle(str(path))


def test_scalars_of_objects_are_refused(tmp_path):
    inner = pickle.dumps(1)
    reconstruct = np.float64(0).__reduce__()[0]
    evil = Runs(reconstruct, np.dtype("O"), inner)
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(evil))
    with pytest.raises(RefusedPickleError, match="scalars of the type"):
        read_pickle(str(tmp_path / "evil.pkl"))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.95])
def test_a_truncated_pickle_is_an_error_that_names_it(tmp_path, share):
    content = pickle.dumps(CONTENT)
    (tmp_path / "x.pkl").write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"x\.pkl .* not a whole pickle"):
        read_pickle(str(tmp_path / "x.pkl"))


# --- numbers that a pickle wants to be taken for objects, which are addresses ---------

ADDRESS = b"A" * 8
MULTIARRAY = f"{np.float64(0).__reduce__()[0].__module__}"


def opcodes(module, name):
    return f"c{module}\n{name}\n".encode()


def forged(code, state):
    """A dtype built with a state that hides its objects, or invents some."""
    made = opcodes("numpy", "dtype") + pickle.dumps((code, False, True), 2)[2:-1]
    return made + b"R" + pickle.dumps(state, 2)[2:-1] + b"b"


def plain(value):
    """Opcodes that push a plain value."""
    return pickle.dumps(value, 2)[2:-1]


PAIR = (3, "|", ("f4", (2,)), None, None, -1, -1, 0)
NO_FLAGS = (3, "|", None, None, None, -1, -1, 0)
RECORD = forged("V8", (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0))
RECONSTRUCT = opcodes(MULTIARRAY, "_reconstruct")
FOLLOWED = {
    "ndarray": opcodes("numpy", "ndarray") + plain(((1,), "O", bytearray(ADDRESS))),
    "record": opcodes(MULTIARRAY.replace("multiarray", "numeric"), "_frombuffer")
    + b"("
    + plain(ADDRESS)
    + RECORD
    + plain((1,))
    + plain("C")
    + b"t",
    "scalar": opcodes(MULTIARRAY, "scalar")
    + b"("
    + forged("O8", NO_FLAGS)
    + plain(ADDRESS)
    + b"t",
}
FOLLOWED = {name: code + b"R" for name, code in FOLLOWED.items()}
FOLLOWED["state"] = (
    RECONSTRUCT
    + b"("
    + opcodes("numpy", "ndarray")
    + plain((0,))
    + plain(b"b")
    + b"tR(K\x01"
    + plain((1,))
    + forged("O8", NO_FLAGS)
    + plain(False)
    + plain(ADDRESS)
    + b"tb"
)


def exit_with_1_if_refused(path):
    try:
        repr(read_pickle(path))
    except RefusedPickleError as error:
        sys.exit(1 if "evil.pkl is refused" in str(error) else 2)


@pytest.mark.parametrize("name", FOLLOWED)
def test_no_address_in_a_pickle_is_followed(tmp_path, name):
    path = tmp_path / "evil.pkl"
    path.write_bytes(b"\x80\x02" + FOLLOWED[name] + b".")
    # A process of its own, as following the address would end this one.
    process = multiprocessing.get_context("fork").Process(
        target=exit_with_1_if_refused, args=(str(path),)
    )
    process.start()
    process.join(60)
    assert process.exitcode == 1


def array_of(kind, shape, content, times=1):
    """Opcodes of an array and its state."""
    made = RECONSTRUCT + b"(" + opcodes("numpy", "ndarray") + plain((0,)) + plain(b"b")
    state = b"(K\x01" + plain(shape) + kind + plain(False) + plain(content) + b"tb"
    return b"\x80\x02" + made + b"tR" + state * times + b"."


@pytest.mark.parametrize(
    ("code", "match"),
    [
        (array_of(forged("O8", NO_FLAGS), (2,), [1]), "2 objects is not filled"),
        (array_of(forged("i8", NO_FLAGS), (1,), ADDRESS, 2), "filled twice"),
        (array_of(forged("i4,O", NO_FLAGS), (1,), ADDRESS), "the type 'i4,O'"),
        (array_of(forged("2O", NO_FLAGS), (1,), [1, 2]), "the type '2O'"),
        (array_of(forged("i8", NO_FLAGS), (1,), [1]), "filled by list"),
        (array_of(forged("S0", NO_FLAGS), (10**8,), b""), "far more entries"),
        (array_of(forged("V4", NO_FLAGS), (1,), b"abcd"), "the type 'V4'"),
        (array_of(forged("i8", PAIR), (1,), ADDRESS), "an array's type has the state"),
    ],
)
def test_an_array_whose_parts_disagree_is_refused(tmp_path, code, match):
    (tmp_path / "evil.pkl").write_bytes(code)
    with pytest.raises(RefusedPickleError, match=match):
        read_pickle(str(tmp_path / "evil.pkl"))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("code", [">i4", "<f8", "?", "c16", "S3", ">U2", "O"])
def test_arrays_of_every_shape_and_order_come_back(tmp_path, protocol, code):
    numbers = np.arange(6).astype(code)
    arrays = [numbers, numbers.reshape(2, 3).T, numbers[::2], numbers[:0], numbers[3:4]]
    arrays.append(np.array(3, code))
    content = pickle.dumps(arrays, protocol)
    (tmp_path / "x.pkl").write_bytes(content)
    found = read_pickle(str(tmp_path / "x.pkl"))
    for array, expected in zip(found, pickle.loads(content)):
        same(array, expected)
        assert array.shape == expected.shape


def nested(kind):
    """Forty containers, each with the next one twice: 2**40 entries when unfolded."""
    make = {
        "list": lambda inner: [inner, inner],
        "tuple": lambda inner: (inner, inner),
        "dict": lambda inner: {0: inner, 1: inner},
        "objects": lambda inner: np.array([inner, inner, None], object),
    }[kind]
    found = make(None)
    for _ in range(40):
        found = make(found)
    return found


@pytest.mark.parametrize("kind", ["list", "tuple", "dict", "objects"])
def test_containers_that_unfold_without_end_are_refused(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(pickles, "_ENTRIES", 100)  # a million take a second
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(nested(kind)))
    with pytest.raises(RefusedPickleError, match=r"evil\.pkl is refused: it unfolds"):
        read_pickle(str(tmp_path / "evil.pkl"))


def test_a_pickle_unfolds_to_sixteen_entries_a_byte_and_a_million_more(tmp_path):
    path = tmp_path / "x.pkl"
    limit = 16 * len(pickle.dumps(range(1_000_000), protocol=2)) + 1_000_000
    path.write_bytes(pickle.dumps(range(limit), protocol=2))
    assert read_pickle(str(path)) == range(limit)
    path.write_bytes(pickle.dumps(range(limit + 1), protocol=2))
    with pytest.raises(RefusedPickleError, match="unfolds to far more entries"):
        read_pickle(str(path))
