"""Finds the checkpoint to resume from, or to test, in what a training wrote."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import mmpar.registry  # noqa: F401  checks the installation before MMEngine is imported

# isort: split
from mmengine.config import Config

from mmpar.utils.checkpoint_files import (
    UnreadableCheckpointError,
    UnsafeCheckpointError,
    load_mapped,
)
from mmpar.utils.cli import AUTO
from mmpar.utils.configured_hooks import configured_hooks

Say = Callable[[str], Any]
STATE = ("meta", "message_hub", "optimizer")
"""What every checkpoint to resume from holds besides the weights."""
LAST = "last_checkpoint"
"""Name of MMEngine's record of the last checkpoint, in the work dir."""
INTERRUPTED = "interrupted.pth"
"""What a training saves that is told to stop."""
_DEFAULT_NAMES = ("epoch_{}.pth", "iter_{}.pth")
_BEST = "best_"


@dataclass(frozen=True)
class Saved:
    """A checkpoint that can be read.

    Attributes:
        path: Its file.
        iteration: The iterations trained when it was written, -1 if it does not say.
        resumable: Whether it also holds optimizer and schedule.
        seed: Of the training, None if it does not say.
    """

    path: str
    iteration: int
    resumable: bool
    seed: int | None


def resolve_resume(cfg: Config, say: Say) -> str | None:
    """The checkpoint that a config resumes from, None to begin a new training.

    Args:
        cfg: The Runner's config. Its ``resume`` is a path, ``AUTO`` for the last
            checkpoint of the work dir, or True, as in MMEngine: ``load_from``, or the
            last checkpoint where that is None. Afterwards it is False, and
            ``load_from`` what the training began with, so that the config, written to
            the work dir, begins it again; also by the same seed, that in the
            checkpoint.
        say: Called with each warning.

    Raises:
        FileNotFoundError: There is no file of the name given.
        UnreadableCheckpointError: It is not a checkpoint, or is damaged.
        UnsafeCheckpointError: It holds what is not allowed.
        ValueError: The work dir holds checkpoints, but none that can be read, or none
            with its optimizer: a new training would delete them.
    """
    resume, start = cfg.get("resume", False), cfg.get("load_from")
    cfg.resume = False
    if not resume:
        return None
    if resume is True and start:
        cfg.load_from, resume = None, start
    if resume not in (True, AUTO):
        if "://" not in resume:
            _keep_seed(cfg, _read(resume), say)
        return resume
    found = _last(cfg, cfg.work_dir, say, resumable=True)
    if found is None:
        begin = f"from {start}" if start else "from scratch"
        say(
            f"there is nothing to resume in {_folder(cfg, cfg.work_dir)}: the training "
            f"begins {begin}"
        )
        return None
    _keep_seed(cfg, found, say)
    return found.path


def _keep_seed(cfg: Config, saved: Saved, say: Say) -> None:
    """MMEngine would shuffle by the config's seed, and draw all else by the saved."""
    randomness = cfg.get("randomness") or {}
    given = randomness.get("seed")
    if saved.seed is None or given == saved.seed:
        return
    cfg.randomness = {**randomness, "seed": saved.seed}
    if given is not None:
        say(
            f"{saved.path} was trained with the seed {saved.seed}, which a resumed "
            f"training keeps; randomness.seed={given} is not used"
        )


def find_checkpoint_to_test(cfg: Config, work_dir: str, say: Say) -> str:
    """The checkpoint of a work dir that represents its training.

    With a validation split it is the best by the first metric of ``save_best``; where a
    killed run left several, the latest of them. Otherwise, or if no best is saved, it
    is the last.

    Args:
        cfg: The config of the training.
        work_dir: Where it wrote; ``out_dir`` of its CheckpointHook is respected.
        say: Called with each warning.

    Raises:
        FileNotFoundError: There is none.
    """
    save_best = _checkpoint_hook(cfg).get("save_best")
    if cfg.get("val_dataloader") is None or not save_best:
        kind, found = "checkpoint that can be read", _last(cfg, work_dir, say)
    else:
        metric = save_best if isinstance(save_best, str) else save_best[0]
        name = "*" if metric == "auto" else metric.replace("/", "_") + "_*"
        kind = f"{_BEST}{name}"
        paths = _folder(cfg, work_dir).glob(kind)
        found = _latest(_read_all(map(str, paths), say))
    if found is None:
        there = sorted(path.name for path in _folder(cfg, work_dir).glob("*.pth"))
        raise FileNotFoundError(
            f"{_folder(cfg, work_dir)} holds no {kind} (checkpoints found: "
            f"{', '.join(there[:5]) or 'none'}); name the checkpoint to test"
        )
    return found.path


