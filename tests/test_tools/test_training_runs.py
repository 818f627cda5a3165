"""Training as users meet it: killed and resumed, seeded, on two processes."""

import random
import re
import signal
import subprocess
import time

import pytest
import torch

from tests.test_tools.run import (
    REPOSITORY,
    command,
    environment,
    options,
    run_tool,
    scalars,
)

CONFIG = REPOSITORY / "configs/sspnet/sspnet_r18_synthetic.py"


def small(num_train: int = 16, epochs: int = 2, batch_size: int = 4) -> tuple[str, ...]:
    """Overrides for a run of seconds."""
    parts = [
        f"{part}_dataloader.{field}"
        for part in ("train", "val", "test")
        for field in (
            "num_workers=0",
            f"batch_size={batch_size}",
        )
    ]
    return options(
        *parts,
        f"train_dataloader.dataset.num_samples={num_train}",
        "val_dataloader.dataset.num_samples=5",
        "test_dataloader.dataset.num_samples=5",
        f"train_cfg.max_epochs={epochs}",
        "default_hooks.logger.interval=1",
    )


@pytest.mark.slow
def test_same_seed_gives_the_same_first_epoch(tmp_path):
    losses = []
    for work_dir in ("first", "second"):
        run_tool(
            "train.py", CONFIG, "--work-dir", work_dir, *small(epochs=1), cwd=tmp_path
        )
        lines = scalars(tmp_path / work_dir)
        losses.append([line["loss"] for line in lines if "loss" in line])
    assert len(losses[0]) == 4
    assert losses[0] == losses[1]


@pytest.mark.slow
def test_training_killed_at_a_random_moment_resumes_to_the_end(tmp_path):
    arguments = (CONFIG, "--work-dir", "work", *small(num_train=64, epochs=6))
    first_checkpoint = tmp_path / "work/last_checkpoint"
    with (tmp_path / "killed.log").open("w") as log:
        process = subprocess.Popen(
            command("train.py", *arguments),
            cwd=tmp_path,
            env=environment(),
            stdout=log,
            stderr=log,
        )
        deadline = time.monotonic() + 200
        while not first_checkpoint.exists() and time.monotonic() < deadline:
            assert process.poll() is None, (tmp_path / "killed.log").read_text()
            time.sleep(0.05)
        delay = random.Random(0).random() * 3
        print(f"killed {delay:.3f} s after the first checkpoint")
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL

    output = run_tool("train.py", *arguments, "--resume", cwd=tmp_path)
    assert "resumed epoch: " in output
    steps = [line for line in scalars(tmp_path / "work") if "loss" in line]
    assert steps[-1]["epoch"] == 6
    assert all(torch.isfinite(torch.tensor(line["loss"])) for line in steps)
    assert (tmp_path / "work/epoch_6.pth").exists()


@pytest.mark.slow
def test_two_processes_train_and_test_on_gloo(tmp_path):
    run_tool(
        "dist_train.sh",
        CONFIG,
        2,
        "--work-dir",
        "work",
        *small(epochs=1),
        cwd=tmp_path,
    )
    both = run_tool("dist_test.sh", CONFIG, "work", 2, *small(), cwd=tmp_path)
    one = run_tool("test.py", CONFIG, "work", *small(), cwd=tmp_path)

    def summary(output: str) -> str:
        return next(line for line in output.splitlines() if line.startswith("| 5 "))

    assert summary(both) == summary(one)


@pytest.mark.slow
def test_scales_are_learned_and_chosen_on_two_processes(tmp_path):
    config = REPOSITORY / "configs/sspnet/sspnet-learned_r18_synthetic.py"
    output = run_tool(
        "dist_train.sh",
        config,
        2,
        "--work-dir",
        "work",
        *small(num_train=32, epochs=2),
        cwd=tmp_path,
    )
    assert output.count("Scale prior chosen, temperature 0.1:") == 1
    assert list(tmp_path.glob("work/*/vis_data/vis_image/scale_prior_*.png"))
    saved = torch.load(tmp_path / "work/epoch_2.pth", weights_only=False)["state_dict"]
    chosen = [value for key, value in saved.items() if key.endswith(".chosen")]
    assert len(chosen) == 4
    assert min(chosen) >= 0
    tested = run_tool("test.py", config, "work", *small(), cwd=tmp_path)
    assert "| 5 " in tested


def test_training_warns_of_nothing_that_a_user_cannot_act_on(tmp_path):
    output = run_tool(
        "train.py", CONFIG, "--work-dir", "work", *small(epochs=1), cwd=tmp_path
    )
    # The level of a log line, or the class of a Python warning; not a path's "warns".
    marks = re.compile(r" - WARNING - |Warning:")
    warnings = [line for line in output.splitlines() if marks.search(line)]
    # So few drawn people have not every attribute, which a user should know.
    (labels,) = warnings
    assert "known training labels are all equal" in labels
    assert "no positive among 16" in labels
    assert "label_map" not in labels
