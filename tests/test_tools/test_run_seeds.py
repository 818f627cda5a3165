"""The arguments of run_seeds.py, and one comparison from end to end."""

import json
import re
import runpy
import subprocess

import pytest

from tests.fixtures.trained import write_thin_config
from tests.test_tools.run import REPOSITORY, load_tool, run_command

TOOL = "analysis_tools/run_seeds.py"


def parse_args(words):
    """The tool's arguments."""
    tool = runpy.run_path(str(REPOSITORY / "tools" / TOOL))
    return tool["parse_args"](words)


@pytest.mark.slow
def test_each_seed_is_trained_once_and_in_the_table(tmp_path, monkeypatch):
    """By the tools it calls, each in a process of its own."""
    tool = load_tool(TOOL)
    monkeypatch.setattr(subprocess, "run", run_command)
    monkeypatch.chdir(tmp_path)
    config = str(write_thin_config("linear", tmp_path))

    def compare(*words):
        args = tool.parse_args([config, "--seeds", "0", "1", *words])
        return tool.compare_seeds(args, tools=REPOSITORY / "tools")

    text = compare()
    runs = sorted((tmp_path / "work_dirs/seeds").glob("*/test_metrics.json"))
    assert [path.parent.name[-5:] for path in runs] == ["seed0", "seed1"]
    first, second = (json.loads(p.read_text())["metrics"]["par/mA"] for p in runs)
    assert first != second
    assert f"| {(first + second) / 2:.2f} ± " in text

    changed = json.loads(runs[0].read_text())
    changed["metrics"]["par/mA"] = 2 * 50 - second
    runs[0].write_text(json.dumps(changed))
    few = ("--localize-options", "test_dataloader.dataset.num_samples=2")
    text = compare("--explainers", "GradCAM", *few)
    assert "| par/label_f1 | GradCAM/mean_iou |" in text
    assert re.search(r"\| 50\.00 ± .* \| [\d.]+ ± [\d.]+ \|$", text, re.MULTILINE)


def test_columns_include_the_explainers_unless_named():
    words = ["some.py", "--explainers", "GradCAM"]
    assert parse_args(words).metrics[-2:] == ["par/label_f1", "GradCAM/mean_iou"]
    words += ["--metrics", "par/mA"]
    assert parse_args(words).metrics == ["par/mA"]


def test_configs_of_one_name_are_refused(capsys):
    with pytest.raises(SystemExit):
        parse_args(["some.py", "other/some.py"])
    assert "told apart by their file names" in capsys.readouterr().err
