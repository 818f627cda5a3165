"""What the search of scales refuses, trains, compares and continues."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS

from mmpar.engine import scale_search
from mmpar.engine.scale_search import (
    check_search,
    level_config,
    read_accuracies,
    search_scales,
)
from mmpar.structures import build_schema
from mmpar.utils.cli import runner_arguments
from mmpar.utils.config import read_runner_config
from tests.test_tools.run import REPOSITORY

CONFIG = REPOSITORY / "configs/sspnet/sspnet_r18_synthetic.py"


@pytest.mark.parametrize(
    ("config", "out", "match"),
    [
        ("baseline/baseline_r18_synthetic", "a.py", "only SSPNet has scales"),
        ("sspnet/sspnet-learned_r18_synthetic", "a.py", "learns its scales"),
        ("sspnet/sspnet_r18_synthetic", "a.json", r"--out is a \.py file"),
        ("sspnet/sspnet_r50_market1501", "a.py", "no validation split"),
        ("sspnet/sspnet_r50_rapv1", "a.py", "no validation split"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_training(
    config, out, match, tmp_path
):
    path = REPOSITORY / f"configs/{config}.py"
    with pytest.raises(ValueError, match=match):
        check_search(Config.fromfile(path), 1, str(tmp_path / out))


@pytest.mark.parametrize("epochs", [1, 4])
def test_a_short_training_anneals_in_full(epochs):
    cfg = Config.fromfile(REPOSITORY / "configs/sspnet/sspnet_r50_pa100k.py")
    cfg = level_config(cfg, 1, epochs)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = PARAM_SCHEDULERS.build(
        cfg.param_scheduler, default_args=dict(optimizer=optimizer, epoch_length=12)
    )
    rates = []
    for _ in range(12 * epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates[0] == 1
    assert rates == sorted(rates, reverse=True)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.01)


def test_averaged_weights_are_not_compared():
    cfg = Config.fromfile(REPOSITORY / "configs/sspnet/sspnet_r50_pa100k.py")
    averages = (dict(type=name) for name in ("EMAHook", "mmengine.EMAHook"))
    cfg.custom_hooks = [*averages, dict(type="EmptyCacheHook")]
    before = [*cfg.default_hooks]
    after = level_config(cfg, 1, 4)
    assert "ema" in before
    assert [*after.default_hooks] == [name for name in before if name != "ema"]
    assert [hook.type for hook in after.custom_hooks] == ["EmptyCacheHook"]


class RunnerDouble:
    """Writes val scores instead of training; notes the levels; may be interrupted."""

    trained: ClassVar[list[int]] = []
    interrupted_at: ClassVar[int | None] = None

    def __init__(self, cfg):
        self.cfg = cfg

    def train(self):
        level = self.cfg.model.regions.head.level
        self.trained.append(level)
        if level == self.interrupted_at:
            raise KeyboardInterrupt
        names = build_schema("pa100k").names
        row = [1, 0] * (len(names) // 2)
        rows = [
            dict(img_path="", scores=one, decisions=one, truths=one)
            for one in (row, row[::-1])
        ]
        content = dict(schema=build_schema("pa100k").to_dict(), predictions=rows)
        (dump,) = (e for e in self.cfg.val_evaluator if e.type == "DumpPredictions")
        file = Path(dump.out_file)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))

    def close(self):
        pass


def search(monkeypatch, folder, interrupted_at=None, epochs=1):
    """Levels that the search trains."""
    monkeypatch.setattr(scale_search, "build_runner", RunnerDouble)
    monkeypatch.setattr(RunnerDouble, "trained", [])
    monkeypatch.setattr(RunnerDouble, "interrupted_at", interrupted_at)
    words = [str(CONFIG), "--work-dir", str(folder / "work")]
    words += ["--cfg-options", "schema=pa100k"]
    cfg = read_runner_config(runner_arguments("").parse_args(words))
    try:
        search_scales(cfg, epochs, str(folder / "found.py"))
    except KeyboardInterrupt:
        assert interrupted_at is not None
    return RunnerDouble.trained


def test_a_stopped_search_goes_on_after_the_last_level_that_is_done(
    monkeypatch, tmp_path
):
    assert search(monkeypatch, tmp_path, interrupted_at=3) == [1, 2, 3]
    assert search(monkeypatch, tmp_path) == [3, 4]
    assert (tmp_path / "found.py").exists()


def test_levels_of_another_search_are_refused(monkeypatch, tmp_path):
    search(monkeypatch, tmp_path, interrupted_at=3)
    with pytest.raises(ValueError, match="comes from another search"):
        search(monkeypatch, tmp_path, epochs=2)


def test_damaged_predictions_are_named_with_the_remedy(tmp_path):
    file = tmp_path / "P1/val.json"
    file.parent.mkdir()
    file.write_text('{"predictions": [{}]}')
    with pytest.raises(ValueError, match=r"P1/val.json does not hold .*remove .*P1 to"):
        read_accuracies(Config.fromfile(CONFIG), file)
