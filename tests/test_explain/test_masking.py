"""Hiding boxes: where the other box may lie, and what the comparison counts."""

import numpy as np
import pytest
import torch
from torch import nn

from mmpar.explain import MaskingCheck, elsewhere


class SumOfCorner(nn.Module):
    """Attribute 0 sums the upper left 4 x 4 pixels, attribute 1 the rest."""

    def forward(self, inputs, data_samples, mode):
        assert mode == "tensor"
        assert data_samples is None
        corner = inputs[:, :, :4, :4].sum(dim=(1, 2, 3))
        return torch.stack((corner, inputs.sum(dim=(1, 2, 3)) - corner), dim=1)


def test_elsewhere_finds_every_place_that_does_not_overlap_and_no_other():
    box, size = (2, 1, 4, 4), (7, 6)
    possible = set()
    for left in range(6 - 2 + 1):
        for top in range(7 - 3 + 1):
            cells = {(x, y) for x in range(left, left + 2) for y in range(top, top + 3)}
            if not cells & {(x, y) for x in range(2, 4) for y in range(1, 4)}:
                possible.add((left, top, left + 2, top + 3))
    rng = np.random.default_rng(0)
    assert {elsewhere(box, size, rng) for _ in range(500)} == possible


def test_a_box_that_leaves_no_place_has_no_other():
    rng = np.random.default_rng(0)
    assert elsewhere((0, 0, 5, 4), (7, 6), rng) is None
    assert elsewhere((0, 0, 6, 3), (6, 6), rng) == (0, 3, 6, 6)


def test_the_right_box_costs_more_and_a_wrong_one_less():
    check = MaskingCheck(SumOfCorner())
    picture = torch.ones(3, 12, 10)
    check.add(picture, {0: np.array((0, 0, 4, 4.0))})
    assert check.drops == [(0, 48.0, 0.0)]
    check.add(picture, {1: np.array((0, 0, 4, 4.0))})  # nothing of attribute 1 there
    assert check.drops[1] == (1, 0.0, 48.0)
    assert check.share() == 0.5
    assert check.share([0]) == 1
    assert np.isnan(check.share([7]))
    assert (picture == 1).all()


def test_what_cannot_be_compared_is_counted_apart():
    check = MaskingCheck(SumOfCorner())
    whole, none = np.array((0, 0, 10, 12.0)), np.full(4, np.nan)
    check.add(torch.ones(3, 12, 10), {0: whole, 1: none})
    assert check.drops == []
    assert (check.without_place, check.without_box) == (1, 1)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_places(seed):
    generator = torch.Generator().manual_seed(0)
    picture = torch.rand(3, 12, 10, generator=generator)
    boxes = {0: np.array((0, 0, 3, 3.0)), 1: np.array((5, 5, 8, 9.0))}
    first, second = (MaskingCheck(SumOfCorner(), seed) for _ in range(2))
    first.add(picture, boxes)
    second.add(picture, boxes)
    assert first.drops == second.drops
