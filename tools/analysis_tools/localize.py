"""Judge where a model sees attributes, on a test split with true boxes.

python tools/analysis_tools/localize.py CONFIG CHECKPOINT --explainer grad-cam-p
"""

import argparse

from mmengine.config import Config

import mmpar  # noqa: F401  checks the installation, secures checkpoint loading
from mmpar.engine import build_runner, runner_arguments, runner_config, set_checkpoint
from mmpar.evaluation.functional import DEFAULT_THRESHOLD

EXPLAINERS = {
    "grad-cam": "GradCAM",
    "grad-cam-p": "GradCAMP",
    "alm-boxes": "ALMBoxes",
    "ple-points": "PLEPoints",
    "region-boxes": "RegionBoxes",
}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = runner_arguments(__doc__)
    parser.add_argument(
        "checkpoint", help="checkpoint file, or a work dir: its best checkpoint"
    )
    parser.add_argument("--explainer", choices=EXPLAINERS, default="grad-cam")
    parser.add_argument(
        "--threshold",
        type=float,
        default=DEFAULT_THRESHOLD,
        help="share of a map's maximum from which on a pixel belongs to the box "
        "(%(default)s); boxes need none",
    )
    parser.add_argument("--out", metavar="JSON", help="write all values to this file")
    return parser.parse_args()


def localization_config(args: argparse.Namespace) -> Config:
    """The config's test, with an explainer and the localization metric."""
    cfg = runner_config(args)
    set_checkpoint(cfg, args.checkpoint)
    cfg.test_cfg = dict(
        type="ExplainLoop", explainer=dict(type=EXPLAINERS[args.explainer])
    )
    cfg.test_evaluator = dict(
        type="AttributeLocalizationMetric",
        threshold=args.threshold,
        out_file=args.out,
    )
    return cfg


def main() -> None:
    """Explain and judge."""
    build_runner(localization_config(parse_args())).test()


if __name__ == "__main__":
    main()
