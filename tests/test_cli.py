"""The command ``mmpar``, from a clone and from a wheel."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from mmengine.config import Config

from mmpar.cli import COMMANDS
from mmpar.utils.shipped import find_config, model_index, shipped_root

REPOSITORY = Path(__file__).parents[1]
SOURCES = ("mmpar", "configs", "tools", "requirements", "model-index.yml")
BUILD_FILES = ("setup.py", "setup.cfg", "pyproject.toml", "MANIFEST.in")
BUILD = "from setuptools import build_meta as b; print(b.build_{}('dist'))"


def mmpar(*arguments, root=REPOSITORY, cwd=None):
    """Exit status and output of ``python -m mmpar`` with the package below ``root``."""
    done = subprocess.run(
        [sys.executable, "-m", "mmpar", *arguments],
        cwd=cwd,
        env=dict(PYTHONPATH=str(root), PYTHONDONTWRITEBYTECODE="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def test_every_subcommand_has_its_script():
    missing = [
        script
        for script, _ in COMMANDS.values()
        if not (REPOSITORY / "tools" / script).is_file()
    ]
    assert missing == []


def test_subcommands_answer_as_their_tools_from_any_folder(tmp_path):
    status, output = mmpar("train", "--help", cwd=tmp_path)
    assert (status, output.split()[:3]) == (0, ["usage:", "mmpar", "train"])
    status, output = mmpar("doctor", "PA100K", cwd=tmp_path)
    assert status == 2
    assert "arguments are required: source" in output
    status, output = mmpar("trains", cwd=tmp_path)
    assert status == 2
    assert "invalid choice: 'trains'" in output


def test_what_cannot_be_done_is_one_line(tmp_path):
    arguments = ("missing.safetensors", "images", "--out", "answers.txt")
    status, output = mmpar("predict", *arguments, cwd=tmp_path)
    assert status == 1
    assert output.startswith("mmpar predict: error: answers.txt")
    assert output.count("\n") == 1


def test_models_are_listed_by_pattern(tmp_path):
    status, output = mmpar("models", "sspnet_r50*peta", cwd=tmp_path)
    assert status == 0
    names = [line.split()[0] for line in output.splitlines()]
    assert names == ["sspnet_r50_peta", "sspnet_r50_petazs"]
    assert mmpar("models", "yolo", cwd=tmp_path)[0] == 1


def test_a_config_is_found_by_its_model_and_a_file_is_left_alone(tmp_path, monkeypatch):
    for name, model in model_index().items():
        assert find_config(name) == str(REPOSITORY / model["Config"])
    assert find_config("configs/mine.py") == "configs/mine.py"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").touch()
    assert find_config("mine") == "mine"
    with pytest.raises(ValueError, match="did you mean sspnet_r50_pa100k"):
        find_config("sspnet_r50_pa100")


def build(folder, kind):
    done = subprocess.run(
        [sys.executable, "-c", BUILD.format(kind)],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "dist" / done.stdout.splitlines()[-1]


def tree(root):
    return {
        path.relative_to(root): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_a_wheel_made_from_the_sdist_has_every_config_and_tool(tmp_path):
    clone = tmp_path / "clone"
    clone.mkdir()
    ignore = shutil.ignore_patterns("__pycache__")
    for name in (*SOURCES, *BUILD_FILES, "README.md", "LICENSE"):
        copy = shutil.copy if (REPOSITORY / name).is_file() else shutil.copytree
        options = {} if copy is shutil.copy else dict(ignore=ignore)
        copy(REPOSITORY / name, clone / name, **options)
    (clone / "build/lib/mmpar/.mim/configs").mkdir(parents=True)
    (clone / "build/lib/mmpar/.mim/configs/stale.py").touch()  # of an earlier build
    shutil.unpack_archive(build(clone, "sdist"), tmp_path / "unpacked")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    installed = tmp_path / "installed"
    with zipfile.ZipFile(build(unpacked, "wheel")) as wheel:
        wheel.extractall(installed)
    shutil.rmtree(clone / "tools/benchmarks")
    for name in ("configs", "tools"):
        assert tree(installed / "mmpar/.mim" / name) == tree(clone / name)
    (entry,) = installed.glob("*.dist-info/entry_points.txt")
    assert "mmpar = mmpar.cli:main" in entry.read_text()

    status, output = mmpar("models", "sspnet_r50_pa100k", root=installed, cwd=tmp_path)
    assert status == 0
    config = Path(output.split()[1])
    assert config.is_relative_to(installed)
    original = Config.fromfile(shipped_root() / "configs/sspnet/sspnet_r50_pa100k.py")
    assert Config.fromfile(config).to_dict() == original.to_dict()
