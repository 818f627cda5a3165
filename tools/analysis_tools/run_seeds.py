"""Train and test configs with several seeds: run_seeds.py CONFIG ... [--seeds 0 1 2].

Prints a Markdown table of means and standard deviations. A finished step is not
repeated, so an interrupted comparison continues where it was, and explainers that only
some of the configs support are added by a second call for those.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmpar.utils.cli import config_names, explainer_name


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("configs", nargs="+", help="config files, one row each")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--explainers",
        nargs="*",
        type=explainer_name,
        default=[],
        metavar="CLASS",
        help="evaluated by eval_localization.py after the test, such as GradCAM",
    )
    parser.add_argument(
        "--metrics",
        nargs="+",
        help="columns of the table; those of an explainer begin with its name, and are "
        "filled where it was evaluated, in this call or before (par/mA, "
        "par/instance_f1, par/label_f1 and EXPLAINER/mean_iou)",
    )
    parser.add_argument("--work-dir", default="work_dirs/seeds")
    parser.add_argument(
        "--cfg-options", nargs="+", default=[], help="as for train.py and test.py"
    )
    parser.add_argument(
        "--localize-options",
        nargs="+",
        default=[],
        help="config options for eval_localization.py alone, e.g. "
        "test_dataloader.dataset.num_samples=300",
    )
    args = parser.parse_args(arguments)
    config_names(parser, args.configs)
    if args.metrics is None:
        args.metrics = ["par/mA", "par/instance_f1", "par/label_f1"]
        args.metrics += [f"{name}/mean_iou" for name in args.explainers]
    return args


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.utils.seed_runs import compare_seeds

if __name__ == "__main__":
    print(compare_seeds(ARGS, tools=Path(__file__).parents[1]))
