"""A training says what it trains on what, and never trains nothing."""

import logging
import sys

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.hooks import Hook
from PIL import Image
from torch.utils.data import DataLoader

from mmpar.engine import build_runner
from mmpar.engine.hooks.training_report_hook import (
    describe_rarest_attribute,
    find_label_issues,
    measure_epoch,
)
from mmpar.evaluation.tables import log_table
from tests.test_engine.tiny_training import RisingMetric, log_of, tiny_config, train

NAMES = ["Hat", "Boots"]


class Images(torch.utils.data.Dataset):
    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return index


def loader(count, batch_size, drop_last=True, sampler=DefaultSampler):
    images = Images(count)
    return DataLoader(
        images, batch_size, sampler=sampler(images, shuffle=False), drop_last=drop_last
    )


def of_two_processes(monkeypatch):
    monkeypatch.setattr(
        "mmpar.engine.hooks.training_report_hook.get_world_size", lambda: 2
    )
    monkeypatch.setattr(
        "mmengine.dataset.sampler.get_dist_info", lambda: (0, 2), raising=True
    )


def test_too_few_images_for_one_batch_is_an_error_with_the_ways_out():
    with pytest.raises(
        ValueError,
        match=r"24 images on 1 process.*batch_size=64.*at most 24.*drop_last=False",
    ):
        measure_epoch(loader(24, 64))


def test_images_that_fill_a_batch_on_one_process_may_not_on_two(monkeypatch):
    assert measure_epoch(loader(24, 16)).batches == 1
    of_two_processes(monkeypatch)
    with pytest.raises(ValueError, match=r"24 images on 2 process.*are 12 for each"):
        measure_epoch(loader(24, 16))


@pytest.mark.parametrize(
    ("count", "batch_size", "drop_last", "batches", "left_out"),
    [(24, 16, True, 1, 8), (24, 16, False, 2, 0), (32, 16, True, 2, 0)],
)
def test_the_report_counts_batches_and_images_left_out(
    count, batch_size, drop_last, batches, left_out
):
    data = loader(count, batch_size, drop_last)
    epoch = measure_epoch(data)
    seen = [int(index) for batch in data for index in batch]
    assert (epoch.batches, epoch.left_out) == (batches, left_out)
    assert (len(data), count - len(set(seen))) == (batches, left_out)


def test_two_processes_leave_out_what_both_do(monkeypatch):
    of_two_processes(monkeypatch)
    epoch = measure_epoch(loader(45, 10))
    assert (epoch.batches, epoch.left_out) == (2, 5)
    assert "2 batches of 10 per epoch on 2 processes" in str(epoch)


def test_an_endless_sampler_fills_each_batch():
    measure_epoch(loader(4, 16, sampler=InfiniteSampler))


@pytest.mark.parametrize("by_epoch", [True, False])
def test_a_training_of_nothing_stops_before_schedules_are_converted(tmp_path, by_epoch):
    cfg = tiny_config(tmp_path)
    cfg.train_dataloader.update(batch_size=64, drop_last=True)
    cfg.param_scheduler = dict(
        type="LinearLR", by_epoch=True, end=1, convert_to_iter_based=True
    )
    if not by_epoch:
        cfg.train_cfg = dict(by_epoch=False, max_iters=3, val_interval=2)
    with pytest.raises(ValueError, match="nothing to train on: 4 images"):
        train(cfg)


def test_the_rarest_attribute_is_one_with_known_labels():
    told = describe_rarest_attribute(
        np.array([0, 3, 2]), np.array([0, 9, 9]), ["a", "b", "c"]
    )
    assert told == "rarest c: 2 positives"


def test_labels_of_one_kind_are_named_with_the_likely_cause():
    assert find_label_issues(np.array([3, 2]), np.array([9, 9]), NAMES) == []
    (told,) = find_label_issues(np.array([3, 0]), np.array([3, 7]), NAMES)
    assert "Hat: no known negative among 3" in told
    assert "Boots: no positive among 7" in told
    assert "label_map={-1: 0}" in told
    (told,) = find_label_issues(np.array([1, 0]), np.array([3, 0]), NAMES)
    assert "no training image has a known label of Boots" in told


def listed(rows, folder):
    """The config of a training on a CSV list of drawn noise; labels are ``rows``."""
    lines = [f"{i}.png,{','.join(map(str, row))}" for i, row in enumerate(rows)]
    (folder / "list.csv").write_text("path,Hat,Boots\n" + "\n".join(lines))
    for i in range(len(rows)):
        Image.new("RGB", (64, 64), (i, i, i)).save(folder / f"{i}.png")
    cfg = tiny_config(folder / "run", epochs=1)
    cfg.model = dict(
        type="mmpretrain.ImageClassifier",
        data_preprocessor=dict(
            type="mmpretrain.ClsDataPreprocessor", mean=[0] * 3, std=[255] * 3
        ),
        backbone=dict(type="mmpretrain.MobileNetV2", widen_factor=0.1),
        neck=dict(type="mmpretrain.GlobalAveragePooling"),
        head=dict(type="LinearPARHead", in_channels=1280, schema=dict(names=NAMES)),
    )
    cfg.train_dataloader.dataset = dict(
        type="AttributeListDataset",
        data_root=str(folder),
        ann_file="list.csv",
        pipeline=[dict(type="LoadPersonImage"), dict(type="PackPARInputs")],
    )
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint = None
    cfg.default_hooks.training_report = dict(type="TrainingReportHook")
    cfg.default_hooks.ratios = dict(type="PositiveRatioHook")
    return cfg


