"""Export a model to ONNX or OpenVINO: python tools/deploy/export.py MODEL OUT.

Nothing is written unless the file answers as torch does. int8 is calibrated on images
and judged by its mA:

    python tools/deploy/export.py work_dirs/sspnet_r50_pa100k model_int8.onnx \\
        --precision int8 --images calibration_images/ \\
        --data configs/sspnet/sspnet_r50_pa100k.py --split val
"""

import argparse


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "model", help="a published model, a checkpoint or the work dir of a training"
    )
    parser.add_argument("out", help="the file: .onnx, or .xml for OpenVINO")
    parser.add_argument("--precision", choices=("fp32", "fp16", "int8"), default="fp32")
    parser.add_argument(
        "--takes-pixels",
        action="store_true",
        help="the graph takes uint8 RGB images (B, H, W, 3) and normalizes them itself",
    )
    parser.add_argument(
        "--images",
        nargs="+",
        help="files, folders or patterns: crops on which the export is checked, and "
        "the activations of int8 are measured (drawn persons by default, not for int8)",
    )
    parser.add_argument(
        "--data",
        metavar="CONFIG",
        help="config with labelled images, on which the mA of int8 is compared",
    )
    parser.add_argument(
        "--split", choices=("val", "test"), default="val", help="of --data"
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        help="largest difference of a probability from torch's (1e-4; fp16: 5e-3)",
    )
    parser.add_argument(
        "--max-mA-loss",
        type=float,
        default=0.5,
        help="points of mA that the export may lose on --data (0.5)",
    )
    parser.add_argument(
        "--limit", type=int, help="read at most so many of --images and of --data"
    )
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.deploy import export_onnx


def main(args: argparse.Namespace) -> None:
    """Export."""
    options = vars(args).copy()
    print(export_onnx(options.pop("model"), **options))


if __name__ == "__main__":
    main(ARGS)
