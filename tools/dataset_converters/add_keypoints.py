"""Keypoints for all images: add_keypoints.py DATASET SRC --out keypoints.npy ..."""

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
        help="whose images; default 0, which for most datasets has all",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--from-json", metavar="FILE", help="COCO results or annotation with keypoints"
    )
    source.add_argument(
        "--from-onnx",
        metavar="FILE",
        help="top-down pose model: heat maps, SimCC or MoveNet",
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
from mmpar.datasets.formats.coco import read_coco_keypoints
from mmpar.datasets.keypoints import KeypointWriter, PoseModel
from mmpar.datasets.sources import (
    find_parts,
    readable_classes,
    source_arguments,
)
from mmpar.structures.keypoints import drop_outside, scores_to_visibility
from mmpar.utils.image_headers import upright_size


def list_images(args: argparse.Namespace) -> dict[str, str]:
    """Each image of the dataset once: its name in the list, and its file.

    Raises:
        ValueError: An image shows several persons.
    """
    parts = find_parts(
        readable_classes()[args.dataset],
        partitions=args.partitions,
        **source_arguments(args),
    )
    images: dict[str, str] = {}
    for part in parts:
        dataset = part.open()
        if "bbox" in dataset.table.columns:
            raise ValueError(
                f"{args.dataset} crops persons out of images (bbox), and a "
                "keypoint file has one person per image; use a form of PLE that needs "
                "no keypoints: model.neck.ple.type=BlockPLE"
            )
        for i, path in enumerate(dataset.table.paths):
            images[path] = dataset.get_data_info(i)["img_path"]
    return images


def write_from_json(
    args: argparse.Namespace, images: dict[str, str]
) -> tuple[KeypointWriter, int]:
    """Take the keypoints from a detector's file."""
    paths = list(images)
    keypoints, num_low, unknown = read_coco_keypoints(
        args.from_json, paths, args.images, args.min_score
    )
    sizes = np.zeros((len(paths), 2))
    for row in np.flatnonzero(keypoints[..., 2].any(axis=1)):
        sizes[row] = upright_size(images[paths[row]])
    width, height = sizes.T[..., None]
    num_outside = drop_outside(keypoints, width, height)
    if num_outside:
        print(f"{num_outside} keypoints lie outside their image; they count as missing")
    if unknown:
        print(
            f"{args.from_json} has {len(unknown)} images that {args.dataset} does not "
            f"have, first {unknown[:3]}; they are left out"
        )
    writer = KeypointWriter(args.out, paths, "json")
    writer.write(np.arange(len(paths)), keypoints)
    return writer, num_low


def write_from_onnx(
    args: argparse.Namespace, images: dict[str, str]
) -> tuple[KeypointWriter, int]:
    """Run a pose model over the images that a former run has not done."""
    model = PoseModel(args.from_onnx)
    load = LoadPersonImage()
    files = list(images.values())
    model_file = Path(args.from_onnx).resolve()
    stat = model_file.stat()
    job = f"{model_file} {stat.st_size} {stat.st_mtime_ns} {args.min_score}"
    writer = KeypointWriter(args.out, list(images), job)
    rows = writer.remaining()
    num_low = 0
    with Progress() as progress:
        bar = progress.add_task(
            "images", total=len(files), completed=len(files) - len(rows)
        )
        for start in range(0, len(rows), args.batch_size):
            batch = rows[start : start + args.batch_size]
            keypoints = model([load(dict(img_path=files[i]))["img"] for i in batch])
            num_low += scores_to_visibility(keypoints, args.min_score)
            writer.write(batch, keypoints)
            progress.advance(bar, len(batch))
    return writer, num_low


def main(args: argparse.Namespace) -> None:
    """Convert."""
    images = list_images(args)
    write = write_from_json if args.from_json else write_from_onnx
    writer, num_low = write(args, images)
    num_people = writer.num_people()
    file = writer.finish()
    print(
        f"wrote {file}: {len(images)} images, {num_people} with keypoints, "
        f"{len(images) - num_people} without; {num_low} keypoints found by this run "
        f"have scores below {args.min_score} and count as missing"
    )


if __name__ == "__main__":
    main(ARGS)
