"""Trainings and predictions that are killed end, resumed, as the undisturbed ones.

A sample; ``python -m tests.kill_and_resume`` does it twenty times.
"""

import random
import re

import pytest

from tests import kill_and_resume


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "signal"),
    [("linear", "SIGKILL"), ("sspnet-learned", "SIGTERM"), ("alm", "SIGKILL")],
)
def test_a_killed_training_ends_as_the_undisturbed_one(tmp_path, method, signal):
    config = kill_and_resume.tiny_config(tmp_path, method, workers=1)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    seconds = kill_and_resume.undisturbed(config, whole)
    chance = random.Random(method)
    later = chance.uniform(0, 0.5) * seconds / kill_and_resume.EPOCHS
    moment = kill_and_resume.Moment(chance.choice([1, 2, 3]), later, signal)
    kill_and_resume.disturbed(config, killed, [moment])
    told = kill_and_resume.log_of(killed).read_text()
    resumed = int(re.search(r"resumed epoch: (\d)", told).group(1))
    assert moment.epoch <= resumed < kill_and_resume.EPOCHS
    if signal != "SIGKILL":
        assert f"{signal}: the training ends" in told
    assert not kill_and_resume.differences(config, whole, killed)


@pytest.mark.slow
def test_a_killed_prediction_ends_with_the_same_file(tmp_path):
    (result,) = kill_and_resume.kill_predictions(tmp_path, 1, seed=0, images=600)
    said, is_equal = result
    assert is_equal, said
