"""A model is tested by another dataset's attributes, as far as it answers them."""

import csv
import re

import cv2
import numpy as np
import pytest

from mmpar.datasets import SyntheticPAR
from mmpar.evaluation import read_dump
from tests.fixtures.trained import train_once
from tests.test_tools.run import call_tool, options, run_tool

# Female, the ages and the bags of PA-100K, in other words.
MEANINGS = {
    "man": "gender: male",
    "adult": "age: 18-30, 31-45, 46-60",
    "bag": "carrying: backpack, shoulder bag, handbag",
    "hat": "accessory: hat",
    "scarf": "accessory: scarf",  # of which PA-100K knows nothing
}
NUMBER = 24

CONFIG = """
test_dataloader = dict(
    dataset=dict(
        type="AttributeListDataset",
        data_root={root!r},
        ann_file="labels.csv",
        schema=dict(names={names!r}, title="other", meanings={meanings!r}),
        pipeline=[dict(type="LoadPersonImage"), dict(type="PackPARInputs")],
    )
)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cross")


@pytest.fixture(scope="module")
def work_dir(folder):
    return train_once("linear", folder)


@pytest.fixture(scope="module")
def other(folder):
    """The config of the other dataset: the same drawn persons, saved as images."""
    root = folder / "other"
    root.mkdir()
    persons = SyntheticPAR(
        split="test", num_samples=NUMBER, pipeline=[dict(type="DrawSyntheticPerson")]
    )
    rows = [["path", *MEANINGS]]
    for index, person in enumerate(persons):
        cv2.imwrite(str(root / f"{index:02}.png"), person["img"])
        own = dict(zip(persons.schema.names, person["gt_score"].astype(int)))
        bag = own["HandBag"] | own["ShoulderBag"] | own["Backpack"]
        labels = (1 - own["Female"], own["Age18-60"], bag, own["Hat"], -1)
        rows.append([f"{index:02}.png", *labels])
    with (root / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    config = root / "config.py"
    fields = dict(root=str(root), names=[*MEANINGS], meanings=MEANINGS)
    config.write_text(CONFIG.format(**fields))
    return config


def test_scores_decisions_and_metrics_are_those_worked_out_by_hand(
    folder, work_dir, other
):
    config = folder / "linear.py"
    run_tool(
        *("test.py", config, work_dir, "--out", "own.json"),
        *options(f"test_dataloader.dataset.num_samples={NUMBER}"),
        cwd=folder,
    )
    words = ("--cross-dataset", other, "--out", "cross.json")
    output = run_tool("test.py", config, work_dir, *words, cwd=folder)
    assert "The model answers 4 of 5 attributes" in output
    assert "man = not Female" in output
    assert "bag = HandBag or ShoulderBag or Backpack" in output
    assert "It does not answer: scarf" in output

    own_schema, own = read_dump(folder / "own.json")
    schema, found = read_dump(folder / "cross.json")
    assert schema.names == ("man", "adult", "bag", "hat")
    assert found.labels.shape == (NUMBER, 4)
    p = {name: own.scores[:, i] for i, name in enumerate(own_schema.names)}
    d = {name: own.decisions[:, i] for i, name in enumerate(own_schema.names)}
    y = {name: own.labels[:, i] for i, name in enumerate(own_schema.names)}
    none = (1 - p["HandBag"]) * (1 - p["ShoulderBag"]) * (1 - p["Backpack"])
    scores = (1 - p["Female"], p["Age18-60"], 1 - none, p["Hat"])
    np.testing.assert_allclose(found.scores, np.stack(scores, axis=1), atol=1e-5)
    some = d["HandBag"] | d["ShoulderBag"] | d["Backpack"] | (none < 0.5)
    decided = np.stack([~d["Female"], d["Age18-60"], some, d["Hat"]], axis=1)
    np.testing.assert_array_equal(found.decisions, decided)
    bag = y["HandBag"] | y["ShoulderBag"] | y["Backpack"]
    truth = np.stack([1 - y["Female"], y["Age18-60"], bag, y["Hat"]], axis=1)
    np.testing.assert_array_equal(found.labels, truth)
    assert (truth.min(axis=0) == 0).all()
    assert (truth.max(axis=0) == 1).all()
    recalls = [
        (decided[truth[:, a] == value, a] == value).mean()
        for a in range(4)
        for value in (0, 1)
    ]
    (mean_accuracy,) = re.findall(r"par/mA: ([\d.]+)", output)
    assert float(mean_accuracy) == pytest.approx(100 * np.mean(recalls), abs=1e-3)


def test_data_of_which_nothing_can_be_answered_is_refused(folder, work_dir, other):
    config = other.with_name("strange.py")
    fields = dict(names=[*MEANINGS], meanings={"scarf": MEANINGS["scarf"]})
    config.write_text(CONFIG.format(root=str(other.parent), **fields))
    words = (folder / "linear.py", work_dir, "--cross-dataset", config)
    status, output = call_tool("test.py", *words, cwd=folder)
    assert status != 0
    assert "answers no attribute of 'other'" in output


def test_a_config_without_test_data_is_refused(folder, work_dir, other):
    config = other.with_name("empty.py")
    config.write_text("x = 1\n")
    words = (folder / "linear.py", work_dir, "--cross-dataset", config)
    status, output = call_tool("test.py", *words, cwd=folder)
    assert status != 0
    assert f"{config} has no test_dataloader.dataset.pipeline" in output
