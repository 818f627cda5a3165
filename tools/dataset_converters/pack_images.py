"""Pack the pictures of a folder into one file: pack_images.py FOLDER OUT.{zip,lmdb}."""

import argparse
import sys


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="pictures get the names they have below it")
    parser.add_argument("out", help="ends in .zip or .lmdb")
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from rich.progress import Progress

from mmpar.datasets.packing import find_pictures, pack


def main(args: argparse.Namespace) -> None:
    """Pack."""
    try:
        names, others, links = find_pictures(args.folder)
        with Progress() as progress:
            bar = progress.add_task("packing", total=len(names))
            pack(
                args.folder,
                names,
                args.out,
                lambda done, total: progress.update(bar, completed=done),
            )
    except (FileExistsError, FileNotFoundError, ValueError) as error:
        sys.exit(f"error: {error}")
    print(f"wrote {len(names)} pictures to {args.out}")
    if others:
        found = ", ".join(f"{n} {ending or '(none)'}" for ending, n in others.items())
        print(f"left out, as their endings are not those of pictures: {found}")
    if links:
        some = ", ".join(links[:5])
        print(
            f"left out, as links out of the folder are not followed, nor those to "
            f"folders: {len(links)} ({some})"
        )


if __name__ == "__main__":
    main(ARGS)
