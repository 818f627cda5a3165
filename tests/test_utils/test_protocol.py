"""A config follows the protocol that it names, or a run refuses it."""

import pytest
from mmengine.config import Config

from mmpar.utils.config import check_config
from mmpar.utils.protocol import find_protocol, protocol_of_checkpoint


def config(train="train", val="val", test="test", **fields):
    """A config of PETA; a split may be the dict of a dataset instead."""
    loaders = {}
    for name, split in dict(train=train, val=val, test=test).items():
        data = split if isinstance(split, dict) else peta(split)
        loaders[f"{name}_dataloader"] = None if split is None else dict(dataset=data)
    return Config({**loaders, **fields})


def peta(split, **fields):
    return dict(type="PETA", data_root="data/peta/", split=split, **fields)


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        (dict(), "val-selected"),
        (dict(test=None), "val-selected"),
        (dict(val=None), "fixed-schedule"),
        (dict(train="trainval", val=None), "fixed-schedule"),
        (dict(train="trainval", val="test"), "paper"),
        (dict(val="test"), "paper"),
        (dict(test="val"), "paper"),
        (dict(val=peta("test", pipeline=[1], test_mode=True)), "paper"),
        (dict(val=dict(peta("test"), data_root="./data/peta")), "paper"),
        (dict(val=dict(peta("test"), type="mmpar.PETA")), "paper"),
        (dict(val=dict(type="JointDataset", datasets=[peta("val"), peta("test")])),)
        + ("paper",),
        (dict(val=peta("test", partition=1)), "val-selected"),
        (dict(val=dict(peta("test"), type="RAPv1")), "val-selected"),
    ],
)
def test_it_is_seen_in_what_the_loaders_read(splits, expected):
    assert find_protocol(config(**splits)) == expected
    check_config(config(**splits, protocol=expected))


@pytest.mark.parametrize(
    ("splits", "match"),
    [
        (
            dict(train="trainval"),
            "train_dataloader and val_dataloader both read val of",
        ),
        (dict(train="test"), "train_dataloader and test_dataloader both read test of"),
        (
            dict(train=dict(type="RepeatDataset", times=2, dataset=peta("val"))),
            "val_dataloader both read val of PETA",
        ),
        (dict(train=peta("")), "test_dataloader both read test of PETA"),
        (
            dict(train=peta("train", indices=[0, 1]), val=peta("train")),
            "val_dataloader both read train",
        ),
        (dict(train=None), "no train_dataloader"),
    ],
)
def test_trained_on_what_chooses_or_is_tested_is_no_protocol(splits, match):
    with pytest.raises(ValueError, match=match):
        find_protocol(config(**splits))


def test_other_rows_of_a_split_are_other_images():
    fold, rest = peta("train", indices="fold.txt"), peta("train", indices="rest.txt")
    assert find_protocol(config(train=rest, val=None, test=fold)) == "fixed-schedule"


def test_lists_are_told_apart_by_their_files():
    a, b = (dict(type="AttributeListDataset", ann_file=f"{name}.csv") for name in "ab")
    assert find_protocol(config(a, b, dict(b, ann_file="c.csv"))) == "val-selected"
    assert find_protocol(config(a, b, b)) == "paper"


@pytest.mark.parametrize(
    ("said", "splits", "match"),
    [
        ("val-selected", dict(val="test"), "say protocol='paper'"),
        ("val-selected", dict(train="trainval"), "both read val of PETA. Give other"),
        ("val-selected", dict(val=None), "say protocol='fixed-schedule'"),
        ("paper", dict(), "say protocol='val-selected'"),
        ("fixed-schedule", dict(train="test", val=None), "both read test of PETA"),
        ("honest", dict(), "is one of val-selected, fixed-schedule, paper, or None"),
    ],
)
def test_another_one_than_the_config_names_is_refused(said, splits, match):
    with pytest.raises(ValueError, match=match):
        check_config(config(**splits, protocol=said))


def test_a_config_that_names_none_or_trains_nothing_is_not_judged():
    check_config(config(train="test"))
    check_config(config(train="test", protocol=None))
    check_config(config(train=None, val="test", protocol="val-selected"))


def test_a_checkpoint_has_that_of_the_config_in_it():
    text = config(train="trainval", val="test").pretty_text
    assert protocol_of_checkpoint(dict(cfg=text)) == "paper"
    none = config(train="trainval").pretty_text
    for meta in ({}, dict(cfg=None), dict(cfg="import os"), dict(cfg=none)):
        assert protocol_of_checkpoint(meta) is None
