"""Grad-CAM-P and the other explainers of regions equal their oracles."""

import pytest
import torch
from mmpretrain.structures import DataSample

from mmpar.explain import ALMBoxes, GradCAMP, PLEPoints, RegionBoxes
from mmpar.explain.regions import splat
from mmpar.models import PARClassifier
from mmpar.models.layers import SamplingPoints
from tests.oracles.grad_cam import contributions, splatted, upsampled
from tests.test_explain.tiny_model import (
    REGION_OF,
    SCHEMA,
    SIZE,
    flat_model,
    images,
    region_model,
)

BANDS = dict(  # height and width of the level's map, first row, one past the last
    head=(16, 8, 0, 6), bottom=(8, 4, 4, 8), whole=(4, 2, 0, 4)
)
# A row of stride s reaches from half a stride above its centre, pixel s i, to half a
# stride below: bottom from 16 - 2 (and half a pixel) on, head to 10 + 1.
ROWS = dict(head=(0, 12), bottom=(14, 32), whole=(0, 32))


def expected_maps(model, inputs):
    """What each cell of each stage adds, as a density, in the rows of the region."""
    stages = model.backbone(inputs)
    maps = torch.zeros(len(inputs), len(SCHEMA), *SIZE, dtype=torch.float64)
    for number, stage in enumerate(stages):

        def logits_from(features, number=number):
            given = [*stages[:number], features, *stages[number + 1 :]]
            return model.head(model.neck(given))

        stride = 2 ** (number + 1)
        cells = contributions(logits_from, stage) / stride**2
        for b, a in torch.cartesian_prod(*map(torch.arange, cells.shape[:2])).tolist():
            maps[b, a] += upsampled(cells[b, a], *SIZE, stride=stride)
    for a, name in enumerate(SCHEMA.names):
        top, bottom = ROWS[REGION_OF[name]]
        maps[:, a, :top] = 0
        maps[:, a, bottom:] = 0
    return maps / maps.amax(dim=(2, 3), keepdim=True).clamp(min=1e-300)


@pytest.mark.parametrize("ple", ["BlockPLE", "SparsePLE", "IdentityPLE"])
def test_maps_are_what_the_stages_add_to_the_logit(ple):
    model, inputs = region_model(type=ple).eval(), images()
    expected = expected_maps(model, inputs)
    torch.testing.assert_close(GradCAMP(model)(inputs), expected, atol=1e-6, rtol=0)
    # Maps that are zero have nothing to compare.
    assert (expected.amax(dim=(0, 2, 3)) > 0).sum() >= 3


def test_what_comes_from_a_coarser_stage_lies_where_that_stage_saw_it():
    """The pyramid would move it: its upsampling lays pixel 8 j to cells beside it."""
    model, inputs = region_model(type="IdentityPLE").eval(), images(1)
    with torch.no_grad():
        for lateral in model.neck.pyramid.laterals[:2]:
            lateral.weight.zero_()
    found = GradCAMP(model)(inputs, ["Hat"])[0, 0]
    cells = contributions(
        lambda stage: model.head(model.neck([*model.backbone(inputs)[:2], stage])),
        model.backbone(inputs)[2],
    )[0, SCHEMA.names.index("Hat")]
    top, bottom = ROWS["head"]
    expected = upsampled(cells, *SIZE, stride=8)[top:bottom]
    assert expected.max() > 0
    torch.testing.assert_close(found[top:bottom], expected / expected.max())


@pytest.mark.parametrize("ple", ["BlockPLE", "SparsePLE", "IdentityPLE"])
def test_half_precision_hardly_changes_the_maps(ple):
    model, inputs = region_model(type=ple).eval().float(), images().float()
    expected = GradCAMP(model)(inputs)
    with torch.autocast("cpu", torch.bfloat16):
        found = GradCAMP(model)(inputs)
    assert found.isfinite().all()
    assert (found - expected).abs().mean() < 0.02 < expected.mean()


def test_maps_are_zero_outside_the_region():
    maps = GradCAMP(region_model())(images())
    for name, (top, bottom) in dict(Hat=ROWS["head"], Boots=ROWS["bottom"]).items():
        own = maps[:, SCHEMA.names.index(name)]
        assert (own[:, :top] == 0).all()
        assert (own[:, bottom:] == 0).all()
        assert own.amax() == 1


def test_splatting_is_the_transpose_of_sampling():
    generator = torch.Generator().manual_seed(0)
    points = 14 * torch.rand(2, 50, 2, generator=generator, dtype=torch.float64) - 3
    values = torch.rand(2, 50, generator=generator, dtype=torch.float64)
    image = torch.rand(2, 6, 9, generator=generator, dtype=torch.float64)
    grid = (points + 0.5) * 2 / torch.tensor((9, 6)) - 1
    sampled = torch.nn.functional.grid_sample(
        image[:, None], grid[:, None], align_corners=False
    )[:, 0, 0]
    torch.testing.assert_close(
        (sampled * values).sum(), (image * splat(points, values, 6, 9)).sum()
    )


