"""Grad-CAM-P and the other explainers of regions equal their oracles."""

import pytest
import torch
from mmpretrain.structures import DataSample

from mmpar.explain import ALMBoxes, GradCAMP, PLEPoints, RegionBoxes
from mmpar.explain.regions import splat
from mmpar.models import PARClassifier
from mmpar.models.layers import SamplingPoints
from tests.oracles.grad_cam import (
    class_activation,
    positional_activation,
    splatted,
    upsampled,
)
from tests.test_explain.tiny_model import (
    REGION_OF,
    REGIONS,
    SCHEMA,
    SIZE,
    flat_model,
    images,
    region_model,
)

BANDS = dict(  # height and width of the level's map, first row, one past the last
    head=(16, 8, 0, 6), bottom=(8, 4, 4, 8), whole=(4, 2, 0, 4)
)


def first_of(explainer, region):
    """The centre of the first cell of the region's level."""
    grids = explainer.grids(images(), [DataSample(gt_keypoints=torch.rand(1, 17, 3))])
    return grids[REGIONS[region]["level"] - 1].first


def rows_of(explainer, region):
    """A row reaches half a stride up and down; the outermost to the edge."""
    height, _, start, stop = BANDS[region]
    stride, (_, first) = SIZE[0] // height, first_of(explainer, region)
    top, bottom = (first + 0.5 + stride * (edge - 0.5) for edge in (start, stop))
    return (
        round(top) if start > 0 else 0,
        round(bottom) if stop < height else SIZE[0],
    )


