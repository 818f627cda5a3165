"""Packing images on the command line."""

import subprocess
import zipfile
from pathlib import Path

from tests.test_tools.run import command, environment, run_tool


def test_images_are_packed_and_the_rest_is_named(tmp_path: Path):
    for name in ("a/1.jpg", "2.png", "annotation.mat"):
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / name).write_text(name)
    (tmp_path / "source/circle").symlink_to(".")
    tool = "dataset_converters/pack_images.py"
    output = run_tool(tool, "source", "out/all.zip", cwd=tmp_path)
    assert "wrote 2 images to out/all.zip" in output
    assert "left out, as they do not end like images: 1 .mat" in output
    assert "out of the folder, are not followed: 1 (circle)" in output
    with zipfile.ZipFile(tmp_path / "out/all.zip") as archive:
        assert sorted(archive.namelist()) == ["2.png", "a/1.jpg"]
    again = subprocess.run(
        command(tool, "source", "out/all.zip"),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert again.returncode == 1
    assert "error: out/all.zip exists; delete it first" in again.stderr
