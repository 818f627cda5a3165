"""Choose each region's pyramid level by val mA, the paper's "maximum accuracy".

For every level of the pyramid one short training with all regions on that level; each
region then takes the level on which its attributes have the best mean mA on the
validation split (of equal ones the coarsest, the cheapest). Writes CONFIG, options
included, with these levels and, as ``scale_search``, the accuracies they were chosen
by. An interrupted search continues after the last level that is done.
"""

import argparse

from mmpar.utils.cli import runner_arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = runner_arguments(__doc__.splitlines()[0])
    parser.add_argument(
        "--epochs", type=int, required=True, help="of the training of each level"
    )
    parser.add_argument("--out", required=True, help="config file to write (.py)")
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.engine.scale_search import search_scales
from mmpar.utils.config import read_runner_config

if __name__ == "__main__":
    search_scales(read_runner_config(ARGS), ARGS.epochs, ARGS.out)
