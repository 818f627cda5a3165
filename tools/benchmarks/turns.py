"""Times several forms of one thing in turns, so that all meet the same machine."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch


def turns(
    forms: Mapping[str, Callable[[], Any]], repeats: int, device: str
) -> dict[str, list[float]]:
    """Seconds of each form in each of ``repeats`` turns, after one that warms up."""
    times: dict[str, list[float]] = {name: [] for name in forms}
    shuffled = random.Random(0)
    for turn in range(repeats + 1):
        # Whoever comes after a form that fills the caches is slower by some percent.
        for name in shuffled.sample(list(forms), len(forms)):
            elapsed = seconds(forms[name], device)
            if turn > 0:
                times[name].append(elapsed)
    return times


def seconds(form: Callable[[], Any], device: str = "cpu") -> float:
    """Time of one call, with what it began on the device."""
    cuda = torch.device(device).type == "cuda"
    if cuda:
        torch.cuda.synchronize()
    start = time.perf_counter()
    form()
    if cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start
