"""Turn the ten folders of PETA's archive into the release's numbered images."""

import argparse
import sys
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="the unpacked 'PETA dataset'")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for images/ and labels.csv"
    )
    parser.add_argument(
        "--mat", type=Path, help="PETA.mat to check against; default: that in --out"
    )
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from rich.progress import Progress

from mmpar.datasets.peta_folders import convert


def main(args: argparse.Namespace) -> None:
    """Convert."""
    try:
        with Progress() as progress:
            bar = progress.add_task("images", total=None)
            found = convert(
                args.source,
                args.out,
                args.mat,
                lambda done, total: progress.update(bar, completed=done, total=total),
            )
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f"error: {error}")
    print(f"wrote {len(found.files)} images to {args.out / 'images'}")


if __name__ == "__main__":
    main(ARGS)
