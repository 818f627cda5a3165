"""The search of scales: each region's pyramid level by val mA, "maximum accuracy"."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.dist import is_main_process

from mmpar.engine.runner import build_runner
from mmpar.evaluation import read_predictions
from mmpar.evaluation.functional import best_levels, region_accuracies
from mmpar.evaluation.tables import text_table
from mmpar.structures import assign_attributes, build_regions, build_schema
from mmpar.utils.atomic import write_atomically
from mmpar.utils.config import add_dump_metric, hash_config
from mmpar.utils.configured_hooks import is_hook
from mmpar.utils.launch import leaving_process_group


def search_scales(cfg: Config, epochs: int, out: str) -> None:
    """Train once per level with all regions on it, compare, write the config.

    Each region takes the level on which its attributes have the best mean mA on the
    validation split, of equal ones the coarsest, the cheapest. The config written is
    ``cfg`` with these levels and, as ``scale_search``, the accuracies they were chosen
    by. A stopped search continues after the last level that is done.

    Args:
        cfg: Of an SSPNet with fixed scales; the levels are trained in its work dir.
        epochs: Of the training of each level.
        out: Config file to write, ``.py``.

    Raises:
        ValueError: There is nothing to search or to choose on, ``out`` is there
            already, or the work dir holds another search.
    """
    check_search(cfg, epochs, out)
    files = {
        level: Path(cfg.work_dir) / f"P{level}" / "val.json"
        for level in range(1, len(cfg.model.neck.in_channels) + 1)
    }
    with leaving_process_group():
        for level, file in files.items():
            _train(level_config(copy.deepcopy(cfg), level, epochs), file)
    if is_main_process():
        _report(cfg, epochs, out, [read_accuracies(cfg, f) for f in files.values()])


def check_search(cfg: Config, epochs: int, out: str) -> None:
    """Refuse what cannot work before hours of training.

    Raises:
        ValueError: See :func:`search_scales`.
    """
    if epochs < 1:
        raise ValueError(f"--epochs is at least 1, got {epochs}")
    if not out.endswith(".py") or Path(out).exists():
        raise ValueError(f"--out is a .py file that does not exist yet, got {out}")
    if cfg.get("val_dataloader") is None or cfg.get("val_evaluator") is None:
        raise ValueError(
            f"{cfg.filename} has no validation split to choose levels on "
            "(val_dataloader or val_evaluator is None); search with the config of a "
            "dataset that has one, e.g. sspnet_r50_pa100k.py, and set its levels in "
            "model.regions"
        )
    neck = cfg.model.get("neck") or {}
    if neck.get("type") != "SSPNetNeck":
        raise ValueError(
            f"only SSPNet has scales to search, but the neck of {cfg.filename} is "
            f"{neck.get('type')}"
        )
    if neck.get("scale", {}).get("mode", "fixed") != "fixed":
        raise ValueError(
            f"{cfg.filename} learns its scales; search them for a config with "
            "model.neck.scale=dict(mode='fixed')"
        )


def _set_levels(cfg: Config, levels: dict[str, int]) -> None:
    """Have regions read from these levels."""
    for name, level in levels.items():
        cfg.model.regions[name].level = level


def level_config(cfg: Config, level: int, epochs: int) -> Config:
    """A training of ``epochs`` with every region on ``level``.

    Whatever the config's schedule, the learning rate is annealed in full, since levels
    are compared at the end. Averaged weights, which lag behind by more than a short
    training, are left out.
    """
    _set_levels(cfg, dict.fromkeys(cfg.model.regions, level))
    # Two Runners of one name share a logger.
    cfg.experiment_name = f"search_scales_P{level}"
    cfg.param_scheduler = dict(
        type="CosineAnnealingLR",
        by_epoch=True,
        T_max=epochs,
        eta_min_ratio=0.01,
        convert_to_iter_based=True,
    )
    cfg.default_hooks = {
        name: hook
        for name, hook in (cfg.get("default_hooks") or {}).items()
        if not is_hook(hook, "EMAHook")
    }
    cfg.custom_hooks = [
        hook for hook in cfg.get("custom_hooks") or [] if not is_hook(hook, "EMAHook")
    ]
    cfg.train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=epochs)
    cfg.default_hooks.checkpoint = dict(
        type="CheckpointHook", interval=-1, save_last=False
    )
    cfg.find_unused_parameters = True  # of the finer levels
    return cfg


def _train(cfg: Config, predictions: Path) -> None:
    """Train on one level, unless an earlier search did, and keep its val predictions.

    Raises:
        ValueError: An earlier search did so for another config.
    """
    config_hash = hash_config(cfg)
    stamp = predictions.with_name("config_hash.txt")  # written last
    done = stamp.exists() and predictions.exists()
    if done and stamp.read_text() != config_hash:
        raise ValueError(
            f"{predictions} comes from another search: the config, its options or "
            "--epochs differed; choose another --work-dir or remove "
            f"{predictions.parent}"
        )
    cfg.work_dir = str(predictions.parent)
    cfg.val_evaluator = add_dump_metric(cfg.val_evaluator, str(predictions))
    runner = build_runner(cfg)  # even if done: it joins the processes of a launch
    if not done:
        runner.train()
        if is_main_process():
            write_atomically(stamp, config_hash)
    runner.close()


def read_accuracies(cfg: Config, predictions: Path) -> np.ndarray:
    """Mean mA of each region's attributes, ``(R,)``, from a file of predictions."""
    try:
        found = read_predictions(predictions)
    except ValueError as error:
        raise ValueError(
            f"{error}; remove {predictions.parent} to train its level again"
        ) from error
    return region_accuracies(found.decisions, found.labels, _members(cfg))


def _members(cfg: Config) -> dict[str, tuple[int, ...]]:
    """The regions that have attributes, and these."""
    regions = build_regions(cfg.model.regions)
    return assign_attributes(regions, build_schema(cfg.model.head.schema))


def _report(cfg: Config, epochs: int, out: str, columns: Sequence[np.ndarray]) -> None:
    """Print the comparison and write the config."""
    accuracies = 100 * np.stack(columns, axis=1)
    levels = dict(zip(_members(cfg), best_levels(accuracies)))
    rows = [["val mA", *(f"P{i + 1}" for i in range(len(columns))), "best"]]
    for (name, level), row in zip(levels.items(), accuracies):
        rows.append([name, *(f"{value:.2f}" for value in row), f"P{level}"])
    print(text_table(rows))
    _set_levels(cfg, levels)
    val_mA = {name: row.round(2).tolist() for name, row in zip(levels, accuracies)}
    cfg.scale_search = dict(epochs=epochs, val_mA=val_mA)
    write_atomically(out, cfg.pretty_text)
    print(f"config: {out}")
