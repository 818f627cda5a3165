"""Choose each region's pyramid level by val mA, the paper's "maximum accuracy".

For every level of the pyramid one short training with all regions on that level; each
region then takes the level on which its attributes have the best mean mA on the
validation split (of equal ones the coarsest, the cheapest). Writes CONFIG, options
included, with these levels and, as ``scale_search``, the accuracies they were chosen
by. An interrupted search continues after the last level that is done.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from mmpar.utils.cli import runner_arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = runner_arguments(__doc__.splitlines()[0])
    parser.add_argument(
        "--epochs", type=int, required=True, help="of the training of each level"
    )
    parser.add_argument("--out", required=True, help="config file to write (.py)")
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

import numpy as np
from mmengine.config import Config
from mmengine.dist import is_main_process

from mmpar.engine import build_runner
from mmpar.evaluation.functional import best_levels, region_accuracies
from mmpar.evaluation.tables import text_table
from mmpar.structures import assign_attributes, build_regions, build_schema
from mmpar.utils.atomic import write_atomically
from mmpar.utils.config import add_dump_metric, hash_config, read_runner_config
from mmpar.utils.launch import leaving_process_group


def main(args: argparse.Namespace) -> None:
    """Train once per level, compare, write the config."""
    cfg = read_runner_config(args)
    check(args, cfg)
    files = {
        level: Path(cfg.work_dir) / f"P{level}" / "val.json"
        for level in range(1, len(cfg.model.neck.in_channels) + 1)
    }
    with leaving_process_group():
        for level, file in files.items():
            train(level_config(read_runner_config(args), level, args.epochs), file)
    if is_main_process():
        report(args, cfg, [read_accuracies(cfg, file) for file in files.values()])


def check(args: argparse.Namespace, cfg: Config) -> None:
    """Refuse what cannot work before hours of training."""
    if args.epochs < 1:
        raise ValueError(f"--epochs is at least 1, got {args.epochs}")
    if not args.out.endswith(".py") or Path(args.out).exists():
        raise ValueError(f"--out is a .py file that does not exist yet, got {args.out}")
    if cfg.get("val_dataloader") is None or cfg.get("val_evaluator") is None:
        raise ValueError(
            f"{args.config} has no validation split to choose levels on "
            "(val_dataloader or val_evaluator is None); search with the config of a "
            "dataset that has one, e.g. sspnet_r50_pa100k.py, and set its levels in "
            "model.regions"
        )
    neck = cfg.model.get("neck") or {}
    if neck.get("type") != "SSPNetNeck":
        raise ValueError(
            f"only SSPNet has scales to search, but the neck of {args.config} is "
            f"{neck.get('type')}"
        )
    if neck.get("scale", {}).get("mode", "fixed") != "fixed":
        raise ValueError(
            f"{args.config} learns its scales; search them for a config with "
            "model.neck.scale=dict(mode='fixed')"
        )


def set_levels(cfg: Config, levels: dict[str, int]) -> None:
    """Have regions read from these levels."""
    for name, level in levels.items():
        cfg.model.regions[name].level = level


def level_config(cfg: Config, level: int, epochs: int) -> Config:
    """A training of ``epochs`` with every region on ``level``.

    Whatever the config's schedule, the learning rate is annealed in full, since levels
    are compared at the end. Averaged weights, which lag behind by more than a short
    training, are left out.
    """
    set_levels(cfg, dict.fromkeys(cfg.model.regions, level))
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
        for name, hook in cfg.default_hooks.items()
        if not hook or hook.type != "EMAHook"
    }
    cfg.custom_hooks = [
        hook for hook in cfg.get("custom_hooks", []) if hook.type != "EMAHook"
    ]
    cfg.train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=epochs)
    cfg.default_hooks.checkpoint = dict(
        type="CheckpointHook", interval=-1, save_last=False
    )
    cfg.find_unused_parameters = True  # of the finer levels
    return cfg


def train(cfg: Config, predictions: Path) -> None:
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
        rows = json.loads(predictions.read_text(encoding="utf-8"))["predictions"]
        decisions = np.array([row["decisions"] for row in rows], dtype=bool)
        labels = np.array([row["truths"] for row in rows])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{predictions} does not hold the predictions of a search ({error!r}); "
            f"remove {predictions.parent} to train its level again"
        ) from error
    return region_accuracies(decisions, labels, read_members(cfg))


def read_members(cfg: Config) -> dict[str, tuple[int, ...]]:
    """The regions that have attributes, and these."""
    regions = build_regions(cfg.model.regions)
    return assign_attributes(regions, build_schema(cfg.model.head.schema))


def report(args: argparse.Namespace, cfg: Config, columns: list[np.ndarray]) -> None:
    """Print the comparison and write the config."""
    accuracies = 100 * np.stack(columns, axis=1)
    levels = dict(zip(read_members(cfg), best_levels(accuracies)))
    rows = [["val mA", *(f"P{i + 1}" for i in range(len(columns))), "best"]]
    for (name, level), row in zip(levels.items(), accuracies):
        rows.append([name, *(f"{value:.2f}" for value in row), f"P{level}"])
    print(text_table(rows))
    set_levels(cfg, levels)
    val_mA = {name: row.round(2).tolist() for name, row in zip(levels, accuracies)}
    cfg.scale_search = dict(epochs=args.epochs, val_mA=val_mA)
    Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    cfg.dump(args.out)
    print(f"config: {args.out}")


if __name__ == "__main__":
    main(ARGS)
