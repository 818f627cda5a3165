"""Keypoints for all pictures: add_keypoints.py DATASET SRC --out keypoints.npy ..."""

import argparse
from pathlib import Path

from mmpar.utils.cli import DATASET_CLASSES, add_source_arguments


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=DATASET_CLASSES)
    parser.add_argument("source", help="folder of the release, or of the lists")
    parser.add_argument("--out", required=True, help="the .npy file to write")
    add_source_arguments(parser)
    parser.add_argument(
        "--partitions",
        type=int,
        nargs="+",
        default=[0],
        help="whose pictures; default 0, which for most data sets has all",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--from-json", metavar="FILE", help="COCO results or annotation with keypoints"
    )
    source.add_argument(
        "--from-onnx", metavar="FILE", help="top-down pose model, heat maps or SimCC"
    )
    parser.add_argument(
        "--images", metavar="FILE", help="COCO file whose 'images' name the image ids"
    )
    parser.add_argument("--batch-size", type=int, default=32, help="of the pose model")
    parser.add_argument(
        "--min-score",
        type=float,
        default=0.3,
        help="keypoints of lower scores, 0 to 1, count as missing (%(default)s)",
    )
    args = parser.parse_args()
    if args.images and not args.from_json:
        parser.error("--images goes with --from-json")
    if args.batch_size < 1:
        parser.error("--batch-size is 1 or more")
    if not 0 <= args.min_score <= 1:
        parser.error("--min-score is in [0, 1]")
    return args


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

import numpy as np
from rich.progress import Progress

from mmpar.datasets import LoadPersonImage
from mmpar.datasets.keypoints import (
    PoseModel,
    UnfinishedKeypoints,
    drop_outside,
    picture_size,
    read_coco_keypoints,
)
from mmpar.datasets.sources import (
    find_parts,
    readable_classes,
    source_arguments,
)


def list_pictures(args: argparse.Namespace) -> dict[str, str]:
    """Each picture of the data set once: as it is listed, and where it lies.

    Raises:
        ValueError: A picture shows several persons.
    """
    parts = find_parts(
        readable_classes()[args.dataset],
        partitions=args.partitions,
        **source_arguments(args),
    )
    pictures: dict[str, str] = {}
    for part in parts:
        dataset = part.open()
        if "bbox" in dataset.table.columns:
            raise ValueError(
                f"{args.dataset} cuts persons out of pictures (bbox), and a "
                "keypoint file has one person a picture; take a kind of PLE that "
                "needs no keypoints: model.neck.ple.type=BlockPLE"
            )
        for i, path in enumerate(dataset.table.paths):
            pictures[path] = dataset.get_data_info(i)["img_path"]
    return pictures


def write_from_json(
    args: argparse.Namespace, pictures: dict[str, str]
) -> UnfinishedKeypoints:
    """Take the keypoints from a detector's file."""
    paths = list(pictures)
    found = read_coco_keypoints(args.from_json, paths, args.images)
    people = np.flatnonzero(found.values[..., 2].any(axis=1))
    sizes = np.zeros((len(paths), 2))
    for row in people:
        sizes[row] = picture_size(pictures[paths[row]])
    outside = drop_outside(found.values, sizes)
    if outside:
        print(f"{outside} keypoints lie outside their picture; they count as missing")
    unfinished = UnfinishedKeypoints(args.out, paths, "json")
    unfinished.write(np.arange(len(paths)), found.values)
    if found.unknown:
        print(
            f"{args.from_json} has {len(found.unknown)} pictures that {args.dataset} "
            f"has not, first {found.unknown[:3]}; they are left out"
        )
    return unfinished


def write_from_onnx(
    args: argparse.Namespace, pictures: dict[str, str]
) -> UnfinishedKeypoints:
    """Run a pose model over the pictures that a former run has not done."""
    model = PoseModel(args.from_onnx)
    load = LoadPersonImage()
    files = list(pictures.values())
    told = Path(args.from_onnx).resolve()
    job = f"{told} {told.stat().st_size} {told.stat().st_mtime_ns} {args.min_score}"
    unfinished = UnfinishedKeypoints(args.out, list(pictures), job)
    rows = unfinished.remaining()
    with Progress() as progress:
        bar = progress.add_task(
            "pictures", total=len(files), completed=len(files) - len(rows)
        )
        for start in range(0, len(rows), args.batch_size):
            batch = rows[start : start + args.batch_size]
            images = [load(dict(img_path=files[row]))["img"] for row in batch]
            unfinished.write(batch, model(images))
            progress.advance(bar, len(batch))
    return unfinished


def main(args: argparse.Namespace) -> None:
    """Convert."""
    pictures = list_pictures(args)
    if args.from_json:
        unfinished = write_from_json(args, pictures)
    else:
        unfinished = write_from_onnx(args, pictures)
    unsure = unfinished.drop_below(args.min_score)
    people = unfinished.people()
    file = unfinished.finish()
    print(
        f"wrote {file}: {len(pictures)} pictures, {people} with keypoints, "
        f"{len(pictures) - people} without; {unsure} keypoints of scores below "
        f"{args.min_score} count as missing"
    )


if __name__ == "__main__":
    main(ARGS)
