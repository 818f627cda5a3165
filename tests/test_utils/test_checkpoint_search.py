"""The checkpoint that represents a work dir, and where a test writes."""

import os

import pytest
import torch
from mmengine.hooks import CheckpointHook

from mmpar.engine import build_runner
from mmpar.utils.checkpoint_search import find_checkpoint_to_test
from mmpar.utils.cli import runner_arguments
from mmpar.utils.config import read_test_config
from tests.test_engine.tiny_training import iteration_based, tiny_config, train


def chosen(cfg, work_dir, said=None):
    say = pytest.fail if said is None else said.append
    path = find_checkpoint_to_test(cfg, str(work_dir), say)
    return os.path.basename(path)


def test_the_best_is_tested_wherever_it_was_saved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fields = dict(out_dir="out", filename_tmpl="step{:02d}.pth")
    cfg = iteration_based(tmp_path / "work", 5, **fields)
    train(cfg)
    assert chosen(cfg, tmp_path / "work") == "best_score_step05.pth"


@pytest.mark.parametrize("without", ["save_best", "val_dataloader"])
def test_the_last_is_tested_where_no_best_is_saved(tmp_path, without):
    cfg = iteration_based(tmp_path, 3)
    train(cfg)
    if without == "save_best":
        cfg.default_hooks.checkpoint.save_best = None
    else:
        cfg.val_dataloader = None
    assert chosen(cfg, tmp_path) == "iter_3.pth"
    os.remove(tmp_path / "last_checkpoint")
    os.utime(tmp_path / "iter_2.pth", (10**10, 10**10))
    assert chosen(cfg, tmp_path) == "iter_3.pth"


def saved_best(folder, name, iteration):
    torch.save(dict(state_dict={}, meta=dict(iter=iteration)), folder / name)


def test_of_several_best_the_latest_whole_one_of_the_first_metric(tmp_path):
    cfg = tiny_config(tmp_path)
    cfg.default_hooks.checkpoint.save_best = ["par/mA", "par/f1"]
    saved_best(tmp_path, "best_par_mA_epoch_9.pth", 90)
    saved_best(tmp_path, "best_par_mA_epoch_10.pth", 100)
    saved_best(tmp_path, "best_par_f1_epoch_12.pth", 120)
    os.utime(tmp_path / "best_par_mA_epoch_9.pth", (10**10, 10**10))
    assert chosen(cfg, tmp_path) == "best_par_mA_epoch_10.pth"
    (tmp_path / "best_par_mA_epoch_10.pth").write_bytes(b"PK\x03\x04")
    said = []
    assert chosen(cfg, tmp_path, said) == "best_par_mA_epoch_9.pth"
    assert "epoch_10.pth is not whole" in said[0]


def test_a_work_dir_without_a_best_says_what_it_has(tmp_path):
    saved_best(tmp_path, "epoch_1.pth", 1)
    match = r"holds no best_score_\* \(checkpoints found: epoch_1\.pth\); name the"
    with pytest.raises(FileNotFoundError, match=match):
        chosen(tiny_config(tmp_path), tmp_path)


def test_an_out_dir_elsewhere_is_an_error(tmp_path):
    cfg = tiny_config(tmp_path)
    cfg.default_hooks.checkpoint.out_dir = "s3://bucket"
    with pytest.raises(ValueError, match="s3://bucket, which is not searched"):
        chosen(cfg, tmp_path)


@pytest.mark.parametrize("explicit", [True, False], ids=["--work-dir", "default"])
def test_a_test_leaves_the_config_of_the_training_as_it_is(
    tmp_path, monkeypatch, explicit
):
    monkeypatch.chdir(tmp_path)
    work = tmp_path / "work_dirs" / "tiny"
    tiny_config(work, 1).dump(tmp_path / "tiny.py")
    parser = runner_arguments("")
    parser.add_argument("checkpoint")
    options = ["--work-dir", str(work)] if explicit else []
    cfg = tiny_config(work, 1)
    train(cfg)
    (work / "tiny.py").write_text("as the training wrote it")
    arguments = [str(tmp_path / "tiny.py"), str(work), *options]
    # A resumed training's own record says so; its test resumes nothing.
    (tmp_path / "tiny.py").open("a").write("\nresume = True\n")
    build_runner(read_test_config(parser.parse_args(arguments), "test")).test()
    assert (work / "tiny.py").read_text() == "as the training wrote it"
    assert "LoadedWeightsHook" in (work / "test" / "tiny.py").read_text()


@pytest.mark.parametrize(
    "name", ["mmpar.CheckpointHook", "mmengine.CheckpointHook", CheckpointHook]
)
def test_the_best_is_tested_however_the_hook_is_named(tmp_path, name):
    cfg = tiny_config(tmp_path)
    cfg.default_hooks.checkpoint.type = name
    cfg.custom_hooks = None
    saved_best(tmp_path, "best_score_epoch_1.pth", 2)
    saved_best(tmp_path, "epoch_2.pth", 4)
    assert chosen(cfg, tmp_path) == "best_score_epoch_1.pth"
