"""Predict the attributes of persons in images: predict.py MODEL SOURCE... --out FILE.

python tools/predict.py model.safetensors crops/ --out answers.jsonl

Killed and started again with the same arguments, it goes on where it was.
"""

from __future__ import annotations

import argparse


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "model", help="a published file, a checkpoint, a work dir or an exported .onnx"
    )
    parser.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="images, folders, glob patterns"
    )
    parser.add_argument(
        "--out", required=True, metavar="FILE", help=".jsonl, .csv or .parquet"
    )
    parser.add_argument("--overwrite", action="store_true", help="FILE may exist")
    parser.add_argument(
        "--overlays", metavar="DIR", help="also draw each answer, as a PNG file"
    )
    parser.add_argument(
        "--boxes",
        metavar="FILE",
        help="persons to cut out: COCO's .json, or MOTChallenge's .txt for the frames "
        "of one video",
    )
    parser.add_argument(
        "--abstain", action="store_true", help="answer 'not sure' where the model is"
    )
    parser.add_argument(
        "--text",
        action="append",
        default=[],
        metavar="'carries a red umbrella'",
        help="also score this statement about the person, by a tower with a text side; "
        "may be given more than once",
    )
    parser.add_argument(
        "--threshold",
        action="append",
        type=threshold,
        metavar="NUMBER|NAME=NUMBER",
        help="instead of the model's own; may be given once per attribute",
    )
    parser.add_argument("--batch-size", type=int, default=32, help="(%(default)s)")
    parser.add_argument("--device", help="by default the best there is")
    parser.add_argument(
        "--precision", choices=["fp32", "bf16", "fp16"], default="fp32", help="(fp32)"
    )
    parser.add_argument(
        "--shard",
        type=shard,
        default=(1, 1),
        metavar="I/N",
        help="only the I-th of N parts of the images, from 1/N to N/N",
    )
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="have a Ray cluster do it ('auto' for the one of this machine); then a "
        "SOURCE may also be a table of paths that Ray reads",
    )
    args = parser.parse_args()
    args.threshold = _combined(parser, args.threshold)
    return args


def threshold(text: str) -> tuple[str, float]:
    name, _, value = text.rpartition("=")
    return name, float(value)


def _combined(
    parser: argparse.ArgumentParser, given: list[tuple[str, float]] | None
) -> float | dict[str, float] | None:
    """One number for all attributes, or one for each that is named."""
    if given is None:
        return None
    if len(given) == 1 and not given[0][0]:
        return given[0][1]
    if not all(name for name, _ in given):
        parser.error("--threshold is one NUMBER, or NAME=NUMBER once per attribute")
    return dict(given)


def shard(text: str) -> tuple[int, int]:
    number, count = map(int, text.split("/"))
    return number, count


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.apis.predict_files import PredictorSettings, predict_to_file


def main(args: argparse.Namespace) -> None:
    """Predict and write."""
    settings = PredictorSettings(
        args.model,
        args.device,
        args.batch_size,
        args.threshold,
        args.precision,
        tuple(args.text),
    )
    wanted = dict(
        boxes=args.boxes,
        abstain=args.abstain,
        overlays=args.overlays,
        shard=args.shard,
        overwrite=args.overwrite,
    )
    if args.ray:
        from mmpar.apis.ray_job import predict_on_ray

        print(predict_on_ray(args.ray, settings, args.sources, args.out, **wanted))
    else:
        print(predict_to_file(settings, args.sources, args.out, **wanted))


if __name__ == "__main__":
    main(ARGS)
