"""Has a test say what its numbers come from."""

from __future__ import annotations

import os.path as osp
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.dist import master_only
from mmengine.hooks import Hook

from mmpar.datasets.training_record import record_data
from mmpar.engine.hooks.seen_persons_hook import seen_shares
from mmpar.evaluation.dump_predictions import DumpPredictions
from mmpar.evaluation.predictions import SeenPersons
from mmpar.evaluation.result_json import result_json
from mmpar.evaluation.result_record import record_lines
from mmpar.registry import HOOKS
from mmpar.utils.atomic import write_atomically
from mmpar.utils.git_state import git_state
from mmpar.utils.model_file import hash_weights
from mmpar.utils.protocol import find_protocol, protocol_of_checkpoint
from mmpar.version import __version__


@HOOKS.register_module()
class ResultRecordHook(Hook):
    """Log and write what a test's numbers come from.

    ``vis_data/record.json``, below the file with the numbers, holds these as
    ``metrics`` and the fields of :data:`mmpar.evaluation.result_record.Record`;
    ``DumpPredictions`` writes the record, too. A checkpoint that was trained by another
    protocol than the config's is a warning.
    """

    priority = "LOW"  # after SeenPersonsHook, EMAHook, which swaps weights, LoggerHook

    def __init__(self) -> None:
        self._loaded: Mapping[str, Any] = {}

    @master_only
    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Keep what the checkpoint says of itself.

        Its weights are those that are tested; a sharded model has none of its own.
        """
        self._loaded = dict(
            file=osp.basename(runner._load_from),
            weights_sha256=hash_weights(checkpoint["state_dict"]),
            **describe_origin(checkpoint),
        )

    def before_train(self, runner: Any) -> None:
        """Forget what was loaded: a test after the training is of other weights."""
        self._loaded = {}

    @master_only
    def before_test_epoch(self, runner: Any) -> None:
        """Make the record and hand it to the metrics that write it."""
        self.record = self._record_of(runner)
        for metric in runner.test_loop.evaluator.metrics:
            if isinstance(metric, DumpPredictions):
                metric.record = self.record

    @master_only
    def after_test_epoch(
        self, runner: Any, metrics: dict[str, float] | None = None
    ) -> None:
        """Log and write it."""
        content = result_json(dict(metrics=metrics, **self.record))
        write_atomically(osp.join(runner.log_dir, "vis_data/record.json"), content)
        runner.logger.info("\n  ".join(["This result", *record_lines(self.record)]))
        protocol, trained = self.record["protocol"], self._loaded.get("protocol")
        if trained not in (None, protocol):
            runner.logger.warning(
                "the checkpoint was trained by the protocol %s, but the data of this "
                "config make the result %s: compare it with figures of neither, or "
                "test with the config of the training",
                trained,
                protocol or "one of none",
            )

    def _record_of(self, runner: Any) -> dict[str, Any]:
        dataset = runner.test_dataloader.dataset
        metrics = runner.test_loop.evaluator.metrics
        seen = [m.seen_persons for m in metrics if isinstance(m, SeenPersons)]
        software = dict(
            mmpar=__version__, git=git_state(), torch=str(torch.__version__)
        )
        return dict(
            protocol=_or_none(find_protocol, runner.cfg),
            config=dict(file=runner.cfg.filename, text=runner.cfg.pretty_text),
            checkpoint=self._loaded or None,
            data=_or_none(record_data, dataset),
            persons=seen_shares(seen[0], dataset) if seen and seen[0] else None,
            software=software,
        )


def describe_origin(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """What a checkpoint, or a published model, says of its training.

    Returns:
        ``protocol``, ``chosen_by`` and ``training_data``, each None for unknown.
    """
    card, meta = checkpoint.get("card"), checkpoint.get("meta")
    if card is not None:
        return dict(
            protocol=card.protocol,
            chosen_by=card.chosen_by,
            training_data=card.training_data,
        )
    meta = meta if isinstance(meta, Mapping) else {}
    return dict(
        protocol=protocol_of_checkpoint(meta),
        chosen_by=_entry(meta, "chosen_by", ("metric", "split", "value")),
        training_data=_entry(meta, "training_data", ("dataset", "split", "num_images")),
    )


def _entry(meta: Mapping[str, Any], name: str, fields: tuple[str, ...]) -> Any:
    """An entry of TrainingRecordHook, None where other software wrote another."""
    found = meta.get(name)
    right = isinstance(found, Mapping) and {*fields} <= found.keys()
    return found if right else None


def _or_none(function: Any, value: Any) -> Any:
    """What a function finds, None where it says why it finds nothing."""
    try:
        return function(value)
    except (TypeError, ValueError):
        return None
