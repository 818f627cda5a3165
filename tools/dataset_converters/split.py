"""Split a dataset by person: split.py DATASET SRC --ann-file all.csv --out new.csv.

No person is in two splits, and each split gets its share of every attribute as far as
persons allow. The new list has a column 'split': AttributeListDataset(split='train').
"""

import argparse
import sys

from mmpar.utils.cli import DATASET_CLASSES, add_source_arguments


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=DATASET_CLASSES)
    parser.add_argument("source", help="folder of the release, or of the lists")
    parser.add_argument("--out", required=True, help="the .csv list to write")
    add_source_arguments(parser)
    parser.add_argument(
        "--shares",
        nargs="+",
        type=_share,
        default=[("train", 0.7), ("val", 0.1), ("test", 0.2)],
        metavar="SPLIT=SHARE",
        help="(train=0.7 val=0.1 test=0.2)",
    )
    parser.add_argument(
        "--person-pattern",
        default="",
        metavar="REGEX",
        help="finds the person in a path as its first group, for lists without a "
        "column person_id: 'crops/(\\d+)_'",
    )
    parser.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    args = parser.parse_args()
    if not args.out.endswith(".csv"):
        parser.error(f"--out ends in .csv, got {args.out!r}")
    if len(dict(args.shares)) < len(args.shares):
        parser.error("--shares names a split twice")
    return args


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    try:
        return name.strip(), float(share)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected SPLIT=SHARE, got {text!r}"
        ) from None


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.datasets.sources import (
    find_parts,
    readable_classes,
    source_arguments,
)
from mmpar.datasets.splitting import PersonSplit, split_tables, write_csv


def show(done: PersonSplit) -> None:
    """Print what was achieved."""
    for name, images, share, persons in done.sizes():
        print(f"{name}: {images:,} images ({share:.1%}) of {persons:,} persons")
    if done.unnamed:
        print(f"{done.unnamed:,} images name no person; each counts as a different one")
    for line in done.lacking():
        print(line)
    furthest = done.furthest_ratio()
    if furthest:
        attribute, split, there, over_all = furthest
        print(
            f"positive ratio furthest from that of all images: {attribute} in {split}, "
            f"{there:.2%} instead of {over_all:.2%}"
        )


def main(args: argparse.Namespace) -> None:
    """Split."""
    try:
        parts = find_parts(readable_classes()[args.dataset], **source_arguments(args))
        datasets = [part.open(find_missing=False) for part in parts]
        tables = [dataset.table for dataset in datasets]
        names = datasets[0].schema.names
        done = split_tables(
            tables, names, dict(args.shares), args.seed, args.person_pattern
        )
        write_csv(done, args.out)
    except (ValueError, FileNotFoundError, FileExistsError) as error:
        sys.exit(f"error: {error}")
    former = [part.split for part in parts]
    if len(former) > 1:
        print(f"the former splits {former} are disregarded")
    show(done)
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main(ARGS)
