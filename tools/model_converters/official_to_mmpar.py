"""Convert a checkpoint of an official code: official_to_mmpar.py CONFIG CHECKPOINT.

The codes are those of the Strong Baseline, SSPNet and ALM.
"""

import argparse

from mmpar.utils.cli import config_arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = config_arguments(__doc__)
    parser.add_argument("checkpoint", help="file that the official code saved")
    parser.add_argument(
        "--data",
        metavar="FILE",
        help="the dataset_*.pkl it was trained on, which names the logits (not ALM)",
    )
    parser.add_argument(
        "--weights",
        metavar="ENTRY",
        help="entry of the checkpoint, where it holds several that differ",
    )
    parser.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help="the .pth file; its config is written beside it as .py",
    )
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmengine.config import Config

from mmpar.apis.official_checkpoints import convert_checkpoint
from mmpar.utils.config import merge_options
from mmpar.utils.shipped import find_config


def main(args: argparse.Namespace) -> None:
    """Convert one file."""
    config = Config.fromfile(find_config(args.config))
    merge_options(config, args.cfg_options or {})
    convert_checkpoint(
        config, args.checkpoint, args.out, data=args.data, key=args.weights
    )


if __name__ == "__main__":
    main(ARGS)
