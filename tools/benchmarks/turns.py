"""Times several forms of one thing in turns, so that all meet the same machine."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.utils.benchmark import Timer


def turns(
    forms: Mapping[str, Callable[[], Any]], repeats: int
) -> dict[str, list[float]]:
    """Seconds of each form in each of ``repeats`` turns, in random order."""
    times: dict[str, list[float]] = {name: [] for name in forms}
    shuffled = random.Random(0)
    for _ in range(repeats):
        for name in shuffled.sample(list(forms), len(forms)):
            times[name].append(seconds(forms[name]))
    return times


def seconds(form: Callable[[], Any]) -> float:
    """Time of one call, after one that warms up, with what it began on a GPU."""
    timer = Timer(
        "form()", globals=dict(form=form), num_threads=torch.get_num_threads()
    )
    return timer.blocked_autorange(min_run_time=0).median
