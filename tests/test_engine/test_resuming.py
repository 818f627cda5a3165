"""A training resumes from the last checkpoint that can be read, with all its state."""

import os
import shutil

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook

from mmpar.engine import build_runner
from mmpar.utils.cli import AUTO
from tests.test_engine.tiny_training import (
    iteration_based,
    log_of,
    tiny_config,
    train,
)


def resumed(cfg, resume=AUTO, load_from=None):
    cfg.resume, cfg.load_from = resume, load_from
    return train(cfg)


def names(folder):
    return sorted(path.name for path in folder.glob("*.pth"))


def tear(path):
    path.write_bytes(path.read_bytes()[:-300])


@pytest.mark.parametrize(
    ("fields", "folder", "last", "record"),
    [
        ({}, "work", "iter_4.pth", "lost"),
        (dict(filename_tmpl="step-{:03d}.pt"), "work", "step-004.pt", "lost"),
        (dict(out_dir="out"), "out/work", "iter_4.pth", "there"),
        (dict(out_dir="out"), "out/work", "iter_4.pth", "moved"),
        (dict(out_dir="out", filename_tmpl="{}.pth"), "out/work", "4.pth", "lost"),
    ],
)
def test_iteration_checkpoints_are_resumed_wherever_they_are(
    tmp_path, monkeypatch, fields, folder, last, record
):
    monkeypatch.chdir(tmp_path)
    work = tmp_path / "work"
    train(iteration_based(work, 4, **fields))
    assert (tmp_path / folder / last).is_file()
    if record == "lost":
        os.remove("work/last_checkpoint")
    if record == "moved":
        (work / "last_checkpoint").write_text(f"/elsewhere/{last}")
    runner = resumed(iteration_based(work, 6, **fields))
    assert "resumed epoch: 0, iter: 4" in log_of(runner)
    assert runner.iter == 6


def test_what_last_checkpoint_names_is_taken_before_a_later_one(tmp_path):
    train(tiny_config(tmp_path))
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "epoch_2.pth"))
    assert "resumed epoch: 2, iter: 4" in log_of(resumed(tiny_config(tmp_path, 4)))


def test_of_torn_checkpoints_the_latest_whole_one_is_taken_by_its_iteration(tmp_path):
    train(iteration_based(tmp_path, 4, max_keep_ckpts=-1))
    tear(tmp_path / "iter_4.pth")
    os.replace(tmp_path / "iter_2.pth", tmp_path / "iter_9.pth")  # 2 by its content
    os.utime(tmp_path / "iter_1.pth", (10**10, 10**10))
    runner = resumed(iteration_based(tmp_path, 6))
    assert "iter: 3" in log_of(runner)
    assert "iter_4.pth is not whole" in log_of(runner)


def test_a_work_dir_of_torn_checkpoints_alone_is_not_trained_in_anew(tmp_path):
    train(tiny_config(tmp_path))
    saved = [path for path in tmp_path.glob("*.pth") if "best" not in path.name]
    for path in saved:
        tear(path)
    before = names(tmp_path)
    message = rf"epoch_\d.*and {len(saved) - 1} more cannot be read.*another --work-dir"
    with pytest.raises(ValueError, match=message):
        resumed(tiny_config(tmp_path))
    assert names(tmp_path) == before


def test_a_finished_training_says_so_and_keeps_its_files(tmp_path):
    work, copy = tmp_path / "work", tmp_path / "copy"
    train(tiny_config(work))
    shutil.copytree(work, copy)
    before = names(work)
    log = log_of(resumed(tiny_config(work)))
    assert "This training is finished" in log
    assert "3 of 3 epochs" in log
    assert names(work) == before
    assert "This training is finished" not in log_of(resumed(tiny_config(copy, 4)))


def test_iterations_of_a_finished_training_are_named(tmp_path):
    train(iteration_based(tmp_path, 4))
    assert "4 of 4 iterations" in log_of(resumed(iteration_based(tmp_path, 4)))


def test_nothing_to_resume_is_a_warning_in_the_log(tmp_path):
    runner = resumed(tiny_config(tmp_path / "mistyped", 1))
    assert "WARNING - there is nothing to resume in " in log_of(runner)
    assert "mistyped: the training begins from scratch" in log_of(runner)


def test_without_a_checkpoint_the_training_begins_from_load_from(tmp_path):
    train(tiny_config(tmp_path / "first"))
    start = str(tmp_path / "first" / "epoch_3.pth")
    runner = resumed(tiny_config(tmp_path / "second", 1), load_from=start)
    assert f"the training begins from {start}" in log_of(runner)
    assert runner.epoch == 1


def test_a_config_that_resumes_finds_the_last_checkpoint_too(tmp_path):
    train(tiny_config(tmp_path))
    tear(tmp_path / "epoch_3.pth")
    assert "resumed epoch: 2" in log_of(resumed(tiny_config(tmp_path, 4), resume=True))


def test_checkpoints_without_optimizer_are_not_overwritten_by_a_new_training(tmp_path):
    cfg = tiny_config(tmp_path)
    cfg.default_hooks.checkpoint.save_optimizer = False
    train(cfg)
    with pytest.raises(ValueError, match=r"nothing in .* can be resumed.*load_from="):
        resumed(tiny_config(tmp_path, 4))
    assert "epoch_3.pth" in names(tmp_path)


