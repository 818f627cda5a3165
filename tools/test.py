"""Test a model: python tools/test.py CONFIG CHECKPOINT."""

import argparse
import os.path as osp

from mmengine.config import Config

import mmpar  # noqa: F401  checks the installation, secures checkpoint loading
from mmpar.engine import (
    build_runner,
    checkpoint_to_test,
    runner_arguments,
    runner_config,
)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = runner_arguments(__doc__)
    parser.add_argument(
        "checkpoint",
        help="checkpoint file, or a work dir: the best in it, or the last without val",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="write image path, scores and labels of every image to this .csv or .json",
    )
    return parser.parse_args()


def test_config(args: argparse.Namespace) -> Config:
    """Read the config and merge the command line into it."""
    cfg = runner_config(args)
    cfg.load_from = args.checkpoint
    if osp.isdir(args.checkpoint):
        has_val = cfg.get("val_dataloader") is not None
        cfg.load_from = checkpoint_to_test(args.checkpoint, has_val)
    cfg.setdefault("custom_hooks", []).append(dict(type="StrictLoadHook"))
    # The checkpoint brings every weight; do not fetch the pre-trained ones first.
    cfg.model.backbone.init_cfg = None
    if args.out:
        evaluators = cfg.test_evaluator
        evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
        dump = dict(type="DumpPredictions", out_file=args.out)
        cfg.test_evaluator = evaluators + [dump]
    return cfg


def main() -> None:
    """Test."""
    build_runner(test_config(parse_args())).test()


if __name__ == "__main__":
    main()
