"""Tells a test which persons the model has seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.hooks import Hook

from mmpar.datasets.base import PARDataset
from mmpar.datasets.training_record import parts_of
from mmpar.evaluation.predictions import SeenPersons
from mmpar.registry import DATASETS, HOOKS
from mmpar.structures.persons import person_keys


@HOOKS.register_module()
class SeenPersonsHook(Hook):
    """Have a test report persons apart that the model was trained on or chosen by.

    They are those of the config's training and validation data, whose annotations are
    read without looking for images. Where persons cannot be compared, a line of the log
    says why: a person's number means nothing in another dataset.
    """

    def before_test(self, runner: Any) -> None:
        """Hand the persons to the metrics that take them."""
        metrics = [
            metric
            for metric in runner.test_loop.evaluator.metrics
            if isinstance(metric, SeenPersons)
        ]
        if not metrics:
            return
        try:
            seen = seen_persons(runner.cfg, runner.test_dataloader.dataset)
        except (ValueError, TypeError, FileNotFoundError) as error:
            seen = None
            runner.logger.info("Seen and unseen persons are not told apart: %s", error)
        for metric in metrics:
            metric.seen_persons = seen


def seen_persons(cfg: Config, test: Any) -> frozenset[str]:
    """Persons of the training and validation data of a config.

    Args:
        cfg: With ``train_dataloader`` and ``val_dataloader``, or None for one of them.
        test: The dataset that is tested.

    Returns:
        Their keys, see :func:`mmpar.structures.persons.person_keys`.

    Raises:
        ValueError: Persons are not named, or are those of another dataset.
        TypeError: See :func:`mmpar.datasets.training_record.parts_of`.
        FileNotFoundError: An annotation is missing.
    """
    test, _ = _with_persons(test, "the test data")
    seen: set[str] = set()
    for name in ("train_dataloader", "val_dataloader"):
        loader = cfg.get(name)
        if loader is None:
            continue
        built = DATASETS.build(_without_images(loader["dataset"], name))
        data, persons = _with_persons(built, f"{name}.dataset")
        if type(data) is not type(test) or data.data_root != test.data_root:
            raise ValueError(
                f"{name}.dataset is {type(data).__name__} in {data.data_root!r}, the "
                f"test data {type(test).__name__} in {test.data_root!r}, whose persons "
                "have names of their own"
            )
        seen.update(person_keys(persons.tolist()))
    seen.discard("")
    if not seen:
        raise ValueError("the config has no training data that names persons")
    return frozenset(seen)


def seen_shares(seen: frozenset[str], test: Any) -> dict[str, float]:
    """Which part of the images of a dataset shows persons that were seen.

    Args:
        seen: Of :func:`seen_persons`.
        test: The dataset that is tested.

    Returns:
        Shares of ``seen``, ``unseen`` and ``unknown`` persons, which add up to 1.
    """
    _, persons = _with_persons(test, "the test data")
    groups = [
        "unknown" if not key else "seen" if key in seen else "unseen"
        for key in person_keys(persons.tolist())
    ]
    names = ("seen", "unseen", "unknown")
    return {name: groups.count(name) / len(groups) for name in names}


def _without_images(cfg: Any, name: str) -> Any:
    """The config of a dataset, also of a wrapped one, that looks for no image."""
    cfg = dict(cfg)
    if "dataset" in cfg:
        return dict(cfg, dataset=_without_images(cfg["dataset"], name))
    if "datasets" in cfg:
        raise ValueError(f"{name}.dataset is a {cfg['type']}, joined of several")
    return dict(cfg, missing_images="ignore", pipeline=[], keypoints=None)


def _with_persons(dataset: Any, what: str) -> tuple[PARDataset, np.ndarray]:
    """The one dataset that another is made of, and the persons of rows that count."""
    (data, table), *more = parts_of(dataset)
    if more:
        raise ValueError(f"{what} is a {type(dataset).__name__}, joined of several")
    if "person_id" not in table.columns:
        raise ValueError(f"{what}, {data.display_name}, names no persons")
    return data, table.columns["person_id"]
