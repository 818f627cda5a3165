"""Trainings and predictions that are killed end, resumed, as the undisturbed ones.

A sample; ``python -m tests.kill_and_resume`` does it twenty times.
"""

import os
import random
import re
import signal
import time

import pytest

from tests import kill_and_resume
from tests.test_tools.run import REPOSITORY, call_together, start_together, stop_at


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "sent"),
    [("linear", "SIGKILL"), ("sspnet-learned", "SIGTERM"), ("alm", "SIGKILL")],
)
def test_a_killed_training_ends_as_the_undisturbed_one(tmp_path, method, sent):
    config = kill_and_resume.tiny_config(tmp_path, method, workers=1)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    _, seconds = kill_and_resume.undisturbed(config, whole)
    chance = random.Random(method)
    later = chance.random() * seconds
    moment = kill_and_resume.Moment(chance.choice([1, 2]), later, sent)
    kill_and_resume.disturbed(config, killed, [moment])
    told = kill_and_resume.log_of(killed).read_text()
    resumed = int(re.search(r"resumed epoch: (\d)", told).group(1))
    assert moment.epoch <= resumed < kill_and_resume.EPOCHS
    if sent != "SIGKILL":
        assert f"{sent}: the training ends" in told
    assert not kill_and_resume.differences(config, whole, killed)


@pytest.mark.slow
def test_a_killed_prediction_ends_with_the_same_file(tmp_path):
    (result,) = kill_and_resume.kill_predictions(tmp_path, 1, seed=0, images=600)
    said, is_equal = result
    assert is_equal, said


@pytest.mark.slow
def test_two_processes_of_which_one_gets_a_signal_end_together(tmp_path):
    config = kill_and_resume.tiny_config(tmp_path, "linear", workers=0)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    words = [REPOSITORY / "tools/train.py", config, "--launcher", "pytorch"]
    words += ["--resume", "--work-dir"]
    call_together(2, [*words, whole])
    with kill_and_resume.log_of(stopped).open("a") as log:
        processes = start_together([*words, stopped], [log, log])
    while not (stopped / "epoch_1.pth").exists():
        assert processes[1].exitcode is None
        time.sleep(0.01)
    os.kill(processes[1].pid, signal.SIGTERM)
    for process in processes:
        assert stop_at(process, 100) == 128 + signal.SIGTERM
    assert (stopped / "interrupted.pth").exists()
    call_together(2, [*words, stopped])
    assert not kill_and_resume.differences(config, whole, stopped)
