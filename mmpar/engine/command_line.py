"""The arguments that all tools around the Runner share."""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import os.path as osp
from collections.abc import Sequence

from mmengine.config import Config
from mmengine.logging import print_log

from mmpar.engine.checkpoints import checkpoint_to_test
from mmpar.engine.config_options import ConfigOptions, merge_options


def config_arguments(description: str) -> argparse.ArgumentParser:
    """A parser with config and config options."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("config", help="config file")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=ConfigOptions,
        help="override config fields: key=value, e.g. train_cfg.max_epochs=2",
    )
    return parser


def runner_arguments(description: str) -> argparse.ArgumentParser:
    """A parser with config, config options, work dir and launcher."""
    parser = config_arguments(description)
    parser.add_argument(
        "--work-dir", help="folder for logs and checkpoints (work_dirs/CONFIG_NAME)"
    )
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm", "mpi"],
        default="none",
        help="how the processes of a distributed run were started",
    )
    # torch.distributed.launch gives this; torchrun sets the variable LOCAL_RANK.
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0)
    return parser


def config_names(parser: argparse.ArgumentParser, configs: Sequence[str]) -> list[str]:
    """The file name of each config, without ending; an error if two are the same."""
    names = [osp.splitext(osp.basename(config))[0] for config in configs]
    if len({*names}) < len(names):
        parser.error(f"the configs go by their file names, which must differ: {names}")
    return names


def read_config(args: argparse.Namespace) -> Config:
    """Read the config that ``args`` name and merge the config options into it."""
    cfg = Config.fromfile(args.config)
    if args.cfg_options:
        merge_options(cfg, args.cfg_options)
    return cfg


def config_hash(cfg: Config) -> str:
    """16 hexadecimal digits that change with any field but where and how it is run."""
    fields = {**cfg.to_dict(), "work_dir": None, "launcher": None}
    return hashlib.sha256(repr(fields).encode()).hexdigest()[:16]


def runner_config(args: argparse.Namespace) -> Config:
    """Read the config that ``args`` name and merge the shared arguments into it."""
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    cfg = read_config(args)
    cfg.launcher = args.launcher
    for part in ("train", "val", "test"):
        loader = cfg.get(f"{part}_dataloader")
        if loader and loader.num_workers == 0:
            loader.persistent_workers = False  # torch refuses workers that are not
    if args.work_dir:
        cfg.work_dir = args.work_dir
    elif not cfg.get("work_dir"):
        cfg.work_dir = osp.join("work_dirs", osp.splitext(osp.basename(args.config))[0])
    return cfg


def evaluation_config(args: argparse.Namespace, folder: str) -> Config:
    """The config of a tool that evaluates ``args.checkpoint``.

    It writes into a folder of its own in the work dir: the Runner writes its config
    under the name of the training's.
    """
    cfg = runner_config(args)
    cfg.work_dir = osp.join(cfg.work_dir, folder)
    set_checkpoint(cfg, args.checkpoint)
    return cfg


def set_checkpoint(cfg: Config, checkpoint: str) -> None:
    """Have a test load this file, or a work dir's best, and nothing that differs.

    The best is the last where there is no validation split to choose on.
    """
    cfg.load_from = checkpoint
    if osp.isdir(checkpoint):
        cfg.load_from = checkpoint_to_test(cfg, checkpoint, _warn)
    cfg.resume = False
    strict = dict(loaded_weights=dict(type="LoadedWeightsHook", strict=True))
    cfg.default_hooks = {**(cfg.get("default_hooks") or {}), **strict}
    # The checkpoint brings every weight; do not fetch the pre-trained ones first.
    cfg.model.backbone.init_cfg = None


def _warn(message: str) -> None:
    print_log(message, "current", logging.WARNING)


def with_dump(evaluator: dict | list[dict], out_file: str) -> list[dict]:
    """The config of an evaluator that also writes its predictions to a file."""
    evaluators = evaluator if isinstance(evaluator, list) else [evaluator]
    return [*evaluators, dict(type="DumpPredictions", out_file=out_file)]
