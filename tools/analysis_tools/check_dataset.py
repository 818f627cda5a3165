"""Examine a data set as released: check_dataset.py DATASET SRC [--out report.html]."""

import argparse
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from mmpar.datasets import ReleaseDataset
from mmpar.datasets.doctor import Examination, examine
from mmpar.datasets.doctor.report import html_report
from mmpar.datasets.preparing import release_classes, splits_of


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=sorted(release_classes()))
    parser.add_argument("source", help="folder of the release, as the class expects it")
    parser.add_argument("--ann-file", default="", help="another annotation file")
    parser.add_argument("--partition", type=int, default=0, help="from 0")
    parser.add_argument("--out", metavar="FILE", help="write a report in HTML")
    parser.add_argument("--workers", type=int, default=4, help="pictures at a time")
    return parser.parse_args()


def open_splits(args: argparse.Namespace) -> dict[str, ReleaseDataset]:
    """Each split, whether or not its pictures are there.

    A list of one split does not say which it is: it goes by its file name.
    """

    class Examined(release_classes()[args.dataset]):  # type: ignore[misc]
        def find_missing(self, table: object) -> np.ndarray:
            return np.empty(0, np.int64)

    common = dict(
        data_root=args.source, ann_file=args.ann_file, partition=args.partition
    )
    if Examined.holds_one_split(args.ann_file):
        name = Path(args.ann_file).name
        return {name: Examined(split=Examined.SPLITS[0], **common)}
    return {name: Examined(split=name, **common) for name in splits_of(Examined)}


def show(examination: Examination, console: Console) -> None:
    """Print the findings as a table."""
    table = Table("", "check", "split", "found")
    for finding in examination.findings:
        kind = "[red]fault" if finding.is_fault else "note"
        table.add_row(kind, finding.check, finding.where, finding.message)
    if examination.findings:
        console.print(table)
    counts = ", ".join(f"{name} {n:,}" for name, n in examination.counts.items())
    console.print(f"pictures: {counts}; sizes (w, h): {examination.sizes}")
    console.print(f"{len(examination.faults)} faults")


def main() -> int:
    """Examine; 1 when something is wrong."""
    args = parse_args()
    console = Console()
    kind = release_classes()[args.dataset]
    try:
        splits = open_splits(args)
    except (ValueError, FileNotFoundError) as error:
        console.print(f"the annotation cannot be read: {error}", markup=False)
        return 1
    with Progress(console=console) as progress:
        bar = progress.add_task("pictures", total=None)
        examination = examine(
            splits,
            kind.SIZES,
            kind.PERSONS_SHARED,
            args.workers,
            lambda done, total: progress.update(bar, completed=done, total=total),
        )
    show(examination, console)
    if args.out:
        title = f"{kind.METAINFO['dataset_name']}, {args.source}"
        Path(args.out).write_text(html_report(title, examination), encoding="utf-8")
        console.print(f"wrote {args.out}")
    return int(bool(examination.faults))


if __name__ == "__main__":
    sys.exit(main())
