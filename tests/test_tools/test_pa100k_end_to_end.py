"""The unmodified PA-100K config trains and tests on a folder in its own format."""

import csv
import json

import pytest

from tests.fixtures.pa100k import real_rows, write_pa100k_release
from tests.test_tools.run import REPOSITORY, options, run_tool, scalars

CONFIG = REPOSITORY / "configs/sspnet/sspnet_r50_pa100k.py"


@pytest.mark.slow
def test_unmodified_config_trains_and_tests_on_the_release_format(tmp_path):
    """Unmodified but for the number of images and of channels."""
    rows = real_rows()
    parts = dict(train=rows[:80], val=rows[80:90], test=rows[90:100])
    write_pa100k_release(tmp_path / "data/pa100k", parts)
    small = [
        f"{part}_dataloader.{field}"
        for part in ("train", "val", "test")
        for field in ("dataset.indices=4", "batch_size=2", "num_workers=0")
    ]
    small += [
        "model.backbone.init_cfg=None",
        "model.backbone.base_channels=8",
        "model.backbone.stem_channels=8",
        "model.neck.in_channels=32,64,128,256",
    ]
    run_tool(
        "train.py",
        CONFIG,
        *options(
            *small,
            "train_cfg.max_epochs=1",
            "default_hooks.logger.interval=1",
        ),
        cwd=tmp_path,
    )
    work_dir = tmp_path / "work_dirs/sspnet_r50_pa100k"
    losses = [line["loss"] for line in scalars(work_dir) if "loss" in line]
    assert len(losses) == 2

    out = tmp_path / "predictions.csv"
    text = run_tool(
        "test.py", CONFIG, work_dir, "--out", out, *options(*small), cwd=tmp_path
    )
    assert "UpperPlaid" in text  # the per-attribute table
    written = list(csv.DictReader(out.open(encoding="utf-8-sig")))
    assert [line["img_path"][-10:] for line in written] == [r[0] for r in rows[90:94]]
    for line, (_, labels) in zip(written, rows[90:94]):
        assert int(line["truth:Female"]) == labels[0]
        assert 0 <= float(line["score:boots"]) <= 1


@pytest.mark.slow
def test_out_json_holds_schema_scores_and_labels(tmp_path):
    rows = real_rows()[:6]
    write_pa100k_release(
        tmp_path / "data/pa100k", dict(train=rows[:2], val=rows[2:4], test=rows[4:])
    )
    config = REPOSITORY / "configs/baseline/baseline_r50_pa100k.py"
    small = (
        "train_dataloader.batch_size=2",
        "train_cfg.max_epochs=1",
        "model.backbone.depth=18",
        "model.backbone.base_channels=8",
        "model.backbone.stem_channels=8",
        "model.backbone.init_cfg=None",
        "model.head.in_channels=64",
    )
    run_tool("train.py", config, *options(*small), "--work-dir", "work", cwd=tmp_path)
    run_tool(
        "test.py",
        config,
        "work",
        "--out",
        "predictions.json",
        *options(*small[2:]),
        cwd=tmp_path,
    )
    written = json.loads((tmp_path / "predictions.json").read_text())
    assert written["schema"]["names"][0] == "Female"
    assert [p["truths"] for p in written["predictions"]] == [r[1] for r in rows[4:]]
    assert all(len(p["scores"]) == 26 for p in written["predictions"])
