"""List the models that mmpar has configs of: python tools/list_models.py [PATTERN]."""

import argparse
import fnmatch
import sys

from mmpar.utils.shipped import find_config, model_index


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "pattern", nargs="?", default="", help="beginning of names, such as 'sspnet*pa'"
    )
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Print the name and the config file of each."""
    names = fnmatch.filter(sorted(model_index()), f"{args.pattern}*")
    if not names:
        sys.exit(f"no model is called like {args.pattern!r}")
    width = max(map(len, names))
    for name in names:
        print(f"{name:{width}}  {find_config(name)}")


if __name__ == "__main__":
    main(parse_args())
