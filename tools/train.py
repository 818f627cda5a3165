"""Train a model: python tools/train.py CONFIG."""

import argparse

from mmengine.config import Config

import mmpar  # noqa: F401  checks the installation, secures checkpoint loading
from mmpar.engine import (
    AUTO,
    build_runner,
    leave_processes,
    runner_arguments,
    runner_config,
)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = runner_arguments(__doc__)
    parser.add_argument(
        "--resume",
        nargs="?",
        const=AUTO,
        metavar="CHECKPOINT",
        help="go on from this checkpoint, or from the last one in the work dir",
    )
    parser.add_argument("--amp", action="store_true", help="mixed precision training")
    return parser.parse_args()


def train_config(args: argparse.Namespace) -> Config:
    """Read the config and merge the command line into it."""
    cfg = runner_config(args)
    if args.amp:
        cfg.optim_wrapper.type = "AmpOptimWrapper"
        cfg.optim_wrapper.setdefault("loss_scale", "dynamic")
    if args.resume:
        cfg.resume = args.resume
        if args.resume != AUTO:
            cfg.load_from, cfg.resume = args.resume, True
    return cfg


def main() -> None:
    """Train."""
    build_runner(train_config(parse_args())).train()
    leave_processes()


if __name__ == "__main__":
    main()
