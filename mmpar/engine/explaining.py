"""What the tools around explainers share."""

from __future__ import annotations

import argparse
from typing import Any

from mmengine.config import Config

from mmpar.engine.command_line import evaluation_config
from mmpar.engine.hooks import SchemaCheckHook
from mmpar.utils.cli import EXPLAINERS_BY_NAME


def explainer_config(args: argparse.Namespace, folder: str, **metric: Any) -> Config:
    """The config's test, with the explainer and the localization metric alone.

    Args:
        args: Those of :func:`mmpar.utils.cli.explainer_arguments`.
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
