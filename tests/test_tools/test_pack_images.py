"""Packing images on the command line."""

import zipfile
from pathlib import Path

from tests.test_tools.run import call_tool, run_tool


def test_images_are_packed_and_the_rest_is_named(tmp_path: Path):
    for name in ("a/1.jpg", "2.png", "annotation.mat"):
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / name).write_text(name)
    (tmp_path / "source/circle").symlink_to(".")
    tool = "dataset_converters/pack_images.py"
    output = run_tool(tool, "source", "out/all.zip", cwd=tmp_path)
    assert "wrote 2 images to out/all.zip" in output
    assert "left out, because they do not end in an image format: 1 .mat" in output
    assert "out of the folder, are not followed: 1 (circle)" in output
    with zipfile.ZipFile(tmp_path / "out/all.zip") as archive:
        assert sorted(archive.namelist()) == ["2.png", "a/1.jpg"]
    status, output = call_tool(tool, "source", "out/all.zip", cwd=tmp_path)
    assert status == 1
    assert "error: out/all.zip exists; delete it first" in output