class Stop(Hook):
    """Ends the training before its third epoch."""

    def before_train_epoch(self, runner):
        if runner.epoch == 2:
            raise KeyboardInterrupt


def test_resuming_equals_a_training_that_never_stopped(tmp_path):
    train(tiny_config(tmp_path / "a", 4))
    runner = build_runner(tiny_config(tmp_path / "b", 4))
    runner.register_hook(Stop())
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    resumed(tiny_config(tmp_path / "b", 4))
    one, two = (
        torch.load(tmp_path / run / "epoch_4.pth", weights_only=False) for run in "ab"
    )
    for key, value in one["state_dict"].items():
        assert torch.equal(value, two["state_dict"][key])
    assert one["optimizer"]["param_groups"] == two["optimizer"]["param_groups"]


@pytest.fixture
def trained(tmp_path):
    train(tiny_config(tmp_path / "run"))
    return tmp_path / "run"


@pytest.mark.parametrize(
    ("drop", "match"),
    [
        ("optimizer", "it has no optimizer"),
        ("param_schedulers", "it has no param_schedulers"),
        ("message_hub", "it has no message_hub"),
        ("meta", "it has no meta, meta.epoch, meta.iter"),
    ],
)
def test_a_checkpoint_without_a_part_of_its_state_is_refused(trained, drop, match):
    state = torch.load(trained / "epoch_3.pth", weights_only=False)
    del state[drop]
    torch.save(state, trained / "less.pth")
    with pytest.raises(ValueError, match=rf"less\.pth cannot be resumed from: {match}"):
        resumed(tiny_config(trained, 4), True, str(trained / "less.pth"))


def test_the_best_checkpoint_is_refused_with_the_remedy(trained):
    best = str(trained / "best_score_epoch_3.pth")
    match = r"no optimizer, param_schedulers.*--resume without.*load_from=.*best_score"
    with pytest.raises(ValueError, match=match):
        resumed(tiny_config(trained, 4), True, best)


def test_another_schedule_is_refused(trained):
    cfg = tiny_config(trained, 4)
    cfg.param_scheduler = [cfg.param_scheduler, dict(type="ExponentialLR", gamma=0.9)]
    with pytest.raises(ValueError, match=r"1 schedules, but the config's .* has 2"):
        resumed(cfg)


def test_weights_that_do_not_fit_are_not_resumed(trained):
    cfg = tiny_config(trained, 4)
    cfg.model.width = 5
    match = r"does not fit the model: 2 of the model's 4 weights match; 2 of a diff"
    with pytest.raises(ValueError, match=match):
        resumed(cfg)


def test_a_program_in_a_checkpoint_does_not_run(trained, tmp_path):
    state = torch.load(trained / "epoch_3.pth", weights_only=False)
    state["meta"]["config"] = f"open({str(tmp_path / 'canary')!r}, 'w')"
    torch.save(state, trained / "epoch_3.pth")
    resumed(tiny_config(trained, 4))
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("resume", [AUTO, "epoch_2.pth"])
def test_a_resumed_training_fetches_no_pretrained_weights(tmp_path, resume):
    weights, run = tmp_path / "w.pth", tmp_path / "run"
    torch.save({"layer.weight": torch.ones(2, 2)}, weights)

    def config(epochs):
        cfg = tiny_config(run, epochs)
        cfg.model.backbone.init_cfg = dict(type="Pretrained", checkpoint=str(weights))
        return cfg

    train(config(2))
    weights.unlink()
    with pytest.raises(FileNotFoundError):
        train(config(3))
    resume = resume if resume == AUTO else str(run / resume)
    assert "resumed epoch: 2" in log_of(resumed(config(3), resume))


@pytest.mark.parametrize("given", [None, 7])
@pytest.mark.parametrize("named", [True, False])
def test_a_resumed_training_keeps_its_seed(tmp_path, given, named):
    cfg = tiny_config(tmp_path, 1)
    cfg.randomness.seed = None
    seed = train(cfg).seed
    again = tiny_config(tmp_path, 2)
    again.randomness.seed = given
    runner = resumed(again, str(tmp_path / "epoch_1.pth") if named else AUTO)
    assert runner.seed == runner.train_dataloader.sampler.seed == seed
    told = f"epoch_1.pth was trained with the seed {seed}" in log_of(runner)
    assert told == (given is not None)
    assert Config.fromfile(tmp_path / f"{runner.timestamp}.py").randomness.seed == seed


@pytest.mark.parametrize("resume", [AUTO, "named", True])
def test_the_written_config_of_a_resumed_training_resumes_nothing(trained, resume):
    last, start = str(trained / "epoch_3.pth"), "start.pth"
    cfg = tiny_config(trained, 4)
    if resume == "named":
        resume = last
    runner = resumed(cfg, resume, last if resume is True else start)
    assert runner.epoch == 4
    written = Config.fromfile(trained / f"{runner.timestamp}.py")
    assert written.resume is False
    assert written.load_from == (None if resume is True else start)