def test_an_attribute_without_a_positive_or_a_label_is_one_line_of_the_log(
    tmp_path, recwarn
):
    log = log_of(train(listed([(0, -1)] * 4, tmp_path)))
    assert log.count("Hat: no positive among 4 known labels") == 1
    assert log.count("no training image has a known label of Boots") == 1
    assert not [one for one in recwarn if "known label" in str(one.message)]


@pytest.mark.parametrize("absent", [-1, 0])
def test_the_report_and_its_warning_are_in_the_log_file(tmp_path, absent):
    rows = [(1, absent), (absent, 1), (1, 1), (1, 1)]
    cfg = listed(rows, tmp_path)
    cfg.protocol = "fixed-schedule"
    cfg.test_dataloader.dataset = dict(type="AttributeListDataset", ann_file="b.csv")
    log = log_of(train(cfg))
    assert "Protocol fixed-schedule: the last checkpoint, chosen by nothing" in log
    assert "MobileNetV2, GlobalAveragePooling, LinearPARHead (" in log
    assert "AttributeListDataset: 4 images, 2 attributes (rarest " in log
    assert ("no known negative among 3 labels" in log) == (absent == -1)


def test_the_console_has_no_environment_and_no_config_and_the_file_has_both(
    tmp_path, capfd
):
    runner = train(tiny_config(tmp_path, epochs=1))
    told, log = "".join(capfd.readouterr()), log_of(runner)
    for text in (
        "System environment:",
        "Config:\n",
        "Hooks will be executed",
        "Exp name",
        "SyncBN",
    ):
        assert text in log
        assert text not in told
    assert "Epoch(train)" in told
    assert "Epoch(train)" in log
    assert len(told.splitlines()) < 40


@pytest.mark.parametrize("name", ["progress", "timer", "loaded_weights"])
def test_any_default_hook_can_be_left_out_but_those_that_check(tmp_path, name):
    cfg = tiny_config(tmp_path, epochs=1)
    cfg.default_hooks[name] = None
    hooks = {type(hook).__name__ for hook in build_runner(cfg).hooks}
    assert "IterTimerHook" in hooks or name == "timer"
    assert {"LoadedWeightsHook", "ResumeHook", "RuntimeInfoHook"} <= hooks


class Terminal:
    """An output stream that says it is a terminal."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def isatty(self):
        return True


@pytest.mark.parametrize("terminal", [True, False])
def test_images_per_second_are_logged_and_a_terminal_gets_a_bar(
    tmp_path, monkeypatch, terminal, capsys
):
    cfg = tiny_config(tmp_path, epochs=1)
    cfg.default_hooks.progress = dict(type="ProgressHook")
    cfg.default_hooks.logger = dict(type="LoggerHook", interval=1)
    if terminal:
        monkeypatch.setattr(sys, "stdout", Terminal())
    runner = build_runner(cfg)
    runner.train()
    assert "images_per_s: " in log_of(runner)
    if terminal:
        assert "2/2" in sys.stdout.text
        assert "training" in sys.stdout.text
    handlers = [h for h in runner.logger.handlers if type(h) is logging.StreamHandler]
    assert not any("FileProxy" in type(h.stream).__name__ for h in handlers)


class Fails(Hook):
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        raise KeyboardInterrupt


def test_a_training_that_breaks_off_gives_the_terminal_its_cursor_back(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("TERM", "xterm")
    cfg = tiny_config(tmp_path, epochs=1)
    cfg.default_hooks.progress = dict(type="ProgressHook")
    monkeypatch.setattr(sys, "stdout", Terminal())
    runner = build_runner(cfg)
    runner.register_hook(Fails())
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    hidden, shown = "\x1b[?25l", "\x1b[?25h"
    assert hidden in sys.stdout.text
    assert sys.stdout.text.rindex(shown) > sys.stdout.text.rindex(hidden)


@pytest.mark.parametrize("training", [True, False])
def test_the_console_has_the_tables_of_a_test_but_not_of_each_epoch(
    tmp_path, capfd, monkeypatch, training
):
    monkeypatch.setattr(
        RisingMetric, "evaluate", lambda *_: log_table("a table") or dict(score=1)
    )
    runner = build_runner(tiny_config(tmp_path, epochs=1))
    runner.train() if training else runner.test()
    assert ("a table" in "".join(capfd.readouterr())) != training
    assert "a table" in log_of(runner)


def test_an_attribute_without_a_known_label_is_told_of_once(tmp_path, recwarn):
    log = log_of(train(listed([(1, -1), (0, -1), (1, -1), (0, -1)], tmp_path)))
    assert log.count("known label of Boots") == 1
    assert not [w for w in recwarn if "known label" in str(w.message)]
