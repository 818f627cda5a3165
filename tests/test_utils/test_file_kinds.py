"""What stands in the place of a data file is told from its first bytes."""

import io
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
import scipy.io
import torch

from mmpar.utils.file_kinds import (
    HEAD_BYTES,
    describe_stand_in,
    describe_unreadable,
    describe_unreadable_file,
)

LFS = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    b"size 12345\n"
)
STAND_INS = {
    "is empty": [b""],
    "is a web page (HTML)": [
        b"<!DOCTYPE html>\n<html><head><title>Sign in</title>",
        b"\xef\xbb\xbf\r\n  <!doctype HTML>",
        b"<html lang='zh'>\xe7\x99\xbe",
        b"<!-- cached --><html>",
        b"<?xml version='1.0'?><!DOCTYPE html PUBLIC '-//W3C//DTD XHTML'>",
    ],
    "is a Git LFS pointer": [LFS, LFS.replace(b"\n", b"\r\n")],
    "is a git-annex pointer": [b"/annex/objects/SHA256E-s31390--f50d7ac4c6b.mat\n"],
    "is an XML document": [b"<?xml version='1.0'?><Error><Code>AccessDenied</Code>"],
}
CASES = [(text, head) for text, heads in STAND_INS.items() for head in heads]


@pytest.mark.parametrize(("text", "head"), CASES)
def test_a_stand_in_is_named(text, head):
    assert describe_stand_in(head, len(head)).startswith(text)
    assert describe_unreadable(head, len(head)).startswith(text)


def test_remedies_are_given():
    assert "git lfs pull" in describe_stand_in(LFS, len(LFS))
    assert "download it again" in describe_stand_in(b"", 0)
    assert "download it again" in describe_stand_in(b"<html>", 6)


@pytest.mark.parametrize(
    "head",
    [
        b"images/1.jpg 0 1\n",
        b"path,Hat\n",
        b'{"images": []}',
        b"<3.jpg 0 1\n",
        b"version https://git-lfs 0 1\n",
        b"/data/annex/objects/1.jpg 0 1\n/data/annex/objects/2.jpg 0 1\n",
        b"\x80\x04\x95",
        b"MATLAB 5.0 MAT-file",
        b"PK\x03\x04",
        bytes(128),
    ],
)
def test_what_may_be_data_is_no_stand_in(head):
    assert describe_stand_in(head, len(head)) is None


def _written(write):
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def _tar(buffer):
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("empty"))


def _zip(buffer):
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", "b")


@pytest.mark.parametrize(
    ("text", "write"),
    [
        ("is a zip archive", _zip),
        ("is a zip archive", lambda f: torch.save({}, f)),
        ("is a tar archive", _tar),
        ("is a MATLAB file", lambda f: scipy.io.savemat(f, {"a": 1})),
        ("is a NumPy array (.npy)", lambda f: np.save(f, np.zeros(3))),
        ("is a pickle", lambda f: pickle.dump([1], f)),
        ("begins with zero bytes only", lambda f: f.write(bytes(100_000))),
        ("is plain text that begins with 'Not Found'", lambda f: f.write(b"Not Found")),
        ("is plain text that begins with 'ü", lambda f: f.write("ü".encode() * 5_000)),
        # A character of two bytes is cut at the end of the head.
        ("is plain text", lambda f: f.write(b"a" + "ü".encode() * 5_000)),
    ],
)
def test_other_formats_are_named_once_reading_has_failed(text, write):
    content = _written(write)
    described = describe_unreadable(content[:HEAD_BYTES], len(content))
    assert described.startswith(text)
    assert len(described) < 100


def test_noise_is_nothing_known():
    noise = np.random.default_rng(0).bytes(HEAD_BYTES)
    assert describe_unreadable(noise, len(noise)) is None


def test_a_file_is_described_by_its_path(tmp_path):
    path = tmp_path / "PETA.mat"
    path.write_bytes(LFS)
    assert "Git LFS" in describe_unreadable_file(str(path))
    assert describe_unreadable_file(str(tmp_path / "absent")) is None
    assert describe_unreadable_file(str(tmp_path)) is None
