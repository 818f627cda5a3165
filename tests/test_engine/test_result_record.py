"""A test says, on the console and in files, what its numbers come from."""

import json
import logging
import re
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.config import Config

from mmpar.apis.model_files import publish
from mmpar.datasets import PETA, SyntheticPAR
from mmpar.datasets.training_record import record_data
from mmpar.engine import running
from mmpar.engine.hooks.result_record_hook import ResultRecordHook, describe_origin
from mmpar.engine.hooks.seen_persons_hook import seen_shares
from mmpar.evaluation import read_record
from mmpar.evaluation.result_record import record_lines
from mmpar.structures.persons import person_keys
from mmpar.utils.config import add_dump_metric, use_checkpoint
from mmpar.utils.model_file import read_card
from mmpar.version import __version__
from tests.fixtures.peta import write_peta_release


def results_of(config, source, folder, **fields):
    """The record that a test writes, what it dumps, and its log."""
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(fields)
    cfg.work_dir, cfg.launcher = str(folder), "none"
    cfg.experiment_name = str(folder)  # MMEngine keeps one logger for each name
    use_checkpoint(cfg, str(source))
    dump = folder / "out.json"
    cfg.test_evaluator = add_dump_metric(cfg.test_evaluator, str(dump))
    with running(cfg) as runner:
        runner.test()
    (record,) = folder.glob("*/vis_data/record.json")
    (log,) = folder.glob("*/*.log")
    return json.loads(record.read_text()), read_record(dump), log.read_text()


def test_what_a_training_began_with_is_not_what_is_tested_after_it(
    trained_work_dir, tmp_path
):
    work_dir = trained_work_dir("linear")
    cfg = Config.fromfile(work_dir / "linear.py")
    cfg.merge_from_dict({"train_cfg.max_epochs": 1, "work_dir": str(tmp_path)})
    cfg.load_from = str(next(work_dir.glob("best_*.pth")))
    cfg.launcher, cfg.experiment_name = "none", str(tmp_path)
    with running(cfg) as runner:
        runner.train()
        runner.test()
    (record,) = tmp_path.glob("*/vis_data/record.json")
    assert json.loads(record.read_text())["checkpoint"] is None


def test_a_checkpoint_and_its_published_model_have_one_record(
    trained_work_dir, tmp_path
):
    work_dir = trained_work_dir("linear")
    config, best = work_dir / "linear.py", next(work_dir.glob("best_*.pth"))
    record, dumped, log = results_of(config, best, tmp_path / "a")
    assert record.pop("metrics")["par/mA"] > 0
    assert dumped == record
    for line in record_lines(record):
        assert line in log

    assert record["protocol"] == "val-selected"
    assert record["config"]["file"] == str(config)
    assert "num_samples=4" in record["config"]["text"]
    assert record["data"] == record_data(SyntheticPAR(num_samples=4, split="test"))
    assert record["persons"] is None
    assert record["software"]["mmpar"] == __version__

    model = publish(work_dir, tmp_path, say=str)
    card = read_card(model)
    assert record["checkpoint"] == dict(
        file=best.name,
        weights_sha256=card.weights_sha256,
        protocol="val-selected",
        chosen_by={n: card.chosen_by[n] for n in ("metric", "split", "value")},
        training_data=card.training_data,
    )
    assert card.protocol == "val-selected"
    published, _, _ = results_of(config, model, tmp_path / "b")
    for name in ("weights_sha256", "protocol", "training_data"):
        assert published["checkpoint"][name] == record["checkpoint"][name]


def test_a_checkpoint_of_another_protocol_is_a_warning(trained_work_dir, tmp_path):
    work_dir = trained_work_dir("linear")
    best = next(work_dir.glob("best_*.pth"))
    fields = {"val_dataloader.dataset.split": "test", "protocol": "paper"}
    record, _, log = results_of(work_dir / "linear.py", best, tmp_path, **fields)
    assert record["protocol"] == "paper"
    assert record["checkpoint"]["protocol"] == "val-selected"
    (warning,) = re.findall(r"WARNING - (.* protocol .*)", log)
    assert "val-selected, but the data of this config make the result paper" in warning


def test_a_metric_that_is_not_defined_is_null(tmp_path):
    (tmp_path / "vis_data").mkdir()
    hook = ResultRecordHook()
    hook.record = dict(protocol=None)
    runner = SimpleNamespace(log_dir=str(tmp_path), logger=logging.getLogger("test"))
    hook.after_test_epoch(runner, {"mA": np.float64("nan"), "f1": np.float32(0.5)})
    text = (tmp_path / "vis_data/record.json").read_text()
    found = json.loads(text, parse_constant=pytest.fail)  # NaN is none of JSON's
    assert found == dict(metrics=dict(mA=None, f1=0.5), protocol=None)


def test_what_other_software_writes_under_the_same_names_is_unknown():
    meta = dict(cfg=3, chosen_by="the best", training_data=dict(images=9))
    unknown = dict(protocol=None, chosen_by=None, training_data=None)
    for checkpoint in (dict(meta=meta), dict(meta=None), {}):
        assert describe_origin(checkpoint) == unknown


def test_the_shares_of_persons_are_of_images(tmp_path):
    test = PETA(data_root=str(write_peta_release(tmp_path / "peta", 40)), split="test")
    persons = person_keys(test.table.columns["person_id"].tolist())
    seen = frozenset(sorted({*persons} - {""})[::2])
    shares = seen_shares(seen, test)
    assert shares["seen"] == sum(p in seen for p in persons) / len(persons)
    assert 0 < shares["seen"] < 1
    assert shares["unknown"] == persons.count("") / len(persons)
    assert sum(shares.values()) == pytest.approx(1)


def test_what_a_record_does_not_say_is_unknown():
    assert record_lines({}) == ["protocol, config, checkpoint and data: unknown"]
    lines = dict(line.split(": ", 1) for line in record_lines(dict(protocol="new")))
    assert lines.pop("protocol") == "new"
    assert {*lines} == {"config", "checkpoint", "data", "persons", "software"}
    assert all("unknown" in line for line in lines.values())


def test_seen_persons_are_told_in_percent_of_the_images():
    lines = record_lines(dict(persons=dict(seen=0.577, unseen=0.423, unknown=0.0)))
    assert "persons: of the images, 57.7 % seen, 42.3 % unseen" in lines