def test_points_that_are_far_off_or_not_finite_do_not_fall_into_the_map():
    points = torch.tensor([[[1e30, 0.0], [-1e30, 1.0], [0.0, 1e30]]])
    assert (splat(points, torch.ones(1, 3), 4, 5) == 0).all()


def keypoint_model_and_samples():
    plain = region_model(type="KeypointPLE")
    model = PARClassifier(plain.backbone, plain.neck, plain.head)
    generator = torch.Generator().manual_seed(5)
    samples = []
    for _ in range(2):
        keypoints = torch.rand(1, 17, 3, generator=generator) * torch.tensor(
            (SIZE[1], SIZE[0], 1)
        )
        keypoints[..., 2] = 2
        samples.append(DataSample(gt_keypoints=keypoints.double()))
    return model, samples


def test_keypoints_respond_where_they_sample():
    model, samples = keypoint_model_and_samples()
    maps = GradCAMP(model)(images(), None, samples)
    assert maps.shape == (2, 4, *SIZE)
    assert (maps[:, SCHEMA.names.index("Boots"), :14] == 0).all()
    assert maps.amax() == 1
    for sample in samples:  # at the left edge
        sample.gt_keypoints[..., 0] = 0
    left = GradCAMP(model)(images(), None, samples)
    assert left[..., :4].mean() > 2 * left[..., 12:].mean()


def test_without_a_found_keypoint_sampling_is_even():
    model, samples = keypoint_model_and_samples()
    for sample in samples:
        sample.gt_keypoints[..., 2] = 0
    maps = PLEPoints(model)(images(), None, samples)
    for name, own in zip(SCHEMA.names, maps.unbind(dim=1)):
        height, width, start, stop = BANDS[REGION_OF[name]]
        top, bottom = ROWS[REGION_OF[name]]
        even = torch.ones(stop - start, width, dtype=own.dtype)
        even = upsampled(even, *SIZE, stride=SIZE[0] // height, first_row=start)
        expected = torch.zeros_like(own)
        expected[:, top:bottom] = (own.amax(dim=(1, 2))[:, None, None] * even)[
            :, top:bottom
        ]
        torch.testing.assert_close(own, expected)
        assert own.amax() == 1


def test_a_missing_keypoint_adds_its_response_evenly():
    model, samples = keypoint_model_and_samples()
    keypoints = torch.stack([s.gt_keypoints[0] for s in samples])
    fractions = keypoints / torch.tensor((SIZE[1], SIZE[0], 1))
    fractions[:, :, :2] = 0.5
    fractions[:, :5, 2] = 0
    explainer, stages = PLEPoints(model), model.backbone(images())
    grids = explainer.grids(model.backbone, images(), samples)
    band = explainer.geometry.bands(stages, grids, SIZE)["whole"]
    points, weights = model.neck.sampling_points(stages, fractions)["whole"]
    response = torch.rand(weights[:, 0].shape, dtype=torch.float64)
    rows = band.place_by_points(response, SamplingPoints(points, weights))
    found = band.place_by_points(
        response[:, 5:], SamplingPoints(points[:, :, 5:], weights[:, :, 5:])
    )
    even = response[:, :5].sum(dim=(1, 2)) / rows[0].numel()
    torch.testing.assert_close(rows, found + even[:, None, None])


def test_sampling_points_are_dense_inside_the_region_only():
    model = region_model().eval()
    found = PLEPoints(model)(images(), ["Hat", "Coat", "Male"])
    assert (found[:, 0, 12:] == 0).all()
    torch.testing.assert_close(found[:, 1], found[:, 2])
    sampling = model.neck.sampling_points(model.backbone(images()))
    points, weights = (part[0].detach() for part in sampling["head"])
    ones = torch.ones(weights.shape[1:], dtype=torch.float64)
    band = upsampled(splatted(ones, points, weights, 6, 8), *SIZE, stride=2)[:12]
    torch.testing.assert_close(found[0, 0, :12], band / band.max())


def test_region_boxes_are_the_rows():
    boxes = RegionBoxes(region_model())(images(), ["Boots", "Hat"])
    assert boxes.tolist() == [[[0, 14, 16, 32], [0, 0, 16, 12]]] * 2


def test_region_boxes_of_a_half_precision_model_are_exact():
    image = torch.zeros(1, 3, 1042, 522)  # more than 8 bits of a row or a column
    expected = RegionBoxes(region_model())(image.double())
    found = RegionBoxes(region_model().bfloat16())(image.bfloat16())
    assert found.tolist() == expected.tolist()
    assert any(edge % 4 for edge in found[0, 1].tolist())


@pytest.mark.parametrize("explainer", [GradCAMP, PLEPoints, RegionBoxes])
def test_models_without_regions_are_refused(explainer):
    with pytest.raises(ValueError, match="Use GradCAM"):
        explainer(flat_model())


def test_alm_boxes_need_an_alm_head():
    with pytest.raises(ValueError, match="LinearPARHead"):
        ALMBoxes(flat_model())
