"""Box arithmetic equals counting cells of a fine grid."""

import numpy as np
import pytest
import torch

from mmpar.structures.boxes import (
    bound_mask,
    box_area,
    box_iou,
    clip_boxes,
    cover_pixels,
    points_in_boxes,
    round_to_pixels,
    scale_boxes,
    xywh_to_xyxy,
)

NONE = [np.nan] * 4
WIDTH, HEIGHT = 7, 5
FINE = 4
"""Cells per pixel and axis; the random boxes have their edges on this grid."""


def random_boxes(count, seed=0):
    """(count, 4), some outside an image of 7 x 5, some without area, some NaN."""
    rng = np.random.default_rng(seed)
    corners = rng.integers(-3 * FINE, 10 * FINE, (count, 2, 2)) / FINE
    boxes = np.sort(corners, axis=1).reshape(count, 4)
    boxes[rng.random(count) < 0.1] = np.nan
    return boxes


def cells(box, limits=None):
    """Cells of the fine grid that a box, in the limits, consists of."""
    if np.isnan(box).any():
        return set()
    x1, y1, x2, y2 = (round(FINE * float(edge)) for edge in box)
    found = {(x, y) for x in range(x1, x2) for y in range(y1, y2)}
    return found if limits is None else found & cells(limits)


IMAGE = (0, 0, WIDTH, HEIGHT)


def test_clipping_keeps_the_cells_inside_the_image():
    boxes = random_boxes(400)
    clipped = clip_boxes(boxes, WIDTH, HEIGHT)
    for box, found in zip(boxes, clipped):
        assert cells(found) == cells(box, IMAGE)
        assert np.isnan(found).all() == (not cells(box, IMAGE))
    assert 50 < np.isnan(clipped[:, 0]).sum() < 350


def test_clipping_leaves_its_argument_and_its_type():
    boxes = np.array([[-1, 2, 3, 9]], np.float32)
    assert clip_boxes(boxes, WIDTH, HEIGHT).dtype == np.float32
    assert boxes.tolist() == [[-1, 2, 3, 9]]
    assert clip_boxes(boxes[0], WIDTH, HEIGHT).tolist() == [0, 2, 3, 5]


def test_area_and_iou_count_cells():
    boxes, others = random_boxes(300), random_boxes(300, seed=1)
    areas, ious = box_area(boxes), box_iou(boxes, others)
    for box, other, area, iou in zip(boxes, others, areas, ious):
        if np.isnan(box).any():
            assert np.isnan(area)
            assert np.isnan(iou)
            continue
        assert area == len(cells(box)) / FINE**2
        both, either = cells(box) & cells(other), cells(box) | cells(other)
        known = either and not np.isnan(other).any()
        assert iou == pytest.approx(len(both) / len(either) if known else 0)
    assert ious.dtype == np.float64


def test_iou_of_missing_boxes():
    truth = np.array([[0, 0, 2, 2], NONE, [0, 0, 2, 2], NONE, [1, 1, 1, 1]])
    boxes = np.array([[1, 0, 3, 2], [0, 0, 2, 2], NONE, NONE, [1, 1, 1, 1]])
    np.testing.assert_allclose(box_iou(truth, boxes), [1 / 3, np.nan, 0, np.nan, 0])


def touched_pixels(box):
    return {(x // FINE, y // FINE) for x, y in cells(box, IMAGE)}


def test_covered_pixels_are_those_that_the_box_touches():
    for box in random_boxes(400):
        if np.isnan(box).any() or not cells(box):
            continue
        found = cover_pixels(box, WIDTH, HEIGHT)
        pixels = touched_pixels(box)
        if found is None:
            assert not pixels
        else:
            x1, y1, x2, y2 = found
            assert {(x, y) for x in range(x1, x2) for y in range(y1, y2)} == pixels


def test_rounded_boxes_have_a_pixel_of_the_image_at_least():
    rng = np.random.default_rng(0)
    for box in np.sort(rng.uniform(-3, 10, (400, 2, 2)), axis=1).reshape(-1, 4):
        x1, y1, x2, y2 = round_to_pixels(box, WIDTH, HEIGHT)
        assert 0 <= x1 < x2 <= WIDTH
        assert 0 <= y1 < y2 <= HEIGHT
        for found, edge, side in zip((x1, y1), box[:2], (WIDTH, HEIGHT)):
            assert found == np.clip(np.rint(edge), 0, side - 1)
        for found, edge, start, side in zip(
            (x2, y2), box[2:], (x1, y1), (WIDTH, HEIGHT)
        ):
            assert found == max(np.clip(np.rint(edge), 0, side), start + 1)


def test_a_box_around_columns_and_rows_is_tight():
    mask = np.zeros((HEIGHT, WIDTH), bool)
    assert np.isnan(bound_mask(mask.any(axis=0), mask.any(axis=1))).all()
    mask[3, 2] = mask[1, 5] = True
    box = bound_mask(columns=mask.any(axis=0), rows=mask.any(axis=1))
    assert box.tolist() == [2, 1, 6, 4]
    assert box.dtype == np.float32


def test_other_forms_of_boxes():
    given = np.array([[[1.0, 2, 3, 4.5]], [NONE]])
    expected = [[[1, 2, 4, 6.5]], [NONE]]
    np.testing.assert_array_equal(xywh_to_xyxy(given), expected)
    fractions = torch.tensor([[0.5, 0.25, 1, 0.75]], dtype=torch.float64)
    assert scale_boxes(fractions, 200, 300).tolist() == [[100, 75, 200, 225]]
    assert scale_boxes(fractions, 200, 300).dtype == torch.float64


def test_points_on_the_edge_are_inside():
    boxes = np.array([[1, 1, 3, 2]] * 4 + [NONE])
    points = np.array([[1, 1], [3, 2], [3.01, 2], [np.nan, 1], [1, 1]])
    assert points_in_boxes(points, boxes).tolist() == [True, True, False, False, False]
