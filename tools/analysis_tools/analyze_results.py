"""What a model is worth per attribute, group and image: analyze_results.py RESULTS.

RESULTS is what tools/test.py --out wrote. Intervals hold 95 % of the draws of the
bootstrap, which resamples persons.
"""

import argparse


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", help=".json or .csv file of tools/test.py --out")
    parser.add_argument("--out", metavar="FILE", help="write a report in HTML")
    parser.add_argument("--json", metavar="FILE", help="write all numbers")
    parser.add_argument(
        "--images",
        metavar="FOLDER",
        help="embed small copies of the worst images, which are below this folder, in "
        "the report; it then shows real persons",
    )
    parser.add_argument("--title", help="of the report (RESULTS)")
    parser.add_argument(
        "--rounds", type=int, default=1000, help="of the bootstrap (%(default)s)"
    )
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error(f"--rounds is at least 1, got {args.rounds}")
    if args.images and not args.out:
        parser.error("--images is for the report; name its file with --out")
    return args


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.evaluation import read_dump, read_record
from mmpar.evaluation.analysis import analyze
from mmpar.evaluation.analysis_text import analysis_text
from mmpar.evaluation.result_json import result_json
from mmpar.utils.atomic import write_atomically
from mmpar.visualization.analysis_report import html_report


def main(args: argparse.Namespace) -> None:
    """Analyze, print and write."""
    schema, predictions = read_dump(args.results)
    record = read_record(args.results)
    analysis = analyze(schema, predictions, args.rounds, record=record)
    print(analysis_text(analysis))
    if args.json:
        write_atomically(args.json, result_json(analysis))
        print(f"written: {args.json}")
    if args.out:
        title = args.title or args.results
        page = html_report(title, analysis, predictions, args.images)
        write_atomically(args.out, page)
        print(f"written: {args.out}")


if __name__ == "__main__":
    main(ARGS)
