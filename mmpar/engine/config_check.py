"""Finds in a config, before anything runs, what would be ignored without a word."""

from __future__ import annotations

import difflib
import inspect

from mmengine.config import Config
from mmengine.runner import Runner

READ_BY_RUNNER = {
    *inspect.signature(Runner.__init__).parameters,
    # It takes these from the config itself.
    "activation_checkpointing",
    "compile",
    "efficient_conv_bn_eval",
    "find_unused_parameters",
    "model_wrapper_cfg",
    "sync_bn",
}
"""Top-level fields that the Runner takes from a config."""

_ALIKE = 0.8  # of the shipped configs' own variables none is so near to a field
_POSITIVE = ("max_epochs", "max_iters", "val_interval")


def check_config(cfg: Config) -> None:
    """Look for mistyped top-level fields, and for trainings of no length.

    A config may have variables of its own, so only names that look like a field of the
    Runner are taken for mistyped.

    Raises:
        ValueError: There is one; it names the nearest field, or the smallest value.
    """
    for name in cfg.keys() - READ_BY_RUNNER:
        near = difflib.get_close_matches(name, READ_BY_RUNNER, n=1, cutoff=_ALIKE)
        if near:
            raise ValueError(
                f"{cfg.filename} sets {name!r}, which nothing reads; did you mean "
                f"{near[0]!r}? A variable of your own needs a name less like it"
            )
    train_cfg = cfg.get("train_cfg") or {}
    for field in _POSITIVE:
        value = train_cfg.get(field)
        if value is not None and value < 1:
            raise ValueError(
                f"train_cfg.{field} is {value} in {cfg.filename}; it is 1 or more"
                + (
                    " (to train without validation, set val_dataloader, val_cfg and "
                    "val_evaluator to None)"
                    if field == "val_interval"
                    else ""
                )
            )
