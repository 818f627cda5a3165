"""The tool that searches scales writes a config with each region's best level."""

import re

import numpy as np
import pytest
from mmengine.config import Config

from tests.fixtures.trained import write_thin_config
from tests.test_tools import run

TOOL = "analysis_tools/search_scales.py"
REGIONS = ("head", "torso", "bottom", "whole")


@pytest.mark.slow
def test_each_region_gets_the_level_of_its_best_val_accuracy(tmp_path):
    arguments = ("--epochs", 1, "--work-dir", "work", "--out", "configs/found.py")
    settings = run.options("val_dataloader.dataset.num_samples=12")
    config = write_thin_config("sspnet", tmp_path)
    output = run.run_tool(TOOL, config, *arguments, *settings, cwd=tmp_path)
    found = Config.fromfile(tmp_path / "configs/found.py")
    for name in REGIONS:
        row = re.search(rf"^\| {name} .*\|$", output, re.MULTILINE).group()
        *values, best = [cell.strip() for cell in row.strip("|").split("|")][1:]
        accuracies = np.array(values, dtype=float)
        level = int(best[1:])
        assert accuracies[level - 1] == accuracies.max()
        assert found.scale_search.val_mA[name] == accuracies.tolist()
        assert found.model.regions[name].level == level
        base = Config.fromfile(config).model.regions[name]
        assert found.model.regions[name].rows == base.rows
    assert not list(tmp_path.glob("work/*/*.pth"))
    assert len(list(tmp_path.glob("work/P[1-4]/val.json"))) == 4
    assert found.val_dataloader.dataset.num_samples == 12
