"""Occluding boxes: where the other box may be, and what is compared."""

import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample
from torch import nn

from mmpar.explain import OcclusionTest
from mmpar.explain.occlusion import random_disjoint_box


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
def test_every_place_that_does_not_overlap_is_found_and_no_other(area):
    box = (2, 1, 4, 4)
    possible = {p for p in places((2, 3), area) if not cells(p) & cells(box)}
    rng = np.random.default_rng(0)
    assert possible
    assert {random_disjoint_box(box, area, rng) for _ in range(500)} == possible


def test_a_box_that_leaves_no_place_has_no_other():
    rng = np.random.default_rng(0)
    assert random_disjoint_box((0, 0, 5, 4), (0, 0, 6, 7), rng) is None
    assert random_disjoint_box((0, 0, 6, 3), (0, 0, 6, 6), rng) == (0, 3, 6, 6)
    too_high = random_disjoint_box((0, 0, 2, 3), (0, 0, 6, 2), rng)
    assert too_high is None


class Model(nn.Module):
    """Sums an area, (x1, y1, x2, y2), for each attribute."""

    def __init__(self, *areas):
        super().__init__()
        self.areas, self.neck, self.head = areas, nn.Identity(), nn.Identity()

    def forward(self, inputs, data_samples, mode):
        assert mode == "tensor"
        assert len(data_samples) == len(inputs)
        sums = [inputs[:, :, a:b, c:d].sum((1, 2, 3)) for c, a, d, b in self.areas]
        return torch.stack(sums, dim=1)


CORNER, WHOLE = (0, 0, 4, 4), (0, 0, 10, 12)


def sample_with(boxes, index=0, labels=None, predicted=None, **fields):
    """Present and predicted attributes, with these boxes."""
    count = len(boxes)
    sample = DataSample(metainfo=dict(sample_idx=index))
    sample.set_gt_score(torch.tensor(labels or [1.0] * count))
    sample.set_pred_label(
        torch.tensor(range(count) if predicted is None else predicted)
    )
    fields.setdefault("pred_attribute_boxes", torch.tensor(boxes, dtype=torch.float32))
    for name, value in fields.items():
        sample.set_field(value, name)
    return sample


def drops_of(test, samples, height=12):
    image = torch.ones(len(samples), 3, height, 10)
    test.annotate(image, samples)
    assert (image == 1).all()
    return np.stack([sample.occlusion_drops for sample in samples])


def test_the_right_box_lowers_the_logit_and_a_wrong_one_does_not():
    test = OcclusionTest(Model(CORNER, (4, 4, 10, 12)))
    drops = drops_of(test, [sample_with([CORNER, CORNER])])
    assert drops.shape == (1, 2, 1, 2)  # no regions: one comparison
    assert drops[0, 0, 0].tolist() == [48, 0]
    assert drops[0, 1, 0, 0] == 0


def test_what_is_absent_or_not_predicted_is_not_judged():
    sample = sample_with([CORNER] * 3, labels=[1.0, 0.0, 1.0], predicted=[0, 1])
    drops = drops_of(OcclusionTest(Model(CORNER, CORNER, CORNER)), [sample])[0]
    assert np.isnan(drops).all(axis=(1, 2)).tolist() == [False, True, True]
    assert sample.occlusion_boxes[0].tolist() == list(CORNER)
    assert sample.occlusion_boxes[1:].isnan().all()


def test_a_map_is_judged_by_its_box():
    response = torch.zeros(1, 12, 10)
    response[0, 2:6, 3:5] = 1
    sample = sample_with([CORNER], pred_attribute_maps=response)
    del sample.pred_attribute_boxes
    drops_of(OcclusionTest(Model(CORNER)), [sample])
    assert sample.occlusion_boxes.tolist() == [[3, 2, 5, 6]]


@pytest.fixture
def in_region(monkeypatch):
    """A test of a model that reads its attributes from these boxes."""

    def build(model, *regions):
        test = OcclusionTest(model)
        boxes = torch.tensor(regions, dtype=torch.float32)
        test._regions = lambda inputs, *_: boxes.expand(len(inputs), -1, -1)
        return test

    return build


def test_a_box_that_is_only_in_the_region_does_not_beat_the_region(in_region):
    region = (0, 0, 10, 4)
    test = in_region(Model(region), region)
    samples = [sample_with([(3, 0, 6, 4)], index) for index in range(40)]
    box, other = np.moveaxis(drops_of(test, samples, height=40)[:, 0], -1, 0)
    more = box > other
    assert more[:, 0].mean() > 0.9
    assert not more[:, 1].any()  # another place in the region costs the same


def test_a_box_of_the_evidence_beats_the_region(in_region):
    evidence, region = (0, 0, 3, 4), (0, 0, 10, 4)
    test = in_region(Model(evidence), region)
    samples = [sample_with([evidence], index) for index in range(40)]
    box, other = np.moveaxis(drops_of(test, samples, height=40)[:, 0], -1, 0)
    assert (box > other).all()


def test_what_cannot_be_compared_is_nan(in_region):
    regions = (0, 0, 10, 5), (0, 0, 10, 12), (0, 0, 10, 12)
    wide, whole, none = (1, 0, 9, 6), WHOLE, [np.nan] * 4
    test = in_region(Model(CORNER, CORNER, CORNER), *regions)
    drops = drops_of(test, [sample_with([wide, whole, none])])[0]
    # The first fits twice into the image, but not into its region.
    assert np.isnan(drops).any(axis=2).tolist() == [[0, 1], [1, 1], [1, 1]]


def test_places_depend_on_seed_and_sample_and_not_on_the_order():
    model = Model(WHOLE)
    ramp = torch.arange(120.0).reshape(1, 12, 10).expand(3, -1, -1)

    def others(order, seed=0):
        samples = [sample_with([CORNER], index) for index in order]
        OcclusionTest(model, seed=seed).annotate(torch.stack([ramp] * 4), samples)
        return {s.sample_idx: s.occlusion_drops[0, 0, 1].item() for s in samples}

    assert others(range(4)) == others((3, 1, 0, 2))
    assert others(range(4)) != others(range(4), seed=1)
    assert len({*others(range(4)).values()}) > 1


def test_boxes_at_the_edge_occlude_what_is_in_the_image():
    sample = sample_with([(9.6, 0, 10, 12.4)])
    drops = drops_of(OcclusionTest(Model(WHOLE)), [sample])
    assert drops[0, 0, 0, 0] == 36
