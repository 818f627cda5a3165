"""Test a model: python tools/test.py CONFIG CHECKPOINT."""

import argparse

from mmpar.utils.cli import runner_arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = runner_arguments(__doc__)
    parser.add_argument(
        "checkpoint",
        help="checkpoint file, or a work dir: the best in it, or the last without val",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="write scores, decisions and labels of every image to this .csv or .json",
    )
    parser.add_argument(
        "--cross-dataset",
        metavar="CONFIG",
        help="test on the test data of this config, such as "
        "configs/_base_/datasets/pa100k.py, by those of its attributes that the model "
        "answers",
    )
    parser.add_argument("--amp", action="store_true", help="mixed precision")
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmengine.config import Config

from mmpar.engine import running
from mmpar.utils.config import add_dump_metric, read_test_config, use_other_test_data


def read_config(args: argparse.Namespace) -> Config:
    """Read the config and merge the command line into it."""
    cfg = read_test_config(args, "test")
    if args.cross_dataset:
        use_other_test_data(cfg, args.cross_dataset)
    if args.out:
        cfg.test_evaluator = add_dump_metric(cfg.test_evaluator, args.out)
    if args.amp:
        cfg.test_cfg = {**(cfg.get("test_cfg") or {}), "fp16": True}
    return cfg


def main(args: argparse.Namespace) -> None:
    """Test."""
    with running(read_config(args)) as runner:
        runner.test()


if __name__ == "__main__":
    main(ARGS)
