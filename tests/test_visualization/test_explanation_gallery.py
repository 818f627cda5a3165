"""The gallery shows the persons and attributes that have most to show."""

import torch
from mmpretrain.structures import DataSample

from mmpar.visualization.explanation_gallery import select_rows

SMALL, LARGE, NONE = [2, 2, 8, 8], [0, 0, 20, 40], [float("nan")] * 4


def person(labels, scores, truth=None):
    sample = DataSample(metainfo=dict(img_shape=(40, 20)))
    sample.set_field(torch.tensor(scores), "pred_score")
    if labels is not None:
        sample.set_field(torch.tensor(labels, dtype=torch.float32), "gt_score")
    if truth is not None:
        boxes = torch.tensor(truth, dtype=torch.float32)
        sample.set_field(boxes, "gt_attribute_boxes")
    return sample


def shown(persons, num_persons=5, num_attributes=2):
    return [row[1] for row in select_rows(persons, num_persons, num_attributes)]


def test_without_true_boxes_what_is_present_is_shown_then_the_highest_scores():
    one = person([0, 1, -1, 0], [0.2, 0.1, 0.3, 0.9])
    assert shown([one]) == [[1, 3]]
    assert shown([one], num_attributes=3) == [[1, 2, 3]]
    assert shown([one], num_attributes=9) == [[0, 1, 2, 3]]
    assert shown([person(None, [0.2, 0.1, 0.3, 0.9])]) == [[2, 3]]


def test_what_was_shown_least_comes_first_among_what_is_present():
    three = person([1, 1, 1], [0.9, 0.8, 0.7])
    assert shown([three] * 3, num_attributes=1) == [[0], [1], [2]]
    assert shown([three] * 3, num_persons=2, num_attributes=1) == [[0], [1]]


def test_with_true_boxes_persons_with_enough_small_ones_are_shown():
    few = person([1, 1, 1], [0.9] * 3, [SMALL, LARGE, NONE])
    many = person([1, 1, 1], [0.1] * 3, [LARGE, SMALL, SMALL])
    absent = person([0, 1, 1], [0.9] * 3, [SMALL, SMALL, NONE])
    assert select_rows([few, many, absent], 5, 2) == [(1, [1, 2])]
    assert shown([few]) == []
