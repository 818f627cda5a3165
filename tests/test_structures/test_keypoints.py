"""COCO's keypoints: their order, their mirror images, and what counts as missing."""

import numpy as np
import pytest

from mmpar.structures import COCO_FLIP_ORDER, COCO_KEYPOINTS
from mmpar.structures.keypoints import (
    check_visibility,
    drop_outside,
    keypoints_inside,
    scores_to_visibility,
)


def test_each_keypoint_mirrors_the_one_of_the_other_side():
    swapped = [
        name.replace("left", "?").replace("right", "left").replace("?", "right")
        for name in COCO_KEYPOINTS
    ]
    assert [COCO_KEYPOINTS[i] for i in COCO_FLIP_ORDER] == swapped
    assert len(set(COCO_KEYPOINTS)) == 17


def test_the_image_is_half_open():
    points = np.array(
        [[0, 0, 0], [29.9, 79.9, 1], [30, 5, 1], [5, 80, 1], [-0.1, 5, 1]]
    )
    inside = keypoints_inside(points, width=30, height=80)
    assert inside.tolist() == [True, True, False, False, False]
    assert not keypoints_inside(np.full((1, 3), np.nan), 30, 80).any()


def test_keypoints_outside_their_image_are_dropped_and_counted():
    values = np.zeros((2, 17, 3), np.float32)
    values[:, 0] = (29.9, 0, 0.5)  # inside the first only
    values[:, 1] = (5, 80, 0.5)  # below the first
    values[:, 2] = (-0.1, 5, 0.5)
    values[0, 3] = (500, 500, 0)  # missing already
    width, height = np.array([(30, 80), (29, 90)]).T[..., None]
    assert drop_outside(values, width, height) == 4
    assert values[..., 2].nonzero()[0].tolist() == [0, 1]
    np.testing.assert_array_equal(values[0, 0], np.float32((29.9, 0, 0.5)))
    np.testing.assert_array_equal(values[1, 1], np.float32((5, 80, 0.5)))
    assert not values[:, 2].any()


def test_scores_below_the_threshold_are_missing_and_counted():
    scores = np.random.default_rng(0).uniform(-0.2, 1.1, (3, 17, 3)).astype(np.float32)
    values = scores.copy()
    values[0, 0] = (4, 5, 0)  # missing already, so not counted
    low = (values[..., 2] > 0) & (values[..., 2] < 0.3)
    expected = np.concatenate([values[..., :2], np.ones_like(values[..., 2:])], -1)
    expected[values[..., 2] < 0.3] = 0
    assert scores_to_visibility(values, 0.3) == low.sum() > 0
    np.testing.assert_array_equal(values, expected)
    check_visibility(values, "it")
    assert scores_to_visibility(values, 0.3) == 0


@pytest.mark.parametrize("value", [0.5, 2, -1, np.nan])
def test_another_visibility_is_refused(value):
    keypoints = np.zeros((1, 17, 3))
    keypoints[0, 4, 2] = value
    with pytest.raises(ValueError, match=rf"a\.jpg have a visibility of {value}; exp"):
        check_visibility(keypoints, "a.jpg")
