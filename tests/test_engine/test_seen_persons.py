"""A test learns from the config's training data which persons the model has seen."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpar.datasets import PETA, SyntheticPAR
from mmpar.engine import SeenPersonsHook
from mmpar.engine.hooks.seen_persons_hook import seen_persons
from mmpar.evaluation import PARMetric
from mmpar.structures.persons import person_keys
from tests.fixtures.peta import write_peta_release


@pytest.fixture
def root(tmp_path):
    init_default_scope("mmpar")
    return str(write_peta_release(tmp_path / "peta", 40))


def config(root, **train):
    data = dict(type="PETA", data_root=root)
    return Config(
        dict(
            train_dataloader=dict(dataset=dict(data, split="train", **train)),
            val_dataloader=dict(dataset=dict(data, split="val")),
        )
    )


def persons_of(root, *splits):
    datasets = (PETA(data_root=root, split=split) for split in splits)
    return {p for d in datasets for p in person_keys(d.table.columns["person_id"])}


def test_they_are_those_of_train_and_val(root):
    test = PETA(data_root=root, split="test")
    found = seen_persons(config(root), test)
    assert found == persons_of(root, "train", "val")
    assert len(found & persons_of(root, "test")) > 0
    only_train = config(root)
    only_train.val_dataloader = None
    assert seen_persons(only_train, test) == persons_of(root, "train")


def test_a_wrapped_dataset_is_looked_into(root):
    cfg = config(root)
    cfg.train_dataloader.dataset = dict(
        type="RepeatDataset", times=2, dataset=cfg.train_dataloader.dataset
    )
    test = PETA(data_root=root, split="test")
    assert seen_persons(cfg, test) == persons_of(root, "train", "val")


@pytest.mark.parametrize("case", ["other folder", "joined", "no persons", "no data"])
def test_what_cannot_be_compared_is_a_line_of_the_log_and_no_number(root, case):
    cfg, test = config(root), PETA(data_root=root, split="test")
    if case == "other folder":
        cfg = config(str(write_peta_release(Path(f"{root}2"), 40)))
    elif case == "joined":
        one = cfg.train_dataloader.dataset
        cfg.train_dataloader.dataset = dict(type="JointDataset", datasets=[one, one])
    elif case == "no persons":
        test = SyntheticPAR(num_samples=3, split="test")
    else:
        cfg.train_dataloader = cfg.val_dataloader = None
    metric, said = PARMetric(), []
    runner = SimpleNamespace(
        cfg=cfg,
        test_dataloader=SimpleNamespace(dataset=test),
        test_loop=SimpleNamespace(evaluator=SimpleNamespace(metrics=[metric])),
        logger=SimpleNamespace(info=lambda *args: said.append(args[0] % args[1:])),
    )
    SeenPersonsHook().before_test(runner)
    assert metric.seen_persons is None
    (line,) = said
    assert "not told apart" in line
