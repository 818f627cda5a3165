"""A damaged LMDB is an error; LMDB itself ends the process."""

import faulthandler
import multiprocessing
import sys

import lmdb
import numpy as np
import pytest

from mmpar.datasets import file_backends
from mmpar.datasets.file_backends import LmdbImageBackend
from mmpar.utils.lmdb_pages import require_sound_pages

PAGE = 4096


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Two levels of pages, and values in them and on pages of their own."""
    folder = tmp_path_factory.mktemp("lmdb") / "b.lmdb"
    with lmdb.open(str(folder), map_size=2**24) as opened:
        with opened.begin(write=True) as transaction:
            for i in range(400):
                transaction.put(b"%04d.jpg" % i, bytes(5000 if i % 80 == 0 else 30))
        depth = opened.stat()["depth"]
    assert depth == 2
    return folder


def mutants(content, count):
    random = np.random.default_rng(0)
    for _ in range(count):
        mutant = np.frombuffer(content, np.uint8).copy()
        # Of every page the part that says what is where, mostly.
        start = random.integers(len(content) // PAGE) * PAGE
        for _ in range(random.integers(1, 3)):
            place = start + random.integers(random.choice([24, 200, PAGE]))
            mutant[place] ^= 1 << random.integers(8)
        yield mutant.tobytes()


def read_all(folder):
    images = LmdbImageBackend(str(folder))
    try:
        for name in images.names():
            images.get(name)
    except (ValueError, FileNotFoundError) as error:
        return str(error)
    finally:
        images.close()
    return ""


def read_mutants(folder, out, count, guarded):
    faulthandler.disable()
    if not guarded:
        file_backends.require_sound_pages = lambda file: None
    refused = 0
    for mutant in mutants((folder / "data.mdb").read_bytes(), count):
        (out / "data.mdb").write_bytes(mutant)
        error = read_all(out)
        refused += bool(error)
        if error and "data.mdb" not in error and "has no image" not in error:
            sys.exit(2)
    sys.exit(0 if 0 < refused < count else 3)


@pytest.mark.parametrize("guarded", [True, False])
def test_no_mutant_ends_the_process(database, tmp_path, guarded):
    # A process of its own, in which LMDB without the guard comes to its end.
    process = multiprocessing.get_context("fork").Process(
        target=read_mutants, args=(database, tmp_path, 1500, guarded)
    )
    process.start()
    process.join(120)
    assert process.exitcode == 0 if guarded else process.exitcode < 0


def test_a_whole_one_is_sound(database, tmp_path):
    require_sound_pages(database / "data.mdb")
    assert read_all(database) == ""
    lmdb.open(str(tmp_path / "empty.lmdb")).close()
    assert read_all(tmp_path / "empty.lmdb") == ""


def pointing(content, page, place, value):
    mutant = bytearray(content)
    start = page * PAGE + place
    mutant[start : start + len(value)] = value
    return bytes(mutant)


FAULTS = {
    "root": (0, 128, b"\xff\xff", "points to page 65535, the last is"),
    "transaction": (1, 40, b"\x01\x10", "describe the rest is none"),
    "kind": (0, 92, b"\x04", "keys are of the kind 4"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_fault_is_said(database, tmp_path, fault):
    _, place, value, message = FAULTS[fault]
    content = (database / "data.mdb").read_bytes()
    for page in (0, 1):  # whichever counts
        content = pointing(content, page, place, value)
    if fault == "transaction":
        content = pointing(content, 0, place, (PAGE).to_bytes(4, "little"))
    (tmp_path / "data.mdb").write_bytes(content)
    with pytest.raises(ValueError, match=rf"data\.mdb is damaged: .*{message}"):
        require_sound_pages(tmp_path / "data.mdb")
