"""Evaluate where a model sees attributes, on a test split with true boxes.

python tools/analysis_tools/eval_localization.py CONFIG CHECKPOINT --explainer GradCAMP

SyntheticPAR has true boxes. Images of your own need boxes in COCO's JSON, and the
transform LoadAttributeBoxes before Resize in the test pipeline. With --zones none are
needed: the body zone of an attribute (head, upper body, lower body, feet), from the
keypoints of the test data, is its box. To see explanations without true boxes, use
explain_gallery.py.
"""

import argparse

from mmpar.utils.cli import explainer_arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = explainer_arguments(__doc__)
    parser.add_argument("--out", metavar="JSON", help="write all values to this file")
    parser.add_argument(
        "--zones",
        action="store_true",
        help="judge by body zones, from the keypoints of the test dataset",
    )
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.engine import running
from mmpar.utils.config import judge_by_body_zones, read_explainer_config


def main(args: argparse.Namespace) -> None:
    """Explain and evaluate."""
    evaluator = dict(
        type="AttributeLocalizationMetric", threshold=args.threshold, out_file=args.out
    )
    cfg = read_explainer_config(args, "eval_localization", evaluator)
    if args.zones:
        judge_by_body_zones(cfg)
    with running(cfg) as runner:
        runner.test()


if __name__ == "__main__":
    main(ARGS)
