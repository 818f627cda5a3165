"""Every training image is predicted once, by a model that has not seen its person."""

import subprocess

import numpy as np
import pytest
from mmengine.config import Config

from mmpar.datasets import SyntheticPAR
from mmpar.evaluation import read_predictions, read_record
from mmpar.evaluation.result_record import record_lines
from tests.fixtures.trained import write_thin_config
from tests.test_tools.run import REPOSITORY, load_tool, run_command

TOOL = "analysis_tools/cross_validate.py"


def call(monkeypatch, *words, run=run_command):
    """The tool, whose trainings are forked."""
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("sys.argv", [TOOL, *map(str, words)])
    tool = load_tool(TOOL)
    return tool.cross_validate(tool.parse_args(), tools=REPOSITORY / "tools")


@pytest.mark.slow
def test_each_image_is_predicted_by_the_fold_that_holds_it_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = write_thin_config("linear", tmp_path)
    words = [config, "--folds", 2, "--work-dir", "folds"]
    found = call(monkeypatch, *words)
    dataset = SyntheticPAR(num_samples=8, split="train")
    assert found.img_path.tolist() == list(dataset.table.paths)
    assert (found.labels == dataset.get_labels()).all()
    written = read_predictions(tmp_path / "folds/predictions.json")
    assert (written.scores == found.scores).all()
    lines = record_lines(read_record("folds/predictions.json"))
    assert lines[0].startswith("protocol: 2-fold cross-validation, each image by")
    assert lines[1] == f"config: {config}"
    assert lines[3] == "data: SyntheticPAR train, 8 images, 8 persons"
    assert lines[5].startswith("software: mmpar 0.")
    held_out = []
    for fold in (0, 1):
        cfg = Config.fromfile(f"folds/fold{fold}/config.py")
        train = np.loadtxt(cfg.train_dataloader.dataset.indices, int)
        tested = np.loadtxt(cfg.test_dataloader.dataset.indices, int)
        assert sorted([*train, *tested]) == list(range(8))
        paths = read_predictions(f"folds/fold{fold}/predictions.json").img_path
        assert paths.tolist() == [dataset.table.paths[row] for row in tested]
        held_out += [*tested]
    assert sorted(held_out) == list(range(8))
    again = call(monkeypatch, *words, run=None)  # trains nothing
    assert (again.scores == found.scores).all()
    words[2] = 4
    with pytest.raises(RuntimeError, match="choose another --work-dir"):
        call(monkeypatch, *words)


def test_a_training_set_of_several_datasets_is_refused(tmp_path, monkeypatch):
    more = "train_dataloader['dataset']['indices'] = 4\n"
    config = write_thin_config("linear", tmp_path, more=more)
    with pytest.raises(ValueError, match=r"one dataset .* with indices=4"):
        call(monkeypatch, config, "--work-dir", tmp_path / "folds")
