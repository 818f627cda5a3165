"""What the tools around explainers share."""

from __future__ import annotations

import argparse
from typing import Any

from mmengine.config import Config

from mmpar.engine.command_line import evaluation_config, runner_arguments
from mmpar.engine.hooks import SchemaCheckHook
from mmpar.evaluation.functional import DEFAULT_THRESHOLD

EXPLAINERS_BY_NAME: dict[str, dict[str, Any]] = {
    "grad-cam": dict(type="GradCAM"),
    "grad-cam-p": dict(type="GradCAMP"),
    "grad-cam-p-channel": dict(type="GradCAMP", weighting="channel"),
    "grad-cam-region": dict(type="GradCAMP", place_prior=False),
    "alm-boxes": dict(type="ALMBoxes"),
    "ple-points": dict(type="PLEPoints"),
    "region-boxes": dict(type="RegionBoxes"),
}
"""As on the command line, and their configs."""


def explainer_arguments(description: str) -> argparse.ArgumentParser:
    """A parser with what the runner needs, a checkpoint, an explainer, a threshold."""
    parser = runner_arguments(description)
    parser.add_argument(
        "checkpoint", help="checkpoint file, or a work dir: its best checkpoint"
    )
    parser.add_argument(
        "--explainer",
        choices=EXPLAINERS_BY_NAME,
        default="grad-cam",
        help="(%(default)s)",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=DEFAULT_THRESHOLD,
        help="share of a map's maximum from which on a pixel belongs to the box "
        "(%(default)s)",
    )
    return parser


def explainer_config(args: argparse.Namespace, folder: str, **metric: Any) -> Config:
    """The config's test, with the explainer and the localization metric alone.

    Args:
        args: Those of :func:`explainer_arguments`.
        folder: Of the tool, in the work dir.
        **metric: Further fields of the localization metric.
    """
    cfg = evaluation_config(args, folder)
    explainer = EXPLAINERS_BY_NAME[args.explainer]
    cfg.test_cfg = dict(type="ExplainLoop", explainer=explainer)
    cfg.test_evaluator = dict(
        type="AttributeLocalizationMetric", threshold=args.threshold, **metric
    )
    return cfg


def load_to_explain(runner: Any) -> None:
    """Load the checkpoint as ``runner.test()`` does, and put the model in eval mode.

    Hooks begin first: EMAHook copies the model before weights are loaded.

    Raises:
        ValueError: The model and the test data have different schemas.
    """
    runner.call_hook("before_run")
    runner.load_or_resume()
    SchemaCheckHook().before_test(runner)
    runner.model.eval()
