"""A table of several configs and seeds, computed once."""

import json
import subprocess

import pytest

from tests.test_tools.run import REPOSITORY, command, options, run_tool

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


@pytest.mark.slow
def test_each_seed_is_trained_once_and_tabled(tmp_path):
    arguments = ("analysis_tools/seeds.py", CONFIG, "--seeds", "0", "1", "--jobs", "2")
    text = run_tool(*arguments, *TINY, cwd=tmp_path)
    runs = sorted((tmp_path / "work_dirs/seeds").glob("*/seed_metrics.json"))
    assert [path.parent.name[-5:] for path in runs] == ["seed0", "seed1"]
    first, second = (json.loads(p.read_text())["metrics"]["par/mA"] for p in runs)
    assert first != second
    assert f"| {(first + second) / 2:.2f} ± " in text

    changed = json.loads(runs[0].read_text())
    changed["metrics"]["par/mA"] = 2 * 50 - second
    runs[0].write_text(json.dumps(changed))
    assert "| 50.00 ± " in run_tool(*arguments, *TINY, cwd=tmp_path)


def test_results_of_another_question_are_refused(tmp_path):
    folder = tmp_path / "work_dirs/seeds/baseline_r18_synthetic_seed0"
    folder.mkdir(parents=True)
    asked = dict(config="another.py", cfg_options=[])
    content = json.dumps(dict(asked=asked, metrics={}))
    (folder / "seed_metrics.json").write_text(content)
    done = subprocess.run(
        command("analysis_tools/seeds.py", CONFIG, "--seeds", "0"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "another question" in done.stderr
