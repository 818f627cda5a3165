"""The gallery shows the persons and attributes that have most to show."""

import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample
from PIL import Image

from mmpar.visualization.explanation_gallery import (
    ExplainedPerson,
    chosen_rows,
    draw_gallery,
)

IMAGE = np.full((40, 20, 3), 200, np.uint8)
SMALL, LARGE, NONE = [2, 2, 8, 8], [0, 0, 20, 40], [np.nan] * 4


def person(labels, scores, truth=None):
    count = len(labels)
    return ExplainedPerson(
        IMAGE,
        np.array(labels),
        np.array(scores),
        np.random.default_rng(0).random((count, 40, 20)),
        np.full((count, 4), SMALL, float),
        None if truth is None else np.array(truth, float),
    )


def shown(persons, num_persons=5, num_attributes=2):
    return [row[1] for row in chosen_rows(persons, num_persons, num_attributes)]


def test_without_true_boxes_what_is_present_is_shown_then_the_highest_scores():
    one = person([0, 1, -1, 0], [0.2, 0.1, 0.3, 0.9])
    assert shown([one]) == [[1, 3]]
    assert shown([one], num_attributes=3) == [[1, 2, 3]]
    assert shown([one], num_attributes=9) == [[0, 1, 2, 3]]


def test_what_was_shown_least_comes_first_among_what_is_present():
    three = person([1, 1, 1], [0.9, 0.8, 0.7])
    assert shown([three] * 3, num_attributes=1) == [[0], [1], [2]]
    assert shown([three] * 3, num_persons=2, num_attributes=1) == [[0], [1]]


def test_with_true_boxes_persons_with_enough_small_ones_are_shown():
    few = person([1, 1, 1], [0.9] * 3, [SMALL, LARGE, NONE])
    many = person([1, 1, 1], [0.1] * 3, [LARGE, SMALL, SMALL])
    assert shown([few, many]) == [[1, 2]]
    assert shown([few]) == []


def sample(**fields):
    made = DataSample()
    made.set_field(torch.tensor([0.25, 0.75]), "pred_score")
    for name, value in fields.items():
        made.set_field(value, name)
    return made


def test_a_person_has_true_boxes_only_of_what_is_present():
    boxes = torch.tensor([SMALL, SMALL], dtype=torch.float32)
    found = ExplainedPerson.of(
        IMAGE,
        sample(
            gt_score=torch.tensor([1.0, 0.0]),
            gt_attribute_boxes=boxes,
            pred_attribute_boxes=boxes,
        ),
        0.2,
    )
    assert found.labels.tolist() == [1, 0]
    assert np.isnan(found.truth).any(axis=1).tolist() == [False, True]


def test_a_person_without_labels_and_boxes_has_the_predicted_ones():
    maps = torch.zeros(2, 40, 20)
    maps[0, 10:20, 5:9] = 1
    found = ExplainedPerson.of(IMAGE, sample(pred_attribute_maps=maps), 0.2)
    assert found.truth is None
    assert found.labels.tolist() == [-1, -1]
    assert found.boxes[0].tolist() == [5, 10, 9, 20]
    assert np.isnan(found.boxes[1]).all()


@pytest.mark.parametrize("truth", [None, [SMALL, NONE, LARGE]])
def test_it_is_drawn_with_and_without_true_boxes(tmp_path, truth):
    one = person([1, -1, 0], [0.9, 0.5, 0.1], truth)
    draw_gallery([(one, [0, 1])], ["H\u00fct", "Bag", "Boots"], tmp_path / "new/g.png")
    pixels = np.asarray(Image.open(tmp_path / "new/g.png").convert("RGB")).astype(int)
    lime = (pixels[..., 1] > 200) & (pixels[..., 0] < 60) & (pixels[..., 2] < 60)
    assert lime.any() == (truth is not None)
