"""The arguments of run_seeds.py, and one comparison from end to end."""

import json
import re
import runpy

import pytest

from tests.fixtures.trained import write_thin_config
from tests.test_tools.run import load_tool, run_command

TOOL = "analysis_tools/run_seeds.py"
<<<<<<< HEAD
=======
CONFIG = REPOSITORY / "configs/baseline/baseline_r18_synthetic.py"
TINY = options(
    "train_cfg.max_epochs=1",
    "train_dataloader.dataset.num_samples=16",
    "val_dataloader.dataset.num_samples=4",
    "test_dataloader.dataset.num_samples=4",
    "train_dataloader.num_workers=0",
    "val_dataloader.num_workers=0",
    "test_dataloader.num_workers=0",
)
>>>>>>> eval11


def parse_args(words):
    """The tool's arguments."""
    tool = runpy.run_path(str(REPOSITORY / "tools" / TOOL))
    return tool["parse_args"](words)


@pytest.mark.slow
<<<<<<< HEAD
def test_each_seed_is_trained_once_and_in_the_table(tmp_path, monkeypatch, capsys):
    """By the tools it calls, each in a process of its own."""
    tool = load_tool(TOOL)
    monkeypatch.setattr(tool.subprocess, "run", run_command)
    monkeypatch.chdir(tmp_path)
    config = str(write_thin_config("linear", tmp_path))

    def call(*words):
        tool.main(tool.parse_args([config, "--seeds", "0", "1", *words]))
        return capsys.readouterr().out

    text = call()
=======
def test_each_seed_is_trained_once_and_in_the_table(tmp_path):
    arguments = (TOOL, CONFIG, "--seeds", "0", "1")
    text = run_tool(*arguments, *TINY, cwd=tmp_path)
>>>>>>> eval11
    runs = sorted((tmp_path / "work_dirs/seeds").glob("*/test_metrics.json"))
    assert [path.parent.name[-5:] for path in runs] == ["seed0", "seed1"]
    first, second = (json.loads(p.read_text())["metrics"]["par/mA"] for p in runs)
    assert first != second
    assert f"| {(first + second) / 2:.2f} ± " in text

    changed = json.loads(runs[0].read_text())
    changed["metrics"]["par/mA"] = 2 * 50 - second
    runs[0].write_text(json.dumps(changed))
    few = ("--localize-options", "test_dataloader.dataset.num_samples=2")
    text = call("--explainers", "GradCAM", *few)
    assert "| par/label_f1 | GradCAM/mean_iou |" in text
    assert re.search(r"\| 50\.00 ± .* \| [\d.]+ ± [\d.]+ \|$", text, re.MULTILINE)


<<<<<<< HEAD
# Stand-ins for train.py, test.py and eval_localization.py: note the call, answer.
FAKE_TRAIN = """
import sys
if "randomness.seed=1" in sys.argv:
    sys.exit("no")
"""
FAKE_TEST = """
import json, pathlib, sys
words = sys.argv[1:]
tool = "eval_localization" if "--explainer" in words else "test"
folder = pathlib.Path(words[words.index("--work-dir") + 1]) / tool / "20260101"
folder.mkdir(parents=True, exist_ok=True)
with open("calls", "a") as calls:
    calls.write(" ".join(words) + "\\n")
prefix = "localization" if "--explainer" in words else "par"
values = {f"{prefix}/mA": 70.0, f"{prefix}/mean_iou": 40.0}
(folder / "20260101.json").write_text(json.dumps(values))
"""
BASE = "model = dict(depth=18)"
CHANGED = "model = dict(depth=50)"


@pytest.fixture
def seeds(tmp_path, monkeypatch):
    """The tool as a module, with stand-ins for the tools it calls."""
    tool = load_tool(TOOL)
    tools = tmp_path / "tools"
    (tools / "analysis_tools").mkdir(parents=True)
    (tools / "train.py").write_text(FAKE_TRAIN)
    (tools / "test.py").write_text(FAKE_TEST)
    (tools / "analysis_tools/eval_localization.py").write_text(FAKE_TEST)
    (tmp_path / "base.py").write_text(BASE)
    (tmp_path / "some.py").write_text("_base_ = './base.py'")
    monkeypatch.setattr(tool, "TOOLS", tools)
    monkeypatch.chdir(tmp_path)
    return tool


def metrics(seeds, *words, seed=0):
    """Of one run, with these arguments."""
    args = seeds.parse_args(["some.py", "--seeds", str(seed), *words])
    return seeds.Run("some.py", seed, args).metrics()


def calls(tmp_path):
    """What test.py and eval_localization.py were called with."""
    return (tmp_path / "calls").read_text().splitlines()


def test_another_explainer_later_runs_only_that(seeds, tmp_path):
    assert metrics(seeds) == {"par/mA": 70.0, "par/mean_iou": 40.0}
    found = metrics(seeds, "--explainers", "GradCAM")
    assert found["GradCAM/mean_iou"] == 40.0
    found = metrics(seeds, "--explainers", "GradCAM", "GradCAMP")
    assert found["GradCAMP/mean_iou"] == 40.0
    folder = "work_dirs/seeds/some_seed0"
    explained = [
        f"some.py {folder} --explainer {name} --work-dir {folder}/{name} "
        "--cfg-options randomness.seed=0"
        for name in ("GradCAM", "GradCAMP")
    ]
    assert calls(tmp_path)[1:] == explained


def test_a_column_shows_what_was_explained_before(seeds, tmp_path):
    metrics(seeds, "--explainers", "GradCAM")
    assert "GradCAM/mean_iou" not in metrics(seeds)
    found = metrics(seeds, "--metrics", "GradCAM/mean_iou", "GradCAMP/mean_iou")
    assert found["GradCAM/mean_iou"] == 40.0
    assert "GradCAMP/mean_iou" not in found
    assert len(calls(tmp_path)) == 2


def test_columns_include_the_explainers_unless_named(seeds):
=======
def test_columns_include_the_explainers_unless_named():
>>>>>>> eval11
    words = ["some.py", "--explainers", "GradCAM"]
    assert parse_args(words).metrics[-2:] == ["par/label_f1", "GradCAM/mean_iou"]
    words += ["--metrics", "par/mA"]
    assert parse_args(words).metrics == ["par/mA"]


def test_configs_of_one_name_are_refused(capsys):
    with pytest.raises(SystemExit):
        parse_args(["some.py", "other/some.py"])
    assert "told apart by their file names" in capsys.readouterr().err
