"""Check a dataset: check_dataset.py DATASET SRC [--out report.html].

DATASET is a release's class, or AttributeListDataset for lists of your own:
check_dataset.py AttributeListDataset my_site --ann-file train.csv val.csv test.csv

--predictions PREDICTIONS.json, of cross_validate.py, adds the labels that a model which
was trained without them doubts. --against CLASS SRC compares the labels with those of a
dataset that labelled the same images.
"""

import argparse
import sys
from collections import defaultdict

from mmpar.utils.cli import DATASET_CLASSES, add_source_arguments


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=DATASET_CLASSES)
    parser.add_argument("source", help="folder of the release, or of the lists")
    add_source_arguments(parser)
    parser.add_argument("--partition", type=int, default=0, help="from 0")
    parser.add_argument("--out", metavar="FILE", help="write a report in HTML")
    parser.add_argument("--workers", type=int, default=4, help="images at a time")
    parser.add_argument(
        "--predictions",
        metavar="FILE",
        help="a .json of cross_validate.py; suspected label errors are found with it",
    )
    parser.add_argument(
        "--review",
        metavar="FILE",
        help="write the suspects to a .csv whose column 'new' a person fills in for "
        "prepare.py --corrections",
    )
    parser.add_argument(
        "--against",
        nargs="+",
        metavar=("CLASS", "SRC [LIST"),
        help="another dataset of the same images, as DATASET and SRC; lists follow SRC",
    )
    args = parser.parse_args()
    if args.against and (
        len(args.against) < 2 or args.against[0] not in DATASET_CLASSES
    ):
        parser.error(f"--against takes one of {list(DATASET_CLASSES)} and a folder")
    if args.review and not args.predictions:
        parser.error("--review lists what --predictions finds; give both")
    return args


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Column, Table

from mmpar.datasets.base import PARDataset
from mmpar.datasets.corrections import write_review
from mmpar.datasets.doctor import DatasetReport, Issue, Published, check_dataset
from mmpar.datasets.doctor.agreement import Comparison
from mmpar.datasets.doctor.label_errors import LabelXRay
from mmpar.datasets.doctor.report import html_report
from mmpar.datasets.sources import (
    find_parts,
    readable_classes,
    source_arguments,
)
from mmpar.evaluation import read_dump
from mmpar.utils.atomic import write_atomically


def open_splits(
    args: argparse.Namespace,
) -> tuple[dict[str, PARDataset], list[Issue]]:
    """Each split, whether or not its images are there; and why others are unread."""
    splits: dict[str, PARDataset] = {}
    unread = defaultdict(list)
    try:
        parts = find_parts(
            readable_classes()[args.dataset],
            partitions=[args.partition],
            **source_arguments(args),
        )
    except (ValueError, FileNotFoundError) as error:
        return {}, [Issue("annotation", "all", str(error))]
    for part in parts:
        try:
            splits[part.split] = part.open(find_missing=False)
        except (ValueError, FileNotFoundError) as error:
            unread[str(error)].append(part.split)
    faults = [Issue("annotation", ", ".join(n), why) for why, n in unread.items()]
    return splits, faults


def open_others(against: list[str]) -> dict[str, PARDataset]:
    """The splits of the dataset to compare with."""
    kind, source, *lists = against
    parts = find_parts(readable_classes()[kind], lists, data_root=source)
    return {part.split: part.open(find_missing=False) for part in parts}


_COLOURED = dict(error="[red]error", warning="[yellow]warning", note="note")


def show(dataset_report: DatasetReport, console: Console) -> None:
    """Print the issues as a table."""
    table = Table("", "check", "split", Column("found", overflow="fold"))
    for issue in dataset_report.issues:
        cells = (issue.check, escape(issue.where), escape(_said(issue)))
        table.add_row(_COLOURED[issue.severity], *cells)
    if dataset_report.issues:
        console.print(table)
    counts = ", ".join(f"{name} {n:,}" for name, n in dataset_report.counts.items())
    console.print(f"images: {counts}; sizes (w, h): {dataset_report.sizes}")
    if dataset_report.x_ray is not None:
        show_x_ray(dataset_report.x_ray, console)
    if dataset_report.comparison is not None:
        show_comparison(dataset_report.comparison, console)
    console.print(f"{len(dataset_report.faults)} faults")


def show_x_ray(x_ray: LabelXRay, console: Console) -> None:
    """Print how many labels of each attribute are suspect."""
    table = Table("attribute", "known", "suspects", "labelled present", "absent")
    for one in x_ray.counts:
        numbers = (one.known, one.present + one.absent, one.present, one.absent)
        if one.present + one.absent:
            table.add_row(escape(one.attribute), *map("{:,}".format, numbers))
    console.print(table)
    covered = ", ".join(f"{name} {n:,}" for name, n in x_ray.covered.items())
    console.print(f"{len(x_ray.suspects):,} suspects; images predicted: {covered}")


def show_comparison(comparison: Comparison, console: Console) -> None:
    """Print how far the labels agree with those of the other dataset."""
    table = Table("attribute", "compared", "agreeing", "Cohen's kappa")
    for one in comparison.agreements:
        numbers = (f"{one.compared:,}", f"{one.agreeing / one.compared:.1%}")
        kappa = f"{one.kappa:.3f}" if one.kappa == one.kappa else "undefined"
        table.add_row(escape(one.attribute), *numbers, kappa)
    console.print(table)
    console.print(f"{comparison.images:,} images are in {comparison.title}, too")


def _said(issue: Issue) -> str:
    """The message, and the first image."""
    if not issue.images:
        return issue.message
    return f"{issue.message}, first: {issue.images[0]}"


def main(args: argparse.Namespace) -> int:
    """Check; 1 when something is wrong."""
    console = Console()
    kind = readable_classes()[args.dataset]
    splits, unread = open_splits(args)
    predictions = read_dump(args.predictions) if args.predictions else None
    with Progress(console=console) as progress:
        bar = progress.add_task("images", total=None)
        dataset_report = check_dataset(
            splits,
            Published.of(kind),
            args.workers,
            lambda done, total: progress.update(bar, completed=done, total=total),
            unread,
            predictions,
            open_others(args.against) if args.against else None,
        )
    show(dataset_report, console)
    if args.out:
        title = f"{kind.METAINFO.get('dataset_name', args.dataset)}, {args.source}"
        write_atomically(args.out, html_report(title, dataset_report))
        console.print(f"wrote {args.out}")
    if args.review and dataset_report.x_ray is not None:
        write_review(args.review, dataset_report.x_ray.suspects)
        console.print(f"wrote {args.review}")
    return int(bool(dataset_report.faults))


if __name__ == "__main__":
    try:
        sys.exit(main(ARGS))
    except (ValueError, FileNotFoundError) as error:  # of what is compared
        sys.exit(f"error: {error}")
