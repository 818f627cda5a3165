"""NumPy's files are read whole or refused by name, whatever their headers say."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from mmpar.utils.array_files import map_array, read_arrays


def header(shape, kind="<f4"):
    target = io.BytesIO()
    fields = dict(descr=kind, fortran_order=False, shape=shape)
    np.lib.format.write_array_header_1_0(target, fields)
    return target.getvalue()


def write_npz(path, method=zipfile.ZIP_STORED, **members):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def test_arrays_are_those_that_were_saved(tmp_path):
    texts = np.array(["a", "Ärmel"])
    columns = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    np.savez(tmp_path / "x.npz", texts=texts, columns=columns)
    found = read_arrays(tmp_path / "x.npz", ("columns", "texts"), "")
    np.testing.assert_array_equal(found[0], columns)
    np.testing.assert_array_equal(found[1], texts)
    np.save(tmp_path / "x.npy", columns)
    np.testing.assert_array_equal(map_array(tmp_path / "x.npy", ""), columns)


class Code:
    def __reduce__(self):
        return os.mkdir, ("ran",)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (header((10**12,)) + bytes(8), "buffer is smaller"),
        (header((3,))[:20], "EOF|expected"),
        (header((2,), "<U1") + b"\xff" * 8, "code point|character"),
        (header((1,), "|O") + pickle.dumps([Code()]), "object"),
        (header((-1,)) + bytes(8), "shape"),
        (b"", ""),
    ],
)
def test_members_that_are_no_arrays_are_refused(tmp_path, monkeypatch, content, match):
    monkeypatch.chdir(tmp_path)
    write_npz("x.npz", a=content)
    with pytest.raises(ValueError, match=rf"x\.npz is not .*({match}).*; do this"):
        read_arrays("x.npz", ["a"], "do this")
    assert not os.path.exists("ran")


def test_what_would_unpack_to_more_than_the_file_is_refused(tmp_path):
    packed = header((10**7,)) + bytes(4 * 10**7)
    path = write_npz(tmp_path / "x.npz", zipfile.ZIP_DEFLATED, a=packed)
    assert path.stat().st_size < 100_000
    with pytest.raises(ValueError, match=r"packed, as numpy\.savez does not do"):
        read_arrays(path, ["a"], "")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"text", header((9,))])
def test_other_files_are_refused(tmp_path, content):
    for name in ("x.npz", "x.npy"):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.npz.*; do this"):
        read_arrays(tmp_path / "x.npz", ["a"], "do this")
    with pytest.raises(ValueError, match=r"x\.npy.*; do this"):
        map_array(tmp_path / "x.npy", "do this")
