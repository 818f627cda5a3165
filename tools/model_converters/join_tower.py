"""Join a tower with a head trained on its features: CONFIG HEAD --out FILE.

CONFIG is that of the whole model, on images; FILE is a checkpoint of it.
"""

import argparse

from mmpar.utils.cli import config_arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = config_arguments(__doc__)
    parser.add_argument(
        "head", help="work dir of the training (the best in it), or a checkpoint"
    )
    parser.add_argument("--out", required=True, metavar="FILE", help="the .pth file")
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.apis.cached_features import join_tower
from mmpar.utils.config import read_config


def main(args: argparse.Namespace) -> None:
    """Join them."""
    join_tower(read_config(args), args.head, args.out)


if __name__ == "__main__":
    main(ARGS)
