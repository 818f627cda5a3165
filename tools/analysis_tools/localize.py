"""Judge where a model sees attributes, on a test split with true boxes.

python tools/analysis_tools/localize.py CONFIG CHECKPOINT --explainer grad-cam-p

SyntheticPAR has true boxes. Images of your own need boxes in COCO's JSON, and the
transform LoadAttributeBoxes before Resize in the test pipeline. To see explanations
without true boxes, use explain_gallery.py.
"""

import argparse

from mmpar.utils.cli import explainer_arguments


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = explainer_arguments(__doc__)
    parser.add_argument("--out", metavar="JSON", help="write all values to this file")
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.engine import (
    build_runner,
    explainer_config,
    leave_processes,
)


def main(args: argparse.Namespace) -> None:
    """Explain and judge."""
    build_runner(explainer_config(args, "localize", out_file=args.out)).test()
    leave_processes()


if __name__ == "__main__":
    main(ARGS)
