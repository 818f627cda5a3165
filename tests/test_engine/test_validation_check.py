"""Metrics that nobody computes and splits without labels stop a training at once."""

from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.hooks import CheckpointHook

from mmpar.engine import ValidationCheckHook
from mmpar.evaluation import PARMetric


def runner(metrics, known=1, save_best="par/mA", schedulers=None):
    dataset = SimpleNamespace(
        ann_file="val.csv",
        label_counts=lambda sample_weight=None: (np.zeros(2), np.full(2, known)),
    )
    loop = SimpleNamespace(
        evaluator=SimpleNamespace(metrics=metrics),
        dataloader=SimpleNamespace(dataset=dataset),
    )
    best = CheckpointHook(save_best=save_best, rule="greater")
    return SimpleNamespace(val_loop=loop, hooks=[best], param_schedulers=schedulers)


OTHER = SimpleNamespace(prefix="multi-label")


def test_a_metric_that_is_computed_passes():
    ValidationCheckHook().before_train(runner([PARMetric(), OTHER]))
    ValidationCheckHook().before_train(runner([OTHER], save_best="auto"))


def test_save_best_of_a_metric_that_nobody_computes_is_an_error():
    with pytest.raises(
        ValueError, match=r"save_best='par/mA'.*'multi-label'.*type='PARMetric'"
    ):
        ValidationCheckHook().before_train(runner([OTHER]))


@pytest.mark.parametrize("several", [False, True])
def test_a_schedule_that_watches_it_is_an_error_as_well(several):
    plateau = SimpleNamespace(monitor="par/mA")
    schedulers = dict(a=[plateau], b=[]) if several else [plateau]
    with pytest.raises(ValueError, match=r"param_scheduler\.monitor='par/mA'"):
        ValidationCheckHook().before_train(
            runner([OTHER], save_best=None, schedulers=schedulers)
        )


def test_a_validation_split_without_labels_is_an_error():
    with pytest.raises(ValueError, match=r"val\.csv.*no known label.*val_cfg=None"):
        ValidationCheckHook().before_train(runner([PARMetric()], known=0))


def test_without_validation_there_is_nothing_to_check():
    ValidationCheckHook().before_train(SimpleNamespace(val_loop=None))
