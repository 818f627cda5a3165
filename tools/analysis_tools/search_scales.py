"""Choose each region's pyramid level by val mA, the paper's "maximum accuracy".

For every level of the pyramid one short training with all regions on that level; each
region then takes the level on which its attributes have the best mean mA on the
validation split (of equal ones the coarsest, the cheapest). Writes a config that
inherits from CONFIG, with the table in its docstring. A search that was stopped goes on
after the last level that is done.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from mmpar.utils.cli import runner_arguments


def parse_args() -> argparse.Namespace:
    """Read the command line."""
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

from mmpar.engine import (
    build_runner,
    config_hash,
    leave_processes,
    runner_config,
    with_dump,
)
from mmpar.evaluation.functional import multi_label_scores
from mmpar.evaluation.tables import text_table
from mmpar.structures import (
    Region,
    assign_attributes,
    build_regions,
    build_schema,
)


def main(args: argparse.Namespace) -> None:
    """Train once a level, compare, write the config."""
    base = runner_config(args)
    check(args, base)
    num_levels = len(base.model.neck.in_channels)
    files = {
        level: Path(base.work_dir) / f"P{level}" / "val.json"
        for level in range(1, num_levels + 1)
    }
    for level, predictions in files.items():
        train(level_config(runner_config(args), level, args.epochs), predictions)
    if is_main_process():
        columns = [region_accuracies(base, file) for file in files.values()]
        report(args, base, np.stack(columns, axis=1))
    leave_processes()


def train(cfg: Config, predictions: Path) -> None:
    """Train on one level, unless a former search did, and keep its val scores."""
    asked = config_hash(cfg)
    done = is_done(predictions, asked)
    cfg.work_dir = str(predictions.parent)
    cfg.val_evaluator = with_dump(cfg.val_evaluator, str(predictions))
    runner = build_runner(cfg)  # even so: it joins the processes of a launch
    if not done:
        runner.train()
        if is_main_process():
            stamp(predictions).write_text(asked)


def report(args: argparse.Namespace, base: Config, accuracies: np.ndarray) -> None:
    """Print the comparison and write the config."""
    names = [region.name for region in read_regions(base)]
    levels = best_levels(accuracies)
    table = accuracy_table(names, accuracies, levels)
    print(table)
    write_config(args, dict(zip(names, levels)), table)
    print(f"config: {args.out}")


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
            "data set that has one, e.g. sspnet_r50_pa100k.py, and set its levels in "
            "model.regions"
        )
    neck = cfg.model.get("neck", {})
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


def level_config(cfg: Config, level: int, epochs: int) -> Config:
    """A training of ``epochs`` with every region on ``level``.

    Whatever the config's schedule, the learning rate is annealed in full, since levels
    are compared at the end. Averaged weights, which lag behind by more than a short
    training, are left out.
    """
    for region in cfg.model.regions.values():
        region["level"] = level
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


def stamp(predictions: Path) -> Path:
    """The file with the hash of the config that a level's val scores are of."""
    return predictions.with_name("config_hash.txt")


def is_done(predictions: Path, asked: str) -> bool:
    """Whether a former search has trained this level to its end.

    Raises:
        ValueError: It has, for another config than the one with the hash ``asked``.
    """
    file = stamp(predictions)
    if not file.exists() or not predictions.exists():
        return False
    if file.read_text() != asked:
        raise ValueError(
            f"{predictions} comes from another search: the config, its options or "
            "--epochs were others; choose another --work-dir or remove "
            f"{predictions.parent}"
        )
    return True


def read_regions(cfg: Config) -> list[Region]:
    """The regions that have attributes, in the order of their results."""
    regions = build_regions(cfg.model.regions)
    read = assign_attributes(regions, build_schema(cfg.model.head.schema))
    return [region for region in regions if region.name in read]


def region_accuracies(cfg: Config, predictions: Path) -> np.ndarray:
    """Mean mA of each read region's attributes, ``(R,)``, from dumped predictions.

    Attributes without a positive or a negative in the split say nothing about a level
    and are left out.
    """
    content = json.loads(predictions.read_text(encoding="utf-8"))
    schema = build_schema(content["schema"])
    rows = content["predictions"]
    result = multi_label_scores(
        np.array([row["decisions"] for row in rows], dtype=bool),
        np.array([row["truths"] for row in rows]),
    )
    means = []
    for name, indices in assign_attributes(read_regions(cfg), schema).items():
        told = [i for i in indices if not result.empty[i]]
        if not told:
            raise ValueError(
                f"no attribute of region {name!r} has both positives and "
                "negatives in the validation split, so no level can be chosen for it"
            )
        means.append(result.attribute_accuracy[told].mean())
    return np.array(means)


def best_levels(accuracies: np.ndarray) -> list[int]:
    """Level, 1 for P1, of the best of ``(R, L)``; of equal ones the coarsest."""
    num_levels = accuracies.shape[1]
    return [num_levels - int(row[::-1].argmax()) for row in accuracies]


def accuracy_table(names: list[str], accuracies: np.ndarray, levels: list[int]) -> str:
    """A row a region: val mA in percent on every level, and the best."""
    header = [f"P{level + 1}" for level in range(accuracies.shape[1])]
    rows = [["val mA", *header, "best"]]
    for name, row, level in zip(names, accuracies, levels):
        rows.append([name, *(f"{100 * value:.2f}" for value in row), f"P{level}"])
    return text_table(rows)


def write_config(args: argparse.Namespace, levels: dict[str, int], table: str) -> None:
    """A config that inherits from the one given, with the levels that were found."""
    out = Path(args.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    base = os.path.relpath(args.config, out.parent)
    regions = "\n".join(
        f"    {name!r}: dict(level={level})," for name, level in levels.items()
    )
    out.write_text(
        f'"""Levels chosen by val mA after {args.epochs} epochs (search_scales.py).\n\n'
        f'{options_told(args.cfg_options)}{table}\n"""\n\n'
        f"_base_ = {base!r}\n\n"
        f"model = dict(regions={{\n{regions}\n}})\n",
        encoding="utf-8",
    )


def options_told(options: dict | None) -> str:
    """For a docstring: the config options of the search; empty if there were none."""
    if not options:
        return ""
    lines = "".join(f"    {key}={value!r}\n" for key, value in options.items())
    text = f"Searched with these --cfg-options, which are not set here:\n\n{lines}\n"
    return text.replace("\\", r"\\").replace('"', r"\"")


if __name__ == "__main__":
    main(ARGS)
