"""Packing is all or nothing."""

import zipfile

import lmdb
import pytest

from mmpar.datasets.packing import list_images, pack


@pytest.fixture
def folder(tmp_path):
    for name in ("b/2.JPG", "a/1.png", "list.txt", "a/notes"):
        file = tmp_path / "source" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path / "source"


def test_images_are_found_and_the_rest_is_counted(folder):
    names, others, links = list_images(folder)
    assert names == ["a/1.png", "b/2.JPG"]
    assert dict(others) == {".txt": 1, "": 1}
    assert links == []


def test_links_lead_neither_out_nor_in_circles(folder):
    (folder.parent / "secret.jpg").write_text("secret")
    (folder / "a/out.jpg").symlink_to("../../secret.jpg")
    (folder / "a/itself.jpg").symlink_to("itself.jpg")
    (folder / "outside").symlink_to("..")
    (folder / "a/circle").symlink_to("..")
    (folder / "b/same.png").symlink_to("../a/1.png")
    (folder.parent / "link").symlink_to("source")
    for start in (folder, folder.parent / "link"):
        names, _, links = list_images(start)
        assert names == ["a/1.png", "a/itself.jpg", "b/2.JPG", "b/same.png"]
        assert links == ["a/circle", "a/out.jpg", "outside"]
    (folder.parent / "only").mkdir()
    (folder.parent / "only/x").symlink_to("../source")
    with pytest.raises(FileNotFoundError, match=r"links .* not followed \(1 found\)"):
        list_images(folder.parent / "only")


@pytest.mark.parametrize("ending", [".zip", ".lmdb"])
def test_a_failed_run_leaves_nothing_behind(folder, ending):
    out = folder.parent / f"out{ending}"
    with pytest.raises(FileNotFoundError, match=r"gone\.jpg"):
        pack(folder, ["a/1.png", "gone.jpg"], out)
    assert [path.name for path in folder.parent.iterdir()] == ["source"]
    (folder.parent / f".out{ending}.killed.part").touch()
    pack(folder, list_images(folder)[0], out)
    names = {path.name for path in folder.parent.iterdir()}
    assert names == {"source", out.name}
    with pytest.raises(FileExistsError, match=f"out{ending} exists; delete it"):
        pack(folder, list_images(folder)[0], out)


def test_progress_is_reported(folder):
    reports = []
    names = list_images(folder)[0]
    pack(folder, names, folder / "out.zip", lambda *report: reports.append(report))
    assert reports == [(0, 2), (1, 2), (2, 2)]
    with zipfile.ZipFile(folder / "out.zip") as archive:
        assert {name: archive.read(name).decode() for name in names} == {
            name: name for name in names
        }


def test_what_cannot_be_packed_is_said(folder):
    with pytest.raises(
        ValueError, match=r"'.*out\.tar' ends in '\.tar', expected \.zi"
    ):
        pack(folder, [], folder / "out.tar")
    long = folder / ("x" * 250) / ("y" * 250) / ("z" * 20 + ".png")
    long.parent.mkdir(parents=True)
    long.write_text("long")
    with pytest.raises(
        ValueError, match=r"526 bytes, LMDB allows 511; pack into a \.z"
    ):
        pack(folder, list_images(folder)[0], folder / "out.lmdb")
    with pytest.raises(FileNotFoundError, match=r"no folder '.*nowhere'"):
        list_images(folder / "nowhere")
    (folder / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="empty has no images"):
        list_images(folder / "empty")


def test_an_empty_list_gives_an_empty_lmdb(folder):
    pack(folder, [], folder / "out.lmdb")
    with lmdb.open(str(folder / "out.lmdb"), readonly=True, lock=False) as database:
        assert database.stat()["entries"] == 0
