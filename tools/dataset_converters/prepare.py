"""Write a release as one portable annotation: prepare.py DATASET SRC --out DIR."""

import argparse
import sys

from rich.progress import Progress, TaskID

from mmpar.datasets.preparing import prepare, release_classes


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=sorted(release_classes()))
    parser.add_argument("source", help="folder of the release, as the class expects it")
    parser.add_argument("--out", required=True, help="folder for annotation.jsonl")
    parser.add_argument("--ann-file", default="", help="another annotation file")
    parser.add_argument(
        "--partitions", type=int, nargs="+", default=[0], help="from 0; default 0"
    )
    parser.add_argument("--split", default="", help="only this; .txt and .csv need it")
    parser.add_argument("--schema", help="default: the evaluated attributes; or 'all'")
    return parser.parse_args()


def main() -> None:
    """Convert."""
    args = parse_args()
    bars: dict[str, TaskID] = {}
    try:
        with Progress() as progress:

            def report(part: str, done: int, total: int) -> None:
                if part not in bars:
                    bars[part] = progress.add_task(part, total=total)
                progress.update(bars[part], completed=done)

            file = prepare(
                release_classes()[args.dataset],
                args.partitions,
                args.out,
                report,
                split=args.split,
                data_root=args.source,
                ann_file=args.ann_file,
                schema=args.schema,
            )
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f"error: {error}")
    print(f"wrote {file}")


if __name__ == "__main__":
    main()
