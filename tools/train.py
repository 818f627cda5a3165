"""Train a model: python tools/train.py CONFIG."""

import argparse

from mmpar.utils.cli import AUTO, runner_arguments


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


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmengine.config import Config

from mmpar.engine import (
    build_runner,
    leave_processes,
    runner_config,
)


def train_config(args: argparse.Namespace) -> Config:
    """Read the config and merge the command line into it."""
    cfg = runner_config(args)
    if args.amp:
        cfg.optim_wrapper.type = "AmpOptimWrapper"
        cfg.optim_wrapper.setdefault("loss_scale", "dynamic")
    if args.resume:
        cfg.resume = args.resume
    return cfg


def main(args: argparse.Namespace) -> None:
    """Train."""
    build_runner(train_config(args)).train()
    leave_processes()


if __name__ == "__main__":
    main(ARGS)
