"""A table of several configs and seeds, computed once."""

import json
import re

import pytest

from tests.fixtures.trained import write_thin_config
from tests.test_tools.run import load_tool, run_command

TOOL = "analysis_tools/run_seeds.py"


@pytest.mark.slow
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
    words = ["some.py", "--explainers", "GradCAM"]
    assert seeds.parse_args(words).metrics[-2:] == ["par/label_f1", "GradCAM/mean_iou"]
    words += ["--metrics", "par/mA"]
    assert seeds.parse_args(words).metrics == ["par/mA"]


def test_localize_options_are_for_the_localization_alone(seeds, tmp_path):
    few = "test_dataloader.dataset.num_samples=3"
    words = ("--explainers", "GradCAM", "--cfg-options", "model.a=1")
    metrics(seeds, *words, "--localize-options", few)
    tested, explained = calls(tmp_path)
    assert tested.endswith("--cfg-options randomness.seed=0 model.a=1")
    assert explained.endswith(f"--cfg-options randomness.seed=0 model.a=1 {few}")
    with pytest.raises(RuntimeError, match=r"GradCAM_metrics.json .*other settings"):
        metrics(seeds, *words)


def test_figures_of_an_edited_base_are_refused(seeds, tmp_path):
    metrics(seeds)
    (tmp_path / "base.py").write_text(CHANGED)
    with pytest.raises(RuntimeError, match=r"some\.py before it, or a base"):
        metrics(seeds)
    (tmp_path / "base.py").write_text(BASE)
    assert metrics(seeds)["par/mA"] == 70.0


def test_a_stopped_training_is_not_resumed_with_an_edited_config(seeds, tmp_path):
    with pytest.raises(RuntimeError, match=r"train\.py failed"):
        metrics(seeds, seed=1)
    (tmp_path / "some.py").write_text("_base_ = './base.py'\nmore = 1")
    with pytest.raises(RuntimeError, match=r"training.json comes from some.py before"):
        metrics(seeds, seed=1)


def test_figures_of_other_options_are_refused(seeds):
    metrics(seeds)
    with pytest.raises(RuntimeError, match="other settings"):
        metrics(seeds, "--cfg-options", "model.a=1")


def test_the_first_failure_ends_the_comparison_and_names_its_log(seeds, tmp_path):
    with pytest.raises(RuntimeError, match=r"train.py failed.*some_seed1.train.log"):
        seeds.main(seeds.parse_args(["some.py", "--seeds", "0", "1", "2"]))
    assert (tmp_path / "work_dirs/seeds/some_seed0/test_metrics.json").exists()
    assert not (tmp_path / "work_dirs/seeds/some_seed2").exists()


@pytest.mark.parametrize(
    ("content", "match"),
    [("{", "is damaged"), ("[1]", "not hold a JSON object"), ("{}", "not hold the se")],
)
def test_a_damaged_file_is_named_with_the_remedy(seeds, tmp_path, content, match):
    metrics(seeds)
    file = tmp_path / "work_dirs/seeds/some_seed0/test_metrics.json"
    file.write_text(content)
    with pytest.raises(RuntimeError, match=rf"test_metrics.json .*{match}.*remove"):
        metrics(seeds)


def test_the_table_has_means_and_sample_deviations(seeds):
    rows = [
        dict(config="b.py", x=1.0, y=5.0),
        dict(config="a.py", x=7.0),
        dict(config="b.py", x=4.0),
    ]
    table = seeds.markdown_table(seeds.pd.DataFrame(rows), ["x", "y", "z"])
    assert table.splitlines() == [
        "| config | x | y | z |",
        "|---|---|---|---|",
        "| `b.py` | 2.50 ± 2.12 | 5.00 | - |",
        "| `a.py` | 7.00 | - | - |",
    ]


def test_files_of_an_earlier_version_are_still_read(seeds, tmp_path):
    metrics(seeds)
    for name in ("training.json", "test_metrics.json"):
        file = tmp_path / "work_dirs/seeds/some_seed0" / name
        file.write_text(file.read_text().replace('"settings"', '"asked"'))
    assert metrics(seeds)["par/mA"] == 70.0


def test_a_folder_with_other_files_is_not_taken_over(seeds, tmp_path):
    folder = tmp_path / "work_dirs/seeds/some_seed0"
    folder.mkdir(parents=True)
    (folder / "epoch_3.pth").touch()
    with pytest.raises(RuntimeError, match="some_seed0 holds files"):
        metrics(seeds)


def test_configs_of_one_name_are_refused(seeds, capsys):
    with pytest.raises(SystemExit):
        seeds.parse_args(["some.py", "other/some.py"])
    assert "told apart by their file names" in capsys.readouterr().err
