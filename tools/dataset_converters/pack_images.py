"""Pack the images of a folder into one file: pack_images.py FOLDER OUT.{zip,lmdb}."""

import argparse
import sys


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="images keep their names below it")
    parser.add_argument("out", help="ends in .zip or .lmdb")
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from rich.progress import Progress

from mmpar.datasets.packing import list_images, pack


def main(args: argparse.Namespace) -> None:
    """Pack."""
    try:
        names, others, links = list_images(args.folder)
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
    print(f"wrote {len(names)} images to {args.out}")
    if others:
        found = ", ".join(f"{n} {ending or '(none)'}" for ending, n in others.items())
        print(f"left out, because they do not end in an image format: {found}")
    if links:
        some = ", ".join(links[:5])
        print(
            "left out, as links to folders, or out of the folder, are not followed: "
            f"{len(links)} ({some})"
        )


if __name__ == "__main__":
    main(ARGS)
