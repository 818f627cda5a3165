"""Write a dataset as OpenMMLab 2.0 annotation: prepare.py DATASET SRC --out DIR.

DATASET is a release's class, or AttributeListDataset for lists of your own. All splits
that the annotation has are written to DIR/annotation.json.
"""

import argparse
import sys

from mmpar.utils.cli import DATASET_CLASSES, add_source_arguments


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=DATASET_CLASSES)
    parser.add_argument("source", help="folder of the release, or of the lists")
    parser.add_argument("--out", required=True, help="folder for annotation.json")
    add_source_arguments(parser)
    parser.add_argument(
        "--partitions", type=int, nargs="+", default=[0], help="from 0; default 0"
    )
    parser.add_argument(
        "--split",
        default="",
        help="only this; a list of one split that does not say which needs it",
    )
    parser.add_argument(
        "--missing-images",
        choices=["error", "drop"],
        default="error",
        help="rows whose image does not exist (%(default)s)",
    )
    parser.add_argument(
        "--corrections",
        default="",
        metavar="FILE",
        help="the review of check_dataset.py --review, whose column 'new' was filled",
    )
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.datasets.preparing import prepare
from mmpar.datasets.sources import (
    readable_classes,
    source_arguments,
)


def main(args: argparse.Namespace) -> None:
    """Convert."""
    options = source_arguments(args)
    try:
        file = prepare(
            readable_classes()[args.dataset],
            args.partitions,
            args.out,
            split=args.split,
            missing_images=args.missing_images,
            corrections=args.corrections,
            **options,
        )
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f"error: {error}")
    print(f"wrote {file}")


if __name__ == "__main__":
    main(ARGS)
