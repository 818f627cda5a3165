"""Two models on the same images, attribute by attribute: compare.py FIRST SECOND.

Both are what tools/test.py --out wrote. A difference is SECOND minus FIRST; intervals
hold 95 % of the draws of a bootstrap that resamples persons. P-values are of swapping
the models' answers for persons 10,000 times and are corrected for the number of
attributes (step-down maxT); however many there are, the smallest is 0.0001.
"""

import argparse


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", help=".json or .csv file of tools/test.py --out")
    parser.add_argument("second", help="of another model on the same images")
    parser.add_argument(
        "--rounds",
        type=int,
        default=1000,
        help="of the bootstrap (%(default)s)",
    )
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error(f"--rounds is at least 1, got {args.rounds}")
    return args


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

import sys

from mmpar.evaluation import read_dump, read_record
from mmpar.evaluation.comparison import compare, comparison_text
from mmpar.evaluation.result_record import record_lines


def main(args: argparse.Namespace) -> None:
    """Compare and print."""
    (schema, first), (other, second) = map(read_dump, (args.first, args.second))
    if schema.names != other.names:
        sys.exit(
            f"error: {args.first} has the attributes {list(schema.names)}, "
            f"{args.second} {list(other.names)}; only models of the same attributes "
            "can be compared"
        )
    try:
        print(comparison_text(compare(schema, first, second, args.rounds)))
    except ValueError as error:
        sys.exit(f"error: {args.first} and {args.second}: {error}")
    for file in (args.first, args.second):
        print("\n  ".join([file, *record_lines(read_record(file))]))


if __name__ == "__main__":
    main(ARGS)
