"""The search of scales writes a config with each region's best level."""

import argparse
import importlib.util
import re

import numpy as np
import pytest
from mmengine.config import Config

from tests.test_tools.run import REPOSITORY, run_tool
from tests.test_tools.test_training_runs import CONFIG, small

TOOL = "analysis_tools/search_scales.py"
REGIONS = ("head", "torso", "bottom", "whole")


def load_tool():
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location(
        "search_scales", REPOSITORY / "tools" / TOOL
    )
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


@pytest.mark.slow
def test_each_region_gets_the_level_of_its_best_val_accuracy(tmp_path):
    arguments = ("--epochs", 1, "--work-dir", "work", "--out", "configs/found.py")
    settings = [*small(), "val_dataloader.dataset.num_samples=60"]
    output = run_tool(TOOL, CONFIG, *arguments, *settings, cwd=tmp_path)
    found = Config.fromfile(tmp_path / "configs/found.py")
    for name in REGIONS:
        row = re.search(rf"^\| {name} .*\|$", output, re.MULTILINE).group()
        assert row in (tmp_path / "configs/found.py").read_text()
        *values, best = [cell.strip() for cell in row.strip("|").split("|")][1:]
        accuracies = np.array(values, dtype=float)
        level = int(best[1:])
        assert accuracies[level - 1] == accuracies.max()
        assert found.model.neck.regions[name].level == level
        assert found.model.head.regions[name].level == level
        base = Config.fromfile(CONFIG).model.neck.regions[name]
        assert found.model.neck.regions[name].rows == base.rows
    assert not list(tmp_path.glob("work/*/*.pth"))
    assert len(list(tmp_path.glob("work/P[1-4]/val.json"))) == 4


@pytest.mark.parametrize(
    ("config", "out", "match"),
    [
        ("baseline/baseline_r18_synthetic", "a.py", "only SSPNet has scales"),
        ("sspnet/sspnet-learned_r18_synthetic", "a.py", "learns its scales"),
        ("sspnet/sspnet_r18_synthetic", "a.json", r"--out is a \.py file"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_training(
    config, out, match, tmp_path
):
    path = REPOSITORY / f"configs/{config}.py"
    args = argparse.Namespace(config=str(path), epochs=1, out=str(tmp_path / out))
    with pytest.raises(ValueError, match=match):
        load_tool().check(args, Config.fromfile(path))


def test_of_equal_levels_the_coarsest_is_taken():
    accuracies = np.array([[0.5, 0.7, 0.6], [0.5, 0.7, 0.7], [0.9, 0.9, 0.1]])
    assert load_tool().best_levels(accuracies) == [2, 3, 2]
