"""A reader that crashes, hangs or takes all memory is an error with the file's name."""

import os
import pickle
import signal
import time

import h5py
import pytest
import scipy.io

from mmpar.datasets.formats.matlab import read_mat
from mmpar.datasets.formats.pickles import read_pickle
from mmpar.utils import read_apart as module
from mmpar.utils.read_apart import read_apart


def raise_error(content):
    raise FileNotFoundError(content.decode())


DEEDS = {
    "crash": (lambda _: os.kill(os.getpid(), signal.SIGSEGV), "ended with SIGSEGV"),
    "exit": (lambda _: os._exit(3), "ended with exit status 3"),
    "hang": (lambda _: time.sleep(60), "had not read it after 1 s;"),
    "work": (lambda _: sum(iter(int, 1)), "had not read it after 1 s of computing"),
    "memory": (lambda _: bytearray(2 * 10**9), "took more than 1.1 GB of memory"),
    "no answer": (lambda _: lambda: None, "ended with exit status 1"),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_what_a_reader_does_is_said(monkeypatch, deed):
    monkeypatch.setattr(module, "_SECONDS", 0.5 if deed in ("hang", "work") else 20)
    monkeypatch.setattr(module, "_PATIENCE", 1 if deed == "hang" else 30)
    read, message = DEEDS[deed]
    with pytest.raises(ValueError, match=rf"^a/b\.mat is damaged.* {message}.*CSV"):
        read_apart(read, b"content", "a/b.mat")


def test_answers_and_errors_come_back():
    assert read_apart(bytes.decode, b"x" * 300_000, "b.mat") == "x" * 300_000
    with pytest.raises(FileNotFoundError, match=r"^content$"):
        read_apart(raise_error, b"content", "b.mat")


def test_matlab_files_are_read_in_another_process(tmp_path, monkeypatch):
    (tmp_path / "b.mat").write_bytes(b"MATLAB 5.0")
    monkeypatch.setattr(scipy.io, "loadmat", lambda file: {"process": os.getpid()})
    assert read_mat(str(tmp_path / "b.mat"))["process"] != os.getpid()


VERSIONS = {"5": b"MATLAB 5.0", "7.3": b"MATLAB 7.3".ljust(124) + b"\x00\x02IM"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_matlab_file_that_takes_all_memory_is_damaged(tmp_path, monkeypatch, version):
    def take_all(*_):
        raise MemoryError

    reader, name = (scipy.io, "loadmat") if version == "5" else (h5py, "File")
    monkeypatch.setattr(reader, name, take_all)
    (tmp_path / "b.mat").write_bytes(VERSIONS[version])
    with pytest.raises(ValueError, match=r"b\.mat is damaged.* took more than 1\.1 GB"):
        read_mat(str(tmp_path / "b.mat"))


# Pickle's opcodes: 2 doubles the top of the stack, \x86 makes a pair of it.
DOUBLED = b")" + b"2\x86" * 60
BOMBS = {
    "array of bytes": (b"cbuiltins\nbytearray\n(I4000000000\ntR.", "took more than"),
    "list of a range": (
        b"cbuiltins\nlist\n(cbuiltins\nrange\n(I9000000000\ntRtR.",
        "took more than",
    ),
    "range": (b"cbuiltins\nrange\n(I9000000000\ntR.", "unfolds to far more entries"),
    "pairs of pairs": (DOUBLED + b".", "unfolds to far more entries"),
    "hash of pairs": (b"}" + DOUBLED + b"I1\ns.", "had not read it after"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_small_pickles_of_large_things_are_refused(tmp_path, monkeypatch, bomb):
    monkeypatch.setattr(module, "_SECONDS", 1 if bomb == "hash of pairs" else 30)
    content, message = BOMBS[bomb]
    assert len(content) < 150
    (tmp_path / "b.pkl").write_bytes(content)
    with pytest.raises(ValueError, match=rf"b\.pkl is .*{message}"):
        read_pickle(str(tmp_path / "b.pkl"))


def test_what_is_shared_and_nested_comes_back_plain(tmp_path):
    names = ["a", "b"]
    whole = {"x": [names, (names, {3, 4})], "rows": range(7)}
    (tmp_path / "b.pkl").write_bytes(pickle.dumps(whole))
    assert read_pickle(str(tmp_path / "b.pkl")) == whole