def best_score_of(
    info: Mapping[str, Any], metrics: Sequence[str], meta: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The metric by which a checkpoint was the best when it was written, and its value.

    Args:
        info: ``runtime_info`` of the message hub, at that time.
        metrics: ``save_best`` of the CheckpointHook; of several the first counts.
        meta: Of the checkpoint: its ``epoch`` and ``iter``.

    Returns:
        ``dict(metric, value)``; None if it was not the best, or was saved under a name
        that does not show when.
    """
    moments = [f"_{kind}_{meta.get(kind)}" for kind in ("epoch", "iter")]
    for metric in metrics:
        suffix = "" if len(metrics) == 1 else f"_{metric}"
        stem = os.path.splitext(str(info.get(f"best_ckpt{suffix}")))[0]
        value = info.get(f"best_score{suffix}")
        if value is not None and stem.endswith(tuple(moments)):
            return dict(metric=metric, value=float(value))
    return None


def _checkpoint_hook(cfg: Config) -> dict:
    found = configured_hooks(cfg, "CheckpointHook")
    return found[0] if found else {}


def _folder(cfg: Config, work_dir: str) -> Path:
    """Where checkpoints are: MMEngine makes a folder of its own in ``out_dir``.

    Raises:
        ValueError: ``out_dir`` is on another machine.
    """
    out_dir = _checkpoint_hook(cfg).get("out_dir")
    if out_dir is None or str(out_dir) == work_dir:
        return Path(work_dir)
    if "://" in str(out_dir):
        raise ValueError(
            f"default_hooks.checkpoint.out_dir is {out_dir}, which is not searched "
            "for checkpoints; name the checkpoint"
        )
    return Path(out_dir) / os.path.basename(work_dir.rstrip(os.sep))


def _last(
    cfg: Config, work_dir: str, say: Say, resumable: bool = False
) -> Saved | None:
    """What ``last_checkpoint`` names if it can be read, else the latest that can.

    Raises:
        ValueError: It must be ``resumable``, and there are checkpoints, but none that
            can be read is.
    """
    paths = _named_last(cfg, work_dir)
    found = list(_read_all(paths, say))
    if not found or (resumable and not found[0].resumable):
        others = [path for path in _regular(cfg, work_dir) if path not in paths]
        found += _read_all(others, say)
        paths += others
    usable = [saved for saved in found if saved.resumable or not resumable]
    if resumable and paths and not usable:
        shown = [saved.path for saved in found] or paths
        why = "cannot be read, as the warnings above say"
        remedy = "move them away to begin anew"
        if found:
            why = "hold no optimizer or schedule (save_optimizer=False?)"
            latest = max(found, key=_iteration).path
            remedy = f"begin with their weights: --cfg-options load_from={latest}"
        raise ValueError(
            f"nothing in {_folder(cfg, work_dir)} can be resumed from: {shown[0]} and "
            f"{len(shown) - 1} more {why}, and a new training would delete them. "
            f"Choose another --work-dir, or {remedy}"
        )
    return _latest(usable)


def _named_last(cfg: Config, work_dir: str) -> list[str]:
    """The checkpoint that MMEngine's record names, if there is one."""
    record = Path(work_dir) / LAST
    if not record.is_file():
        return []
    name = record.read_text(encoding="utf-8").strip()
    # A work dir may have been moved or copied, and the path may be relative.
    moved = _folder(cfg, work_dir) / os.path.basename(name)
    return [str(path) for path in (moved, Path(name)) if name and path.is_file()][:1]


def _regular(cfg: Config, work_dir: str) -> list[str]:
    """All checkpoints but the best."""
    template = _checkpoint_hook(cfg).get("filename_tmpl")
    names = {*_DEFAULT_NAMES, INTERRUPTED, template or _DEFAULT_NAMES[0]}
    patterns = ["*".join(map(glob.escape, re.split(r"\{.*?\}", one))) for one in names]
    found = {path for one in patterns for path in _folder(cfg, work_dir).glob(one)}
    return sorted(str(path) for path in found if not path.name.startswith(_BEST))


def _read_all(paths: Iterable[str], say: Say) -> Iterator[Saved]:
    """Those that can be read; a warning for each of the rest."""
    for path in paths:
        try:
            yield _read(path)
        except (UnreadableCheckpointError, UnsafeCheckpointError) as error:
            say(f"{error}. Looking for another")


def _read(path: str) -> Saved:
    """Look at a checkpoint, and at its checksums, without loading it."""
    checkpoint = load_mapped(path)
    keys = checkpoint if isinstance(checkpoint, dict) else {}
    meta = keys.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    iteration = meta.get("iter", -1)
    resumable = iteration >= 0 and all(key in keys for key in STATE)
    return Saved(path, iteration, resumable, meta.get("seed"))


def _latest(found: Iterable[Saved]) -> Saved | None:
    return max(found, key=_iteration, default=None)


def _iteration(saved: Saved) -> int:
    return saved.iteration
