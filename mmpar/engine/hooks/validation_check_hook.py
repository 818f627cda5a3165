"""Checks, before training begins, whether validation can choose a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from mmengine.hooks import CheckpointHook, Hook

from mmpar.datasets.positive_ratios import seen_label_counts
from mmpar.registry import HOOKS


@HOOKS.register_module()
class ValidationCheckHook(Hook):
    """Refuse a validation split without labels, and metrics that are not computed.

    The best checkpoint (``save_best``) and ``ReduceOnPlateauLR`` (``monitor``) name a
    metric, which MMEngine looks for only when the first epoch is over.
    """

    def before_train(self, runner: Any) -> None:
        """Compare names, count labels.

        Raises:
            ValueError: A requested metric is not computed, or the validation
                split has no known label.
        """
        loop = runner.val_loop
        if loop is None:
            return
        metrics = loop.evaluator.metrics
        for field, name in find_watched_metrics(runner):
            prefix = name.split("/")[0] if "/" in name else None
            prefixes = {metric.prefix for metric in metrics}
            if prefix is not None and prefix not in prefixes:
                raise ValueError(
                    f"{field}={name!r} is a metric that val_evaluator does not "
                    f"compute: it has {[type(m).__name__ for m in metrics]}, whose "
                    f"names begin with {sorted(p or '' for p in prefixes)}. Add "
                    f"dict(type='PARMetric') to val_evaluator, or name one of its "
                    f"metrics in {field}"
                )
        dataset = loop.dataloader.dataset
        if hasattr(dataset, "label_counts") and not seen_label_counts(dataset)[1].any():
            raise ValueError(
                f"the validation split ({dataset.ann_file or type(dataset).__name__}) "
                "has no known label, so no checkpoint can be chosen by it; give a list "
                "with labels, or validate nothing: val_dataloader=None, "
                "val_evaluator=None, val_cfg=None, protocol='fixed-schedule' (the last "
                "checkpoint is tested then)"
            )


def find_watched_metrics(runner: Any) -> Iterator[tuple[str, str]]:
    """Config field and name of each metric that a part of the training monitors."""
    for hook in runner.hooks:
        best = getattr(hook, "save_best", None)
        if isinstance(hook, CheckpointHook) and best:
            names = best if isinstance(best, list) else [best]
            yield from (
                ("default_hooks.checkpoint.save_best", name)
                for name in names
                if name != "auto"
            )
    schedulers = runner.param_schedulers or []
    # Several optimizers have a dict of lists.
    lists = schedulers.values() if isinstance(schedulers, dict) else [schedulers]
    for scheduler in chain.from_iterable(lists):
        if hasattr(scheduler, "monitor"):
            yield "param_scheduler.monitor", scheduler.monitor
