"""Files that are not there or not what was expected, and how errors show them."""

import numpy as np
import pytest

from mmpar.datasets.formats.files import (
    read_bytes,
    read_utf8,
    read_utf8_bytes,
    same_image,
    shown,
    shown_path,
    unreadable,
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Ten lists and a file without an ending, in the working directory."""
    (tmp_path / "PETA").mkdir()
    names = [f"fold{i}.{'CSV' if i == 0 else 'csv'}" for i in range(10)]
    for name in [*names, "README", "PETA.mat"]:
        (tmp_path / "PETA" / name).touch()
    monkeypatch.chdir(tmp_path / "PETA")
    return tmp_path / "PETA"


@pytest.mark.parametrize("inside", [True, False])
def test_a_missing_file_is_an_error_with_eight_of_its_kind_beside_it(
    folder, monkeypatch, inside
):
    path = "train.csv"
    if not inside:
        path = str(folder / path)
        monkeypatch.chdir(folder.parent)
    eight = "'fold0.CSV', " + ", ".join(f"'fold{i}.csv'" for i in range(1, 8))
    with pytest.raises(FileNotFoundError) as error:
        read_bytes(path)
    assert str(error.value) == (
        f"no annotation file {path!r}; check data_root and ann_file; "
        f"beside it: [{eight}]"
    )


@pytest.mark.parametrize("path", ["train.pkl", "train", "no/such/folder/train.csv"])
def test_a_missing_file_without_its_kind_beside_it_is_just_missing(folder, path):
    with pytest.raises(FileNotFoundError, match=r"check data_root and ann_file$"):
        read_bytes(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\3\4" + bytes(9), "x.pkl is a zip archive, {}; is it the right file?"),
        (b"\x80\4...", "x.pkl (5 bytes) is {}; copy or download it again"),
        (b"\xfe" * 9, "x.pkl (9 bytes) is {}; copy or download it again"),
    ],
    ids=["another kind", "this kind", "an unknown kind"],
)
def test_a_file_that_its_reader_refuses_is_another_or_not_whole(content, said):
    error = unreadable("x.pkl", content, "pickle", EOFError("ran out of input"))
    fault = "not a whole pickle: EOFError: ran out of input"
    assert str(error) == said.format(fault)


@pytest.mark.parametrize("read", [read_utf8, read_utf8_bytes])
@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"a\0.jpg 1\n", "x.txt, line 1 has a NUL"),
        (b"\na.jpg 1\nb\0.jpg 1\n", "x.txt, line 3 has a NUL"),
        ("ä\nb\0.jpg 1\n".encode(), "x.txt, line 2 has a NUL"),
        ("ä.jpg 1\n".encode("latin-1"), "x.txt is not UTF-8 text: .*; save it as"),
    ],
)
def test_text_with_a_nul_or_not_in_utf8_is_refused(tmp_path, read, content, match):
    (tmp_path / "x.txt").write_bytes(content)
    with pytest.raises(ValueError, match=match):
        read(str(tmp_path / "x.txt"))


def test_values_are_shown_up_to_20_entries_and_80_characters():
    assert shown([*range(30)]) == str([*range(20)])[:-1] + ", ...]"
    assert shown([*range(20)]) == str([*range(20)])
    assert shown(dict.fromkeys(range(30), 0)).count(":") == 20
    path = "images/" + "0123456789" * 20
    assert len(shown(path)) == len(shown(10**300)) == 80
    assert len(shown(np.zeros(1000))) == 80


def test_paths_are_shown_up_to_500_characters():
    path = "images/" + "0123456789" * 50
    assert shown_path(path[:500]) == path[:500]
    assert shown_path(path) == path[:500] + "..."


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a/1.jpg", "a/1.jpg", True),
        ("images/a/1.jpg", "a/1.jpg", True),
        ("b/1.jpg", "a/1.jpg", False),
        ("ba/1.jpg", "a/1.jpg", False),
    ],
)
def test_paths_of_one_image_end_in_the_same_folders(one, other, same):
    assert same_image(one, other) == same_image(other, one) == same
