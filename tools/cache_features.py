"""Cache the features of a frozen tower: python tools/cache_features.py CONFIG.

CONFIG trains on features (configs/towers/*_cached.py) and says of which tower, and
where they go. Killed and started again, it goes on where it was.
"""

import argparse

from mmpar.utils.cli import config_arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    return config_arguments(__doc__).parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.apis.cached_features import cache_features
from mmpar.utils.config import read_config


def main(args: argparse.Namespace) -> None:
    """Cache them."""
    cache_features(read_config(args))


if __name__ == "__main__":
    main(ARGS)
