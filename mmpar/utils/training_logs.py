"""What MMEngine wrote of a training: losses and metrics by iteration and epoch."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_RELATIVE = 0.05
MAX_ABSOLUTE = 0.0002

_NOT_METRICS = {"time", "data_time", "step"}
_FAULTS = (ValueError, KeyError, TypeError, OverflowError, RecursionError)
"""What an entry of another form raises."""


@dataclass
class TrainingLog:
    """A run, its resumptions joined.

    Attributes:
        losses: By iteration.
        metrics: Of the validations, by name and then by the step that MMEngine counts:
            the epoch, or the iteration where training goes by these.
        notes: What joining left out, for people.
    """

    losses: dict[int, float] = field(default_factory=dict)
    metrics: dict[str, dict[int, float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_training_log(work_dir: str | Path) -> TrainingLog:
    """Read ``TIME/vis_data/scalars.json`` of all runs in a work dir, oldest first.

    A run that was resumed repeats what an earlier one had done after the checkpoint:
    the later one counts, and a note says so.

    Raises:
        FileNotFoundError: The folder has no such file.
        ValueError: A line is damaged, or there is no loss.
    """
    files = sorted(Path(work_dir).glob("*/vis_data/scalars.json"))
    if not files:
        raise FileNotFoundError(
            f"{work_dir} has no */vis_data/scalars.json, which training writes; give "
            "the work dir of a training"
        )
    log = TrainingLog()
    for file in files:
        _join(log, _read(file), file)
    if not log.losses:
        raise ValueError(
            f"{work_dir}: the logs have no loss, as no iteration was logged"
        )
    return log


def _read(file: Path) -> TrainingLog:
    log = TrainingLog()
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        try:
            _add(log, json.loads(line))
        except _FAULTS as error:
            raise ValueError(
                f"{file}, line {number}: {line[:60]!r} is no entry of a log "
                f"({error!r}); if a run was killed there, remove the line"
            ) from error
    return log


def _add(log: TrainingLog, entry: dict[str, Any]) -> None:
    step = int(entry["step"])
    if "loss" in entry:
        log.losses[step] = float(entry["loss"])
        return
    for name, value in entry.items():
        if name not in _NOT_METRICS and isinstance(value, (int, float)):
            log.metrics.setdefault(name, {})[step] = float(value)


def _join(log: TrainingLog, later: TrainingLog, file: Path) -> None:
    """Continue a log by that of a later run, which replaces what it repeats."""
    repeated = _continue(log.losses, later.losses)
    for name, values in later.metrics.items():
        _continue(log.metrics.setdefault(name, {}), values)
    if repeated:
        log.notes.append(
            f"{file} repeats {len(repeated)} logged iterations, from "
            f"{min(repeated)} on; the later run counts"
        )


def _continue(curve: dict[int, float], later: dict[int, float]) -> list[int]:
    """Put a later curve in place of what it repeats; the steps that it did."""
    repeated = [step for step in curve if later and step >= min(later)]
    for step in repeated:
        del curve[step]
    curve.update(later)
    return repeated


@dataclass(frozen=True)
class LossComparison:
    """Two runs' losses at the iterations that both logged.

    Attributes:
        iterations: How many.
        relative: Mean of ``|b - a| / |a|``.
        absolute: Mean of ``|b - a|``.
        notes: What was not compared, for people.
    """

    iterations: int
    relative: float
    absolute: float
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether either is small enough, as two versions of one training must be."""
        return self.relative <= MAX_RELATIVE or self.absolute <= MAX_ABSOLUTE


def compare_losses(first: TrainingLog, second: TrainingLog) -> LossComparison:
    """Compare the losses of two runs; one that is not finite never passes.

    >>> one, other = TrainingLog({50: 2.0, 100: 1.0}), TrainingLog({50: 2.08, 150: 1})
    >>> found = compare_losses(one, other)
    >>> found.iterations, round(found.relative, 3), found.passed
    (1, 0.04, True)

    Raises:
        ValueError: They have no iteration in common.
    """
    common = sorted(first.losses.keys() & second.losses.keys())
    if not common:
        raise ValueError(
            "the runs have no logged iteration in common: the first logged "
            f"{sorted(first.losses)[:3]}, the second {sorted(second.losses)[:3]}, ..."
        )
    notes = []
    for name, own in (("first", first.losses), ("second", second.losses)):
        alone = sorted(own.keys() - set(common))
        if alone:
            notes.append(
                f"{len(alone)} iterations that only the {name} run logged are not "
                f"compared, from {alone[0]} to {alone[-1]}"
            )
    pairs = [(first.losses[step], second.losses[step]) for step in common]
    odd = [s for s, pair in zip(common, pairs) if not all(map(math.isfinite, pair))]
    if odd:
        notes.append(f"{len(odd)} losses are not finite, first at iteration {odd[0]}")
    differences = [abs(b - a) for a, b in pairs]
    ratios = [
        (difference / abs(a) if a else math.inf) if difference else 0.0
        for difference, (a, _) in zip(differences, pairs)
    ]
    count = len(common)
    relative, absolute = sum(ratios) / count, sum(differences) / count
    return LossComparison(count, relative, absolute, tuple(notes))
