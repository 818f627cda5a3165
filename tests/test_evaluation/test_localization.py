"""Boxes from maps, IoU and the pointing game equal loops over pixels."""

import math

import numpy as np
import pytest
import torch

from mmpar.evaluation.functional import (
    localization_scores,
    map_peak,
    map_to_box,
)
from tests.oracles.localization import brute_force_box, localization_loops


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.7, 1.0])
def test_box_surrounds_the_largest_connected_part(threshold):
    rng = np.random.default_rng(0)
    for _ in range(20):
        response = rng.random((9, 7)).astype(np.float32)
        found = map_to_box(response, threshold)
        assert found.tolist() == brute_force_box(response, threshold)


def test_a_full_map_gives_the_whole_image_and_a_zero_map_no_box():
    assert map_to_box(np.full((5, 3), 0.1)).tolist() == [0, 0, 3, 5]
    assert np.isnan(map_to_box(np.zeros((5, 3)))).tolist() == [True] * 4
    assert np.isnan(map_peak(np.zeros((5, 3)))).tolist() == [True] * 2


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.1])
def test_thresholds_out_of_range_are_refused(threshold):
    with pytest.raises(ValueError, match=r"\(0, 1\]"):
        map_to_box(np.ones((2, 2)), threshold)


def test_peak_is_the_centre_of_the_largest_pixel():
    response = np.zeros((6, 4))
    response[5, 1] = 1
    assert map_peak(response).tolist() == [1.5, 5.5]


def test_of_equal_peaks_the_nearest_to_the_middle_is_taken():
    """Equal up to rounding; of equally near ones the first in reading order."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        response = rng.choice([0.5, 1 - 1e-4, 1 - 1e-6, 1], (5, 4))
        limit = (1 - 1e-5) * response.max()
        equal = [place for place in np.ndindex(5, 4) if response[place] > limit]
        row, column = min(equal, key=lambda place: math.dist(place, (2, 1.5)))
        assert map_peak(response).tolist() == [column + 0.5, row + 0.5]


def test_of_equally_large_parts_the_first_in_reading_order_is_surrounded():
    response = np.array([[0, 0, 1, 1], [1, 1, 0, 0], [0, 0, 0, 1]])
    assert map_to_box(response).tolist() == [2, 0, 4, 1]


def test_peak_of_a_cell_at_the_border_is_its_centre():
    coarse = torch.zeros(1, 1, 4, 2)
    coarse[..., 0, 1] = 1
    fine = torch.nn.functional.interpolate(coarse, (128, 64), mode="bilinear")
    x, y = map_peak(fine[0, 0].numpy())
    assert abs(x - 48) <= 0.5  # the cell covers columns 32 to 64, rows 0 to 32
    assert abs(y - 16) <= 0.5


def random_case(seed):
    rng = np.random.default_rng(seed)

    def boxes():
        corners = np.sort(rng.integers(0, 7, (12, 5, 2, 2)), axis=2)
        found = corners.reshape(12, 5, 4).astype(np.float32)
        found[rng.random((12, 5)) < 0.2] = np.nan
        return found

    truth, points = boxes(), rng.uniform(0, 6, (12, 5, 2)).astype(np.float32)
    truth[:, 3] = np.nan  # an attribute without true boxes
    truth[1:, 4], truth[0, 4] = np.nan, (0, 0, 2, 3)  # and one with one
    points[rng.random((12, 5)) < 0.1] = np.nan
    predicted, close = boxes(), rng.random((12, 5)) < 0.3
    close[0, 4] = True
    predicted[close] = truth[close] + (0, 0, 0, 1)
    return truth, predicted, points


@pytest.mark.parametrize("seed", range(5))
def test_scores_equal_loops_over_cells(seed):
    case = random_case(seed)
    found = localization_scores(*case)
    columns = (found.count, found.iou, found.above_30, found.above_50, found.pointing)
    np.testing.assert_allclose(columns, localization_loops(*case), rtol=1e-12)
    judged = found.iou[[0, 1, 2, 4]]
    assert found.mean(found.iou) == pytest.approx(judged.mean())


def test_nothing_to_judge_has_no_mean():
    empty = np.full((2, 3, 4), np.nan)
    found = localization_scores(empty, empty, empty[..., :2])
    assert found.count.tolist() == [0, 0, 0]
    assert np.isnan(found.mean(found.iou))


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        localization_scores(np.ones((2, 3, 4)), np.ones((2, 2, 4)), np.ones((2, 3, 2)))
