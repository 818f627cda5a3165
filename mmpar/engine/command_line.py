"""From the arguments of the tools around the Runner to its config."""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import os.path as osp
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from mmpar.engine.checkpoints import checkpoint_to_test
from mmpar.engine.config_options import merge_options
from mmpar.engine.image_size import require_one_image_size, set_image_size


def read_config(args: argparse.Namespace) -> Config:
    """Read the config that ``args`` name and merge the config options into it."""
    cfg = Config.fromfile(args.config)
    options = args.cfg_options or {}
    merge_options(cfg, options)
    if "image_size" in options:
        set_image_size(cfg, options["image_size"])
    require_one_image_size(cfg)
    return cfg


def config_hash(cfg: Config) -> str:
    """16 hexadecimal digits that change with any field but where and how it is run."""
    fields = {**cfg.to_dict(), "work_dir": None, "launcher": None}
    return hashlib.sha256(repr(_in_order(fields)).encode()).hexdigest()[:16]


def _in_order(value: Any) -> Any:
    """The same with every dict sorted, as MMEngine writes a config."""
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        return type(value)(_in_order(item) for item in value)
    return value


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
    """The config of an evaluator that writes its predictions to a file, before all."""
    evaluators = evaluator if isinstance(evaluator, list) else [evaluator]
    return [dict(type="DumpPredictions", out_file=out_file), *evaluators]