def expected_maps(explainer, inputs, name, place, activation):
    model, region = explainer.model, REGION_OF[name]
    first = first_of(explainer, region)
    features = model.neck(model.backbone(inputs))
    height, width, start, stop = BANDS[region]

    def logits_from(feature):
        return model.head({**features, region: feature})

    response = activation(logits_from, features[region], SCHEMA.names.index(name))
    top, bottom = rows_of(explainer, region)
    maps = torch.zeros(len(inputs), *SIZE, dtype=torch.float64)
    for b in range(len(inputs)):
        band = place(response[b], b, region, stop - start, width)
        whole = upsampled(band, *SIZE, SIZE[0] // height, start, first)
        maps[b, top:bottom] = whole[top:bottom]
    return maps / maps.amax(dim=(1, 2), keepdim=True).clamp(min=1e-300)


def require_equal(explainer, inputs, place, activation=positional_activation):
    responding = 0
    for name, found in zip(SCHEMA.names, explainer(inputs).unbind(dim=1)):
        expected = expected_maps(explainer, inputs, name, place, activation)
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
        responding += bool(expected.max() > 0)
    assert responding >= 3  # maps that are zero have nothing to compare


@pytest.mark.parametrize("ple", ["BlockPLE", "IdentityPLE"])
def test_without_place_prior_the_regions_map_lies_in_its_rows(ple):
    model, inputs = region_model(type=ple).eval(), images()

    def place(response, b, region, rows, width):
        return response.double()

    require_equal(GradCAMP(model, place_prior=False), inputs, place)


@pytest.mark.parametrize("ple", ["BlockPLE", "SparsePLE", "IdentityPLE"])
def test_with_place_prior_responses_move_to_the_sampling_points(ple):
    model, inputs = region_model(type=ple).eval(), images()
    sampling = model.neck.sampling_points(model.backbone(inputs))

    def place(response, b, region, rows, width):
        points, weights = (part[b].detach() for part in sampling[region])
        return splatted(response, points, weights, rows, width)

    require_equal(GradCAMP(model), inputs, place)
    by_channel = GradCAMP(model, weighting="channel")
    require_equal(by_channel, inputs, place, class_activation)


def test_unknown_weightings_are_refused():
    with pytest.raises(ValueError, match=r"'position', 'channel'.*'pixel'"):
        GradCAMP(region_model(), weighting="pixel")


@pytest.mark.parametrize("ple", ["BlockPLE", "SparsePLE", "IdentityPLE"])
def test_half_precision_hardly_changes_the_maps(ple):
    model, inputs = region_model(type=ple).eval().float(), images().float()
    expected = GradCAMP(model)(inputs)
    with torch.autocast("cpu", torch.bfloat16):
        found = GradCAMP(model)(inputs)
    assert found.isfinite().all()
    assert (found - expected).abs().mean() < 0.02 < expected.mean()


def test_maps_are_zero_outside_the_region():
    explainer = GradCAMP(region_model())
    maps = explainer(images())
    for name in ("Hat", "Boots"):
        top, bottom = rows_of(explainer, REGION_OF[name])
        assert top > 0 or bottom < SIZE[0]
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
    explainer = GradCAMP(model)
    maps = explainer(images(), None, samples)
    assert maps.shape == (2, 4, *SIZE)
    top, _ = rows_of(explainer, "bottom")
    assert (maps[:, SCHEMA.names.index("Boots"), :top] == 0).all()
    assert maps.amax() == 1
    with pytest.raises(ValueError, match="place_prior=True"):
        GradCAMP(model, place_prior=False)(images(), None, samples)


@pytest.mark.parametrize("explainer", [GradCAMP, PLEPoints])
def test_regions_without_a_found_keypoint_respond_evenly(explainer):
    model, samples = keypoint_model_and_samples()
    for sample in samples:
        sample.gt_keypoints[..., 2] = 0
    explainer = explainer(model)
    maps = explainer(images(), None, samples)
    responding = 0
    for name, own in zip(SCHEMA.names, maps.unbind(dim=1)):
        height, width, start, stop = BANDS[REGION_OF[name]]
        top, bottom = rows_of(explainer, REGION_OF[name])
        first = first_of(explainer, REGION_OF[name])
        even = torch.ones(stop - start, width, dtype=own.dtype)
        even = upsampled(even, *SIZE, SIZE[0] // height, start, first)
        expected = torch.zeros_like(own)
        expected[:, top:bottom] = (own.amax(dim=(1, 2))[:, None, None] * even)[
            :, top:bottom
        ]
        torch.testing.assert_close(own, expected)
        responding += bool(own.amax() == 1)
    assert responding >= 1  # of Grad-CAM, not all attributes have a response


def test_a_missing_keypoint_adds_its_response_evenly():
    model, samples = keypoint_model_and_samples()
    keypoints = torch.stack([s.gt_keypoints[0] for s in samples])
    fractions = keypoints / torch.tensor((SIZE[1], SIZE[0], 1))
    fractions[:, :, :2] = 0.5
    fractions[:, :5, 2] = 0
    explainer, stages = PLEPoints(model), model.backbone(images())
    band = explainer.bands(stages, images(), samples)["whole"]
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
    explainer = PLEPoints(model)
    found = explainer(images(), ["Hat", "Coat", "Male"])
    _, bottom = rows_of(explainer, "head")
    assert (found[:, 0, bottom:] == 0).all()
    torch.testing.assert_close(found[:, 1], found[:, 2])
    sampling = model.neck.sampling_points(model.backbone(images()))
    points, weights = (part[0].detach() for part in sampling["head"])
    ones = torch.ones(weights.shape[1:], dtype=torch.float64)
    rows = splatted(ones, points, weights, 6, 8)
    band = upsampled(rows, *SIZE, 2, 0, first_of(explainer, "head"))[:bottom]
    torch.testing.assert_close(found[0, 0, :bottom], band / band.max())


def test_region_boxes_are_the_rows():
    explainer = RegionBoxes(region_model())
    boxes = explainer(images(), ["Boots", "Hat"])
    rows = [rows_of(explainer, region) for region in ("bottom", "head")]
    assert boxes.tolist() == [[[0, top, 16, bottom] for top, bottom in rows]] * 2


def test_region_boxes_of_a_half_precision_model_are_exact():
    image = torch.zeros(1, 3, 1042, 522)  # more than 8 bits of a row or a column
    expected = RegionBoxes(region_model())(image.double())
    found = RegionBoxes(region_model().bfloat16())(image.bfloat16())
    assert (found - expected).abs().max() <= 1  # where a cell looks is measured
    assert any(edge % 4 for edge in found[0, 1].tolist())


@pytest.mark.parametrize("explainer", [GradCAMP, PLEPoints, RegionBoxes])
def test_models_without_regions_are_refused(explainer):
    with pytest.raises(ValueError, match="Use GradCAM"):
        explainer(flat_model())


def test_alm_boxes_need_an_alm_head():
    with pytest.raises(ValueError, match="LinearPARHead"):
        ALMBoxes(flat_model())
