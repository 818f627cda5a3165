"""Hiding boxes: where the other box may lie, and what the comparison counts."""

import numpy as np
import pytest
import torch
from torch import nn

from mmpar.explain import MaskingCheck
from mmpar.explain.masking import anywhere, elsewhere


class SumOfCorner(nn.Module):
    """Attribute 0 sums the upper left 4 x 4 pixels, attribute 1 the rest."""

    def forward(self, inputs, data_samples, mode):
        assert mode == "tensor"
        assert data_samples is None
        corner = inputs[:, :, :4, :4].sum(dim=(1, 2, 3))
        return torch.stack((corner, inputs.sum(dim=(1, 2, 3)) - corner), dim=1)


def cells(box):
    x1, y1, x2, y2 = box
    return {(x, y) for x in range(x1, x2) for y in range(y1, y2)}


def places(size, area):
    """All boxes of a size (width, height) in an area."""
    x1, y1, x2, y2 = area
    return {
        (left, top, left + size[0], top + size[1])
        for left in range(x1, x2 - size[0] + 1)
        for top in range(y1, y2 - size[1] + 1)
    }


@pytest.mark.parametrize("area", [(0, 0, 6, 7), (0, 2, 6, 7), (0, 4, 6, 7)])
def test_elsewhere_finds_every_place_that_does_not_overlap_and_no_other(area):
    box = (2, 1, 4, 4)
    possible = {p for p in places((2, 3), area) if not cells(p) & cells(box)}
    rng = np.random.default_rng(0)
    assert possible
    assert {elsewhere(box, area, rng) for _ in range(500)} == possible


@pytest.mark.parametrize("band", [(0, 0, 5, 7), (0, 1, 5, 6)])
def test_anywhere_finds_every_place_that_leaves_another_and_no_other(band):
    whole = (0, 0, 5, 7)
    possible = {
        p
        for p in places((3, 3), band)
        if any(not cells(p) & cells(other) for other in places((3, 3), whole))
    }
    rng = np.random.default_rng(0)
    found = {anywhere((0, 0, 3, 3), band, whole, rng) for _ in range(500)}
    assert found == possible
    assert possible < places((3, 3), band)


def test_a_box_that_leaves_no_place_has_no_other():
    rng = np.random.default_rng(0)
    assert elsewhere((0, 0, 5, 4), (0, 0, 6, 7), rng) is None
    assert elsewhere((0, 0, 6, 3), (0, 0, 6, 6), rng) == (0, 3, 6, 6)
    assert elsewhere((0, 0, 2, 3), (0, 0, 6, 2), rng) is None  # higher than the area
    assert anywhere((0, 0, 2, 3), (0, 0, 6, 2), (0, 0, 6, 7), rng) is None


def test_the_right_box_costs_more_and_a_wrong_one_less():
    check = MaskingCheck(SumOfCorner())
    picture = torch.ones(3, 12, 10)
    check.add(picture, {0: np.array((0, 0, 4, 4.0))})
    found = check.in_picture
    assert found.drops == [(0, 0, 48.0, 0.0)]
    check.add(picture, {1: np.array((0, 0, 4, 4.0))})  # nothing of attribute 1 there
    (_, drop) = found.drops
    assert drop[:3] == (1, 1, 0.0)
    assert drop[3] == 48
    assert found.costs_more().tolist() == [True, False]
    assert found.costs_more(0).tolist() == [True]
    assert found.costs_more(7).tolist() == []
    assert check.in_band.drops == []
    assert (picture == 1).all()


def test_pictures_are_judged_by_the_mean_of_their_boxes():
    found = MaskingCheck(SumOfCorner()).in_picture
    found.drops += [(0, 0, 5.0, 1.0), (0, 1, 0.0, 1.0), (3, 0, 1.0, 2.0)]
    assert found.costs_more().tolist() == [True, False, False]
    assert found.costs_more_by_picture().tolist() == [True, False]


class SumOfRows(nn.Module):
    """One attribute, read evenly from the upper 4 rows."""

    def forward(self, inputs, data_samples, mode):
        return inputs[:, :, :4].sum(dim=(1, 2, 3))[:, None]


def test_a_box_that_is_only_in_the_band_is_not_better_than_the_band():
    check = MaskingCheck(SumOfRows())
    band = {0: np.array((0, 0, 10, 4.0))}
    for _ in range(40):
        check.add(torch.ones(3, 40, 10), {0: np.array((3, 0, 6, 4.0))}, None, band)
    picture, in_band, reference = (
        c.costs_more() for c in (check.in_picture, check.in_band, check.reference)
    )
    assert [len(c) for c in (picture, in_band, reference)] == [40] * 3
    assert picture.mean() > 0.9
    assert reference.mean() > 0.9  # so it shows nothing of the box
    assert not in_band.any()  # another place in the band costs the same


class SumOfPlace(nn.Module):
    """One attribute, read from the first 3 columns of the upper 4 rows."""

    def forward(self, inputs, data_samples, mode):
        return inputs[:, :, :4, :3].sum(dim=(1, 2, 3))[:, None]


def test_a_box_of_the_evidence_is_better_than_the_band():
    check = MaskingCheck(SumOfPlace())
    band = {0: np.array((0, 0, 10, 4.0))}
    for _ in range(40):
        check.add(torch.ones(3, 40, 10), {0: np.array((0, 0, 3, 4.0))}, None, band)
    assert check.in_picture.costs_more().all()
    assert check.in_band.costs_more().all()
    assert check.reference.costs_more().mean() < 0.8


def test_what_cannot_be_compared_is_counted_apart():
    check = MaskingCheck(SumOfCorner())
    whole, none = np.array((0, 0, 10, 12.0)), np.full(4, np.nan)
    check.add(torch.ones(3, 12, 10), {0: whole, 1: none})
    assert check.in_picture.drops == check.reference.drops == []
    assert (check.in_picture.without_place, check.without_box) == (1, 1)


def test_boxes_too_large_for_the_band_are_compared_in_the_picture_only():
    check = MaskingCheck(SumOfCorner())
    band = {0: np.array((0, 0, 10, 5.0)), 1: np.array((0, 0, 10, 7.0))}
    wide = np.array((1, 0, 9, 6.0))  # fits into the second band, but not twice
    check.add(torch.ones(3, 12, 10), {0: wide, 1: wide}, None, band)
    assert len(check.in_picture.drops) == 2
    assert (check.in_band.drops, check.in_band.without_place) == ([], 2)
    assert [drop[1] for drop in check.reference.drops] == [1]
    assert check.reference.without_place == 1


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_places(seed):
    generator = torch.Generator().manual_seed(0)
    picture = torch.rand(3, 12, 10, generator=generator)
    boxes = {0: np.array((0, 0, 3, 3.0)), 1: np.array((5, 5, 8, 9.0))}
    first, second = (MaskingCheck(SumOfCorner(), seed) for _ in range(2))
    first.add(picture, boxes)
    second.add(picture, boxes)
    assert first.in_picture.drops == second.in_picture.drops
    assert first.reference.drops == second.reference.drops


def test_boxes_at_the_edge_hide_what_is_in_the_picture():
    check = MaskingCheck(SumOfCorner())
    check.add(torch.ones(3, 12, 10), {1: np.array((9.6, 0, 10, 12.4))})
    assert [drop[2] for drop in check.in_picture.drops] == [36.0]
