"""A schedule for another number of epochs."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import PARAM_SCHEDULERS

from mmpar.engine import scaled_schedule
from tests.test_tools.run import REPOSITORY

SCHEDULES = REPOSITORY / "configs/_base_/schedules"


def learning_rates(param_scheduler, epochs, epoch_length):
    """At every iteration, as MMEngine steps the schedules, from 1."""
    wrapper = OptimWrapper(torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0))
    schedulers = [
        PARAM_SCHEDULERS.build(
            copy.deepcopy(part),
            default_args=dict(optimizer=wrapper, epoch_length=epoch_length),
        )
        for part in param_scheduler
    ]
    rates = []
    for iteration in range(1, epochs * epoch_length + 1):
        rates.append(wrapper.get_lr()["lr"][0])
        wrapper.step()
        for scheduler in schedulers:
            if not scheduler.by_epoch or iteration % epoch_length == 0:
                scheduler.step()
    return rates


@pytest.mark.parametrize(("name", "old"), [("adam_synthetic", 8), ("adam_cosine", 30)])
def test_a_scaled_cosine_is_the_long_one_with_fewer_samples(name, old):
    long = Config.fromfile(SCHEDULES / f"{name}.py").param_scheduler
    short = scaled_schedule(long, old // 2, old)
    all_rates = learning_rates(long, old, epoch_length=100)
    rates = learning_rates(short, old // 2, epoch_length=100)
    assert rates[-1] == pytest.approx(0.01, abs=1e-4)
    # After the warm-up, whose steps are whole iterations.
    assert rates[60:] == pytest.approx(all_rates[120::2], abs=2e-3)


def test_whole_epochs_are_kept_where_a_schedule_needs_them():
    steps = dict(type="MultiStepLR", by_epoch=True, milestones=[20, 40])
    assert scaled_schedule(steps, 6, 60)["milestones"] == [2, 4]
    assert scaled_schedule(steps, 2, 60)["milestones"] == [1, 1]
    converted = dict(steps, convert_to_iter_based=True, end=60)
    scaled = scaled_schedule(converted, 5, 60)
    assert (scaled["milestones"], scaled["end"]) == ([2, 3], 5)
    assert scaled_schedule(dict(type="StepLR", step_size=30), 4, 60)["step_size"] == 2


def test_neighbours_stay_neighbours_when_they_are_rounded():
    parts = [dict(type="LinearLR", end=1), dict(type="PolyLR", begin=1, end=30)]
    first, second = scaled_schedule(parts, 4, 30)
    assert (first["end"], second["begin"], second["end"]) == (1, 1, 4)
    assert scaled_schedule(dict(type="LinearLR", begin=0, end=3), 1, 30)["begin"] == 0


def test_what_has_no_span_stays():
    plateau = Config.fromfile(SCHEDULES / "adam_plateau.py").param_scheduler
    assert scaled_schedule(plateau, 4, 30) == plateau
    assert scaled_schedule(None, 4, 30) is None
