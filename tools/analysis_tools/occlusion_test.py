"""Does occluding the box of an explanation hurt the answer more than another box?

python tools/analysis_tools/occlusion_test.py CONFIG CHECKPOINT --explainer GradCAMP
"""

import argparse

from mmpar.utils.cli import explainer_arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = explainer_arguments(__doc__)
    parser.add_argument(
        "--num", type=int, default=300, help="first images of the split (%(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the other boxes (%(default)s)"
    )
    args = parser.parse_args()
    if args.num < 1:
        parser.error(f"--num is at least 1, got {args.num}")
    return args


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.engine import running
from mmpar.utils.config import read_explainer_config


def main(args: argparse.Namespace) -> None:
    """Explain, occlude and compare."""
    occlusion = dict(threshold=args.threshold, seed=args.seed)
    cfg = read_explainer_config(
        args, "occlusion_test", dict(type="OcclusionMetric"), occlusion=occlusion
    )
    cfg.test_dataloader.dataset.indices = args.num
    with running(cfg) as runner:
        runner.test()


if __name__ == "__main__":
    main(ARGS)
