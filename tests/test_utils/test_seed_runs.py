"""Runs of several configs and seeds: computed once, never taken for another's."""

import argparse

import pandas as pd
import pytest

from mmpar.utils.seed_runs import Run, compare_seeds, markdown_table

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


@pytest.fixture(autouse=True)
def tools(tmp_path, monkeypatch):
    """Stand-ins for the tools that are called, and a config with a base."""
    (tmp_path / "tools/analysis_tools").mkdir(parents=True)
    (tmp_path / "tools/train.py").write_text(FAKE_TRAIN)
    (tmp_path / "tools/test.py").write_text(FAKE_TEST)
    (tmp_path / "tools/analysis_tools/eval_localization.py").write_text(FAKE_TEST)
    (tmp_path / "base.py").write_text(BASE)
    (tmp_path / "some.py").write_text("_base_ = './base.py'")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "tools"


def arguments(**changed):
    """Those of run_seeds.py."""
    default = dict(
        configs=["some.py"],
        seeds=[0],
        explainers=[],
        metrics=["par/mA"],
        work_dir="work_dirs/seeds",
        cfg_options=[],
        localize_options=[],
    )
    return argparse.Namespace(**{**default, **changed})


def metrics(tools, seed=0, **changed):
    """Of one run, with these arguments."""
    return Run("some.py", seed, tools, arguments(**changed)).metrics()


def calls(tmp_path):
    """What test.py and eval_localization.py were called with."""
    return (tmp_path / "calls").read_text().splitlines()


def test_another_explainer_later_runs_only_that(tools, tmp_path):
    assert metrics(tools) == {"par/mA": 70.0, "par/mean_iou": 40.0}
    found = metrics(tools, explainers=["GradCAM"])
    assert found["GradCAM/mean_iou"] == 40.0
    found = metrics(tools, explainers=["GradCAM", "GradCAMP"])
    assert found["GradCAMP/mean_iou"] == 40.0
    folder = "work_dirs/seeds/some_seed0"
    explained = [
        f"some.py {folder} --explainer {name} --work-dir {folder}/{name} "
        "--cfg-options randomness.seed=0"
        for name in ("GradCAM", "GradCAMP")
    ]
    assert calls(tmp_path)[1:] == explained


def test_a_column_shows_what_was_explained_before(tools, tmp_path):
    metrics(tools, explainers=["GradCAM"])
    assert "GradCAM/mean_iou" not in metrics(tools)
    found = metrics(tools, metrics=["GradCAM/mean_iou", "GradCAMP/mean_iou"])
    assert found["GradCAM/mean_iou"] == 40.0
    assert "GradCAMP/mean_iou" not in found
    assert len(calls(tmp_path)) == 2


def test_localize_options_are_for_the_localization_alone(tools, tmp_path):
    few = "test_dataloader.dataset.num_samples=3"
    words = dict(explainers=["GradCAM"], cfg_options=["model.a=1"])
    metrics(tools, **words, localize_options=[few])
    tested, explained = calls(tmp_path)
    assert tested.endswith("--cfg-options randomness.seed=0 model.a=1")
    assert explained.endswith(f"--cfg-options randomness.seed=0 model.a=1 {few}")
    with pytest.raises(RuntimeError, match=r"GradCAM_metrics.json .*other settings"):
        metrics(tools, **words)


def test_figures_of_an_edited_base_are_refused(tools, tmp_path):
    metrics(tools)
    (tmp_path / "base.py").write_text(CHANGED)
    with pytest.raises(RuntimeError, match=r"some\.py before it, or a base"):
        metrics(tools)
    (tmp_path / "base.py").write_text(BASE)
    assert metrics(tools)["par/mA"] == 70.0


def test_a_stopped_training_is_not_resumed_with_an_edited_config(tools, tmp_path):
    with pytest.raises(RuntimeError, match=r"train\.py failed"):
        metrics(tools, seed=1)
    (tmp_path / "some.py").write_text("_base_ = './base.py'\nmore = 1")
    with pytest.raises(RuntimeError, match=r"training.json comes from some.py before"):
        metrics(tools, seed=1)


def test_figures_of_other_options_are_refused(tools):
    metrics(tools)
    with pytest.raises(RuntimeError, match="other settings"):
        metrics(tools, cfg_options=["model.a=1"])


@pytest.mark.parametrize("line", ["protocol = 'paper'\n", ""])
def test_the_table_shows_the_protocol_of_each_config(tools, tmp_path, line):
    (tmp_path / "some.py").write_text(f"{line}_base_ = './base.py'")
    table = compare_seeds(arguments(), tools)
    expected = "paper" if line else "unknown"
    assert table.splitlines()[-1] == f"| `some.py` | {expected} | 70.00 |"


def test_the_first_failure_ends_the_comparison_and_names_its_log(tools, tmp_path):
    with pytest.raises(RuntimeError, match=r"train.py failed.*some_seed1.train.log"):
        compare_seeds(arguments(seeds=[0, 1, 2]), tools)
    assert (tmp_path / "work_dirs/seeds/some_seed0/test_metrics.json").exists()
    assert not (tmp_path / "work_dirs/seeds/some_seed2").exists()


@pytest.mark.parametrize(
    ("content", "match"),
    [("{", "is damaged"), ("[1]", "not hold a JSON object"), ("{}", "not hold the se")],
)
def test_a_damaged_file_is_named_with_the_remedy(tools, tmp_path, content, match):
    metrics(tools)
    file = tmp_path / "work_dirs/seeds/some_seed0/test_metrics.json"
    file.write_text(content)
    with pytest.raises(RuntimeError, match=rf"test_metrics.json .*{match}.*remove"):
        metrics(tools)


def test_the_table_has_means_and_sample_deviations():
    rows = [
        dict(config="b.py", protocol="paper", x=1.0, y=5.0),
        dict(config="a.py", protocol="unknown", x=7.0),
        dict(config="b.py", protocol="paper", x=4.0),
    ]
    table = markdown_table(pd.DataFrame(rows), ["x", "y", "z"])
    assert table.splitlines() == [
        "| config | protocol | x | y | z |",
        "|---|---|---|---|---|",
        "| `b.py` | paper | 2.50 ± 2.12 | 5.00 | - |",
        "| `a.py` | unknown | 7.00 | - | - |",
    ]


def test_files_of_an_earlier_version_are_still_read(tools, tmp_path):
    metrics(tools)
    for name in ("training.json", "test_metrics.json"):
        file = tmp_path / "work_dirs/seeds/some_seed0" / name
        file.write_text(file.read_text().replace('"settings"', '"asked"'))
    assert metrics(tools)["par/mA"] == 70.0


def test_a_folder_with_other_files_is_not_taken_over(tools, tmp_path):
    folder = tmp_path / "work_dirs/seeds/some_seed0"
    folder.mkdir(parents=True)
    (folder / "epoch_3.pth").touch()
    with pytest.raises(RuntimeError, match="some_seed0 holds files"):
        metrics(tools)
