"""Predictions of every training image by a model that was trained without it."""

from __future__ import annotations

import argparse
import hashlib
import signal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from rich.progress import track

from mmpar.datasets.base import PARDataset
from mmpar.datasets.splitting import assign_folds
from mmpar.datasets.training_record import record_data
from mmpar.evaluation import (
    Predictions,
    read_predictions,
    read_record,
    write_predictions,
)
from mmpar.evaluation.result_record import Record
from mmpar.registry import DATASETS
from mmpar.utils.atomic import write_atomically
from mmpar.utils.config import hash_config, read_config
from mmpar.utils.seed_runs import RunFolder


def cross_validate(args: argparse.Namespace, tools: Path) -> Predictions:
    """Train once per fold, without it, and predict it; write ``args.out``.

    Persons are in one fold each. The last checkpoint predicts: choosing one would need
    images that are neither trained on nor predicted. A finished fold is not repeated.

    Args:
        args: Those of cross_validate.py: ``config``, ``cfg_options``, ``folds``,
            ``work_dir`` and ``out``.
        tools: Folder of train.py and test.py.

    Returns:
        The predictions, in the order of the training set.

    Raises:
        ValueError: The training set is not a single dataset of mmpar's, or has fewer
            persons than there are folds.
        RuntimeError: A training failed, or the work dir holds something else.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the tool that runs
    cfg = read_config(args)
    dataset = _training_set(cfg, args.config)
    fold_of = assign_folds(dataset.table, args.folds)
    parts = []
    asked = dict(config=args.config, cfg_options=args.cfg_options, folds=args.folds)
    for fold in track(range(args.folds), description="folds"):
        folder = Path(args.work_dir) / f"fold{fold}"
        parts.append(_predict_fold(cfg, asked, folder, tools, fold_of == fold))
    order = np.argsort(np.argsort(fold_of, kind="stable"))
    predictions = Predictions.concatenate(parts).select(order)
    write_predictions(
        args.out, predictions, dataset.schema, _record(args, cfg, dataset)
    )
    return predictions


def _record(args: argparse.Namespace, cfg: Config, dataset: PARDataset) -> Record:
    """What the predictions of all folds come from; each fold's file has its own.

    The software is that of the first fold.
    """
    first = read_record(Path(args.work_dir) / "fold0/predictions.json")
    return dict(
        protocol=f"{args.folds}-fold cross-validation, each image by the last "
        "checkpoint of a training without it",
        config=dict(file=args.config, text=cfg.pretty_text),
        data=record_data(dataset),
        software=first.get("software"),
    )


def _training_set(cfg: Config, config: str) -> PARDataset:
    """The dataset of the train loader, without its pipeline."""
    found = dict(cfg.train_dataloader.dataset)
    kind = DATASETS.get(found["type"])
    single = isinstance(kind, type) and issubclass(kind, PARDataset)
    if not single or found.get("indices") is not None:
        raise ValueError(
            f"{config}: train_dataloader.dataset must be one dataset with all its "
            f"samples, such as PETA without indices, to be split into folds, got "
            f"{found['type']} with indices={found.get('indices')}"
        )
    found.update(pipeline=[], lazy_init=False)
    dataset: PARDataset = DATASETS.build(found)
    return dataset


def _predict_fold(
    cfg: Config, asked: dict[str, Any], folder: Path, tools: Path, held_out: np.ndarray
) -> Predictions:
    """Train on all but the held-out rows, a mask, and predict these.

    ``asked`` tells the user what else the folder holds if it is not this.
    """
    run = RunFolder(folder, tools)
    cfg = Config(cfg.to_dict())
    dataset = cfg.train_dataloader.dataset
    pipeline = cfg.test_dataloader.dataset.pipeline
    tested = {**dataset, "pipeline": pipeline, "test_mode": True}
    cfg.train_dataloader.dataset.indices = str(folder / "train_rows.txt")
    rows_file = str(folder / "held_out_rows.txt")
    cfg.test_dataloader.dataset = {**tested, "indices": rows_file}
    rows = hashlib.sha256(np.packbits(held_out).tobytes()).hexdigest()[:8]
    settings = dict(asked, hash=f"{hash_config(cfg)} {rows}")
    run.claim(settings)
    for name, chosen in (("train", ~held_out), ("held_out", held_out)):
        lines = "".join(f"{row}\n" for row in np.flatnonzero(chosen))
        write_atomically(folder / f"{name}_rows.txt", lines)
    cfg.dump(folder / "config.py")
    run.once("predictions", settings, partial(_train_and_predict, run))
    return read_predictions(folder / "predictions.json")


def _train_and_predict(run: RunFolder) -> dict[str, Any]:
    config, work_dir = run.folder / "config.py", ("--work-dir", run.folder)
    run.run_tool("train", "train.py", config, *work_dir, "--resume", "--no-validate")
    out = ("--out", run.folder / "predictions.json")
    run.run_tool("test", "test.py", config, run.folder, *work_dir, *out)
    return {}
