"""Logs of resumed runs are joined; two runs pass by the rule or are told to differ."""

import json
import math

import pytest

from mmpar.utils.training_logs import TrainingLog, compare_losses, read_training_log
from tests.test_tools.run import call_tool


def write(folder, time, entries):
    file = folder / time / "vis_data" / "scalars.json"
    file.parent.mkdir(parents=True)
    file.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
    return file


def train(step, loss):
    return dict(
        lr=0.1, loss=loss, time=0.5, data_time=0.1, epoch=1, iter=step, step=step
    )


def val(step, value):
    return {"par/mA": value, "data_time": 0.1, "time": 0.2, "step": step}


def test_a_resumed_run_replaces_what_it_repeats(tmp_path):
    first = [train(50, 3.0), train(100, 2.0), val(1, 60.0), train(150, 9.0)]
    write(tmp_path, "20260101_000000", first)
    later = [train(150, 1.5), val(2, 70.0), train(200, 1.0)]
    write(tmp_path, "20260102_000000", later)
    log = read_training_log(tmp_path)
    assert log.losses == {50: 3.0, 100: 2.0, 150: 1.5, 200: 1.0}
    assert log.metrics == {"par/mA": {1: 60.0, 2: 70.0}}
    (note,) = log.notes
    assert "repeats 1 logged iterations, from 150 on" in note


def test_a_torn_line_names_file_line_and_remedy(tmp_path):
    file = write(tmp_path, "20260101_000000", [train(50, 3.0)])
    file.write_text(file.read_text() + '{"loss": 2.')
    with pytest.raises(ValueError, match=r"scalars\.json, line 2.*remove the line"):
        read_training_log(tmp_path)


def test_a_folder_without_logs_or_losses_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="work dir of a training"):
        read_training_log(tmp_path)
    write(tmp_path, "20260101_000000", [val(1, 50.0)])
    with pytest.raises(ValueError, match="have no loss"):
        read_training_log(tmp_path)


@pytest.mark.parametrize(
    ("other", "relative", "absolute", "passed"),
    [
        ({50: 2.0, 100: 1.0}, 0.0, 0.0, True),
        ({50: 2.08, 100: 1.04}, 0.04, 0.06, True),
        ({50: 2.2, 100: 1.05}, 0.075, 0.125, False),
    ],
)
def test_either_error_passes(other, relative, absolute, passed):
    found = compare_losses(TrainingLog({50: 2.0, 100: 1.0}), TrainingLog(other))
    assert found.relative == pytest.approx(relative)
    assert found.absolute == pytest.approx(absolute)
    assert found.passed is passed


def test_tiny_losses_pass_by_their_absolute_error():
    found = compare_losses(TrainingLog({1: 1e-5}), TrainingLog({1: 1e-4}))
    assert found.relative > 1
    assert found.passed


def test_a_loss_that_is_not_finite_never_passes():
    found = compare_losses(
        TrainingLog({1: 1.0, 2: math.nan}), TrainingLog({1: 1.0, 2: 1})
    )
    assert not found.passed
    assert found.notes == ("1 losses are not finite, first at iteration 2",)


def test_iterations_of_one_run_alone_are_told():
    found = compare_losses(TrainingLog({1: 1.0, 2: 1.0}), TrainingLog({1: 1.0}))
    assert "only the first run logged" in found.notes[0]
    with pytest.raises(ValueError, match="no logged iteration in common"):
        compare_losses(TrainingLog({1: 1.0}), TrainingLog({2: 1.0}))


def test_the_tool_draws_and_compares(tmp_path):
    runs = [tmp_path / name for name in ("one", "other", "worse")]
    for run, factor in zip(runs, (1, 1.01, 2)):
        losses = [train(step, factor / step) for step in (50, 100)]
        write(run, "20260101_000000", [*losses, val(1, 70.0)])
    out = tmp_path / "curves.png"
    tool = "analysis_tools/analyze_logs.py"
    status, said = call_tool(
        tool, *runs[:2], "--out", out, "--metrics", "par/mA", cwd=tmp_path
    )
    assert status == 0, said
    assert ": pass" in said
    assert out.read_bytes().startswith(b"\x89PNG")
    status, said = call_tool(tool, runs[0], runs[2], cwd=tmp_path)
    assert status == 1, said
    assert ": FAIL" in said
    assert "has no par/instance_f1" in said
