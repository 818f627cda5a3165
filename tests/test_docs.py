"""What the documentation shows works as it stands there."""

import re
from pathlib import Path

import numpy as np
from mmengine.config import Config

from mmpar.registry import DATASETS, MODELS
from tests.fixtures.pa100k import write_pictures

ROOT = Path(__file__).parents[1]


def code_blocks(page, language=""):
    """The contents of the fenced blocks of a page."""
    text = (ROOT / page).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_config_and_list_for_ones_own_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/_base_").symlink_to(ROOT / "configs/_base_")
    config = tmp_path / "configs/my_site.py"
    config.write_text(code_blocks("docs/own_data.md", "python")[0])
    rows = code_blocks("docs/own_data.md")[1]
    data = tmp_path / "data/my_site"
    write_pictures(data / "crops", ["0001.jpg", "0002.jpg"])
    for part in ("train", "val", "test"):
        (data / f"{part}.csv").write_text(rows)

    cfg = Config.fromfile(config)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    sample = dataset[1]["data_samples"]
    np.testing.assert_array_equal(sample.gt_score.numpy(), [0, -1, 1])
    cfg.model.backbone.init_cfg = None
    model = MODELS.build(dict(cfg.model, _scope_="mmpar"))
    assert model.head.schema == dataset.schema


def test_readme_commands_name_files_that_exist():
    text = (ROOT / "README.md").read_text()
    paths = re.findall(r"(?:tools|configs|docs|tests)/[\w./-]*\w\.\w+", text)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
