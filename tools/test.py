"""Test a model: python tools/test.py CONFIG CHECKPOINT."""

import argparse

from mmpar.utils.cli import runner_arguments


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
        help="write scores, decisions and truths of every image to this .csv or .json",
    )
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmengine.config import Config

from mmpar.engine import (
    build_runner,
    evaluation_config,
    leave_processes,
    with_dump,
)


def test_config(args: argparse.Namespace) -> Config:
    """Read the config and merge the command line into it."""
    cfg = evaluation_config(args, "test")
    if args.out:
        cfg.test_evaluator = with_dump(cfg.test_evaluator, args.out)
    return cfg


def main(args: argparse.Namespace) -> None:
    """Test."""
    build_runner(test_config(args)).test()
    leave_processes()


if __name__ == "__main__":
    main(ARGS)
