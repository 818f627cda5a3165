"""Training as users meet it: seeded, without noise, on two processes."""

import json
import re
import sys

import pytest
import torch

from tests.fixtures.trained import write_thin_config
from tests.test_tools.run import (
    REPOSITORY,
    call_together,
    options,
    run_tool,
    scalars,
)


@pytest.fixture(scope="module")
def epoch(tmp_path_factory):
    """Trains an epoch; what was printed and logged."""

    def train():
        folder = tmp_path_factory.mktemp("epoch")
        config = write_thin_config("sspnet", folder, num_train=16)
        output = run_tool("train.py", config, "--work-dir", "work", cwd=folder)
        return output, scalars(folder / "work")

    return train


@pytest.fixture(scope="module")
def first(epoch):
    return epoch()


def test_same_seed_gives_the_same_first_epoch(first, epoch):
    losses = [
        [line["loss"] for line in lines if "loss" in line]
        for _, lines in (first, epoch())
    ]
    assert len(losses[0]) == 4
    assert losses[0] == losses[1]


def test_training_warns_of_nothing_that_a_user_cannot_act_on(first):
    # The level of a log line, or the class of a Python warning; not a path's "warns".
    marks = re.compile(r" - WARNING - |Warning:")
    warnings = [line for line in first[0].splitlines() if marks.search(line)]
    # So few drawn people have not every attribute, which a user should know.
    (labels,) = warnings
    assert "known training labels are all equal" in labels
    assert "no positive among 16" in labels
    assert "label_map" not in labels


@pytest.mark.slow
def test_two_processes_train_choose_scales_and_test_on_gloo(tmp_path):
    """The training by torchrun, the test by two processes as it starts them."""
    config = write_thin_config("sspnet-learned", tmp_path, num_train=16, epochs=2)
    output = run_tool("dist_train.sh", config, 2, "--work-dir", "work", cwd=tmp_path)
    assert output.count("Scale prior chosen, temperature 0.1:") == 1
    assert list(tmp_path.glob("work/*/vis_data/vis_image/scale_prior_*.png"))
    saved = torch.load(tmp_path / "work/epoch_2.pth", weights_only=False)["state_dict"]
    chosen = [value for key, value in saved.items() if key.endswith(".chosen")]
    assert len(chosen) == 4
    assert min(chosen) >= 0

    odd = options("test_dataloader.dataset.num_samples=5")
    words = (REPOSITORY / "tools/test.py", config, "work", *odd)
    both, _ = call_together(2, [*words, "--launcher", "pytorch"], cwd=tmp_path)
    one = run_tool("test.py", config, "work", *odd, cwd=tmp_path)

    def summary(output: str) -> str:
        return next(line for line in output.splitlines() if line.startswith("| 5 "))

    assert summary(both) == summary(one)


def test_the_script_of_a_distributed_test_starts_it_on_each_gpu(tmp_path, monkeypatch):
    """With a torchrun that says what it is called with."""
    torchrun = tmp_path / "torchrun"
    torchrun.write_text('#!/bin/sh\necho "$@"\n')
    torchrun.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    told = run_tool("dist_test.sh", "a.py", "work", 2, "--out", "b", cwd=tmp_path)
    assert "--nproc_per_node=2" in told
    test = REPOSITORY / "tools/test.py"
    assert told.rstrip().endswith(f"{test} a.py work --launcher pytorch --out b")


def test_the_script_of_slurm_starts_a_process_on_each_gpu(tmp_path, monkeypatch):
    """With an srun that says what it is called with."""
    srun = tmp_path / "srun"
    srun.write_text('#!/bin/sh\necho "$@"\n')
    srun.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("GPUS", "16")
    told = run_tool("slurm_train.sh", "short", "name", "a.py", "--amp", cwd=tmp_path)
    assert "--gres=gpu:8 --ntasks=16 --ntasks-per-node=8" in told
    assert "--kill-on-bad-exit=1" in told
    train = REPOSITORY / "tools/train.py"
    assert told.rstrip().endswith(f"{train} a.py --launcher slurm --amp")


def test_the_best_of_averaged_weights_tests_as_it_was_validated(tmp_path):
    """To the last digit, on the split it was chosen on."""
    config = tmp_path / "ema.py"
    config.write_text(
        f"_base_ = '{REPOSITORY}/configs/baseline/baseline_r18_synthetic.py'\n"
        "default_hooks = dict(ema=dict(type='EMAHook', momentum=0.3, "
        "ema_type='ExponentialMovingAverage', update_buffers=True, "
        "priority='ABOVE_NORMAL'))\n"
    )
    sizes = ["train_cfg.max_epochs=3", "train_cfg.val_interval=1"]
    for part, images in (("train", 16), ("val", 24)):
        sizes += [f"{part}_dataloader.dataset.num_samples={images}"]
        sizes += [f"{part}_dataloader.batch_size=4", f"{part}_dataloader.num_workers=0"]
    run_tool("train.py", config, *options(*sizes), cwd=tmp_path)
    work_dir = tmp_path / "work_dirs/ema"
    validated = [row["par/mA"] for row in scalars(work_dir) if "par/mA" in row]
    assert len({*validated}) > 1
    on_val = [option.replace("val_data", "test_data") for option in sizes[-3:]]
    on_val += ["test_dataloader.dataset.split=val", "protocol=None"]
    run_tool("test.py", config, work_dir, *options(*on_val), cwd=tmp_path)
    (tested,) = (work_dir / "test").glob("*/*.json")
    assert json.loads(tested.read_text())["par/mA"] == max(validated)
