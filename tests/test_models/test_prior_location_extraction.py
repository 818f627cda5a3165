"""Every form of PLE equals its oracle: values, gradients, borders, conventions."""

import math
from fractions import Fraction

import pytest
import torch
from mmengine.registry import DefaultScope
from torch import nn

from mmpar.models import SSPNetNeck
from mmpar.models.layers import (
    BlockPLE,
    IdentityPLE,
    KeypointPLE,
    SamplingPoints,
    SparsePLE,
)
from mmpar.models.layers.point_sampling import weighted_samples
from tests.fixtures.versions import needs_float16_on_cpu
from tests.oracles.prior_location_extraction import (
    keypoint_location_extraction,
    prior_location_extraction,
    sparse_location_extraction,
)

CONVENTIONS = ("pixel_centre", "official")
LEARNED = (BlockPLE, SparsePLE, KeypointPLE)
HALVES = (
    pytest.param(torch.float16, marks=needs_float16_on_cpu),
    torch.bfloat16,
)
NAN = float("nan")
# Two persons on a map of 6 x 5: found, at the border of the map, and the ways to be
# missing: visibility 0, not a number, left of the region, right of it, below, above.
KEYPOINTS = [
    [(1.3, 2.6, 2), (4.5, 5.5, 1), (3.0, 3.0, 0), (-0.5, -0.5, 2)]
    + [(-0.6, 1.0, 2), (4.6, 3.0, 1)],
    [(NAN, NAN, 2), (0.0, 0.0, 1), (2.0, 5.6, 2), (3.5, 1.25, 2)]
    + [(1.0, NAN, 0), (3.0, -0.6, 2)],
]
REGIONS = dict(whole=dict(level=1, rows=(0, 1)))
PLACES = [
    [(1.3, 2.6), (4.5, 5.5), None, (-0.5, -0.5), None, None],
    [None, (0.0, 0.0), None, (3.5, 1.25), None, None],
]


def randomised(ple, spread=0.8):
    """In float64, with offsets that leave the map here and there."""
    torch.manual_seed(0)
    for parameter in ple.double().parameters():
        nn.init.normal_(parameter, std=spread)
    return ple


def features(*shape):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def keypoints():
    return torch.tensor(KEYPOINTS, dtype=torch.float64)


def assert_equal_with_gradients(fast, slow, inputs):
    torch.testing.assert_close(fast, slow, rtol=1e-10, atol=1e-10)
    shares = features(*fast.shape).flip(0)
    gradients = torch.autograd.grad((fast * shares).sum(), inputs)
    expected = torch.autograd.grad((slow * shares).sum(), inputs, allow_unused=True)
    for gradient, wanted in zip(gradients, expected):
        wanted = torch.zeros_like(gradient) if wanted is None else wanted
        torch.testing.assert_close(gradient, wanted, rtol=1e-9, atol=1e-9)


def build(convention="pixel_centre", channels=3, num_points=3, spread=0.8):
    return randomised(BlockPLE(channels, num_points, convention), spread)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("size", [(6, 5), (1, 4), (5, 1), (1, 1)])
@pytest.mark.parametrize("num_points", [1, 3])
def test_block_values_and_gradients_equal_the_oracle(convention, size, num_points):
    ple = build(convention, num_points=num_points)
    x = features(2, 3, *size).requires_grad_()
    fast, slow = ple(x), prior_location_extraction(ple, x)
    assert_equal_with_gradients(fast, slow, [x, *ple.parameters()])


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_block_gradients_pass_gradcheck(convention):
    ple = build(convention, channels=2, num_points=2, spread=0.4)
    names, values = zip(*ple.named_parameters())

    def run(x, *parameters):
        return torch.func.functional_call(ple, dict(zip(names, parameters)), (x,))

    x = features(1, 2, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(run, (x, *values))


def test_the_layout_in_memory_does_not_matter():
    ple, x = build(), features(2, 3, 6, 5)
    other = x.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(ple(x), ple(other), rtol=1e-12, atol=1e-12)
    cut = torch.cat((x, x), dim=2)[:, :, 3:9]
    torch.testing.assert_close(ple(cut), ple(cut.clone()), rtol=1e-12, atol=1e-12)


def without_offsets(ple):
    nn.init.zeros_(ple.offset.weight)
    nn.init.zeros_(ple.offset.bias)
    return ple


def test_zero_offset_is_the_projection_alone():
    ple, x = without_offsets(build()), features(2, 3, 6, 5)
    torch.testing.assert_close(ple(x), ple.projection(x), rtol=1e-12, atol=1e-12)


def test_zero_offset_is_not_the_position_itself_in_the_official_convention():
    ple, x = without_offsets(build("official")), features(2, 3, 6, 5)
    assert (ple(x) - ple.projection(x)).abs().max() > 0.1


def test_an_offset_of_one_pixel_moves_by_one_pixel_and_zeros_come_in():
    ple, x = without_offsets(build()), features(2, 3, 6, 5)
    with torch.no_grad():
        ple.offset.bias[0::2] = 1  # x
        ple.offset.bias[1::2] = -2  # y
    projected = ple.projection(x)
    expected = torch.zeros_like(projected)
    expected[:, :, 2:, :-1] = projected[:, :, :-2, 1:]
    torch.testing.assert_close(ple(x), expected, rtol=1e-12, atol=1e-12)


def test_sampling_points_are_position_plus_offset_in_pixels():
    ple, x = without_offsets(build()), features(1, 3, 4, 5)
    with torch.no_grad():
        ple.offset.bias.copy_(torch.tensor([0.5, 0.25, -1.0, 2.0, 0.0, 0.0]))
    points, weights = ple.sampling_points(x)
    torch.testing.assert_close(weights, ple.weight(x).softmax(1))
    assert points.shape == (1, 3, 4, 5, 2)
    assert points[0, 0, 3, 2].tolist() == [2.5, 3.25]
    assert points[0, 1, 3, 2].tolist() == [1.0, 5.0]
    assert points[0, 2, 3, 2].tolist() == [2.0, 3.0]


@pytest.mark.parametrize(
    ("width", "expected"),
    [(5, [-0.5, 0.75, 2.0, 3.25, 4.5]), (2, [-0.5, 1.5]), (1, [-0.5])],
)
def test_sampling_points_tell_where_the_official_convention_looks(width, expected):
    ple = without_offsets(build("official"))
    points, _ = ple.sampling_points(features(1, 3, 4, width))
    for row in points[0, 0]:
        assert row[:, 0].tolist() == pytest.approx(expected)
    assert points[0, 0, 1, 0, 1].item() == pytest.approx(4 / 3 - 0.5)


def test_offsets_start_within_a_fraction_of_a_pixel():
    torch.manual_seed(0)
    ple = BlockPLE(256)
    with torch.no_grad():
        offsets = ple.offset(torch.randn(2, 256, 24, 48).relu())
    assert 0 < offsets.abs().max() < 0.25
    assert ple.projection.weight.std() > 0.05


@pytest.mark.parametrize("dtype", HALVES)
def test_mixed_precision_moves_no_sampling_point(dtype):
    ple, x = without_offsets(build(channels=8)).float(), features(1, 8, 24, 48).float()
    with torch.autocast("cpu", dtype=dtype):
        mixed, projected = ple(x), ple.projection(x)
    # A zero offset is still the identity: one pixel off would differ by about 1.
    torch.testing.assert_close(mixed.float(), projected.float(), rtol=0.02, atol=0.02)


@pytest.mark.parametrize("ratio", [1, 2, 3])
@pytest.mark.parametrize("size", [(6, 5), (7, 4), (1, 4), (5, 1), (1, 1)])
@pytest.mark.parametrize("num_points", [1, 3])
def test_sparse_values_and_gradients_equal_the_oracle(size, ratio, num_points):
    ple = randomised(SparsePLE(3, num_points, ratio))
    x = features(2, 3, *size).requires_grad_()
    fast, slow = ple(x), sparse_location_extraction(ple, x)
    assert fast.shape[2:] == tuple(-(-edge // ratio) for edge in size)
    assert_equal_with_gradients(fast, slow, [x, *ple.parameters()])


def test_sparse_gradients_pass_gradcheck():
    ple = randomised(SparsePLE(2, 2), spread=0.4)
    names, values = zip(*ple.named_parameters())

    def run(x, *parameters):
        return torch.func.functional_call(ple, dict(zip(names, parameters)), (x,))

    assert torch.autograd.gradcheck(
        run, (features(1, 2, 3, 4).requires_grad_(), *values)
    )


def test_sparse_with_every_position_is_the_block_form():
    sparse = randomised(SparsePLE(3, ratio=1))
    block = BlockPLE(3).double()
    block.load_state_dict(sparse.state_dict())
    x = features(2, 3, 6, 5)
    torch.testing.assert_close(sparse(x), block(x), rtol=1e-12, atol=1e-12)


def test_sparse_points_start_at_the_centres_of_the_cells():
    ple = randomised(SparsePLE(3, num_points=1))
    nn.init.zeros_(ple.offset.weight)
    nn.init.zeros_(ple.offset.bias)
    points, weights = ple.sampling_points(features(1, 3, 5, 4))
    assert points[0, 0, :, :, 0].tolist() == [[0.5, 2.5]] * 3
    assert points[0, 0, :, :, 1].tolist() == [[0.5] * 2, [2.5] * 2, [4.0] * 2]
    assert weights.tolist() == [[[[1.0] * 2] * 3]]


@pytest.mark.parametrize("num_points", [1, 3])
def test_keypoint_values_and_gradients_equal_the_oracle(num_points):
    ple = randomised(KeypointPLE(3, num_points))
    x = features(2, 3, 6, 5).requires_grad_()
    fast = ple(x, keypoints())
    assert fast.shape == (2, 3, 6, 1)
    slow = keypoint_location_extraction(ple, x, PLACES)
    assert_equal_with_gradients(fast, slow, [x, *ple.parameters()])


def evenly_spread(size, keep):
    """Rows that the released code keeps, in exact numbers."""
    count = int(size * keep)
    if count == 1:
        return [0]
    return [round(Fraction(i * (size - 1), count - 1)) for i in range(count)]


@pytest.mark.parametrize("convention", ["pixel_centre", "official"])
@pytest.mark.parametrize("size", [(6, 5), (8, 11), (2, 3)])
@pytest.mark.parametrize("keep", [0.75, 0.5])
def test_kept_rows_and_columns_are_those_of_the_block_form(size, keep, convention):
    ple = randomised(BlockPLE(3, 3, convention, keep))
    x = features(2, 3, *size).requires_grad_()
    rows, columns = (evenly_spread(edge, keep) for edge in size)
    slow = prior_location_extraction(ple, x)[:, :, rows][..., columns]
    assert_equal_with_gradients(ple(x), slow, [x, *ple.parameters()])
    assert ple.sampling_points(x).points.shape[2:4] == (len(rows), len(columns))


@pytest.mark.parametrize("size", [1, 3, 6, 12, 16, 20, 24, 32, 48, 64])
def test_the_rows_that_are_kept_are_evenly_spread_and_never_none(size):
    for keep in (0.25, 0.5, 0.75, 0.9):
        ple = BlockPLE(1, keep=keep)
        kept = ple._kept(size, torch.zeros(())).tolist()
        assert kept == (evenly_spread(size, keep) or [0]), keep


def test_keypoints_on_pixels_give_the_block_forms_output_there():
    block = randomised(BlockPLE(3, 3, "official"))
    ple = KeypointPLE(3, positions="pixel", grid_convention="official").double()
    ple.load_state_dict(block.state_dict())
    x = features(2, 3, 6, 5)
    everywhere, found = block(x), ple(x, keypoints())
    centres = project_centres(block, x)
    for person, places in enumerate(PLACES):
        for n, place in enumerate(places):
            expected = centres[person]
            if place is not None:
                column, row = (math.floor(value + 0.5) for value in place)
                expected = everywhere[person, :, min(row, 5), min(column, 4)]
            torch.testing.assert_close(found[person, :, n, 0], expected)


def project_centres(ple, x):
    """``(B, C)``: what a missing keypoint gets."""
    return ple.projection(x).mean(dim=(2, 3))


def test_keypoint_gradients_pass_gradcheck():
    ple = randomised(KeypointPLE(2, 2), spread=0.4)
    names, values = zip(*ple.named_parameters())
    where = keypoints()[:, :3]

    def run(x, *parameters):
        inputs = (x, where)
        return torch.func.functional_call(ple, dict(zip(names, parameters)), inputs)

    assert torch.autograd.gradcheck(
        run, (features(2, 2, 6, 5).requires_grad_(), *values)
    )


def test_without_any_keypoint_the_region_is_read_as_a_whole():
    ple = randomised(KeypointPLE(3))
    x = features(2, 3, 6, 5)
    fallback = ple.projection(x).mean(dim=(2, 3))[:, :, None, None].expand(2, 3, 6, 1)
    for missing in (keypoints() * torch.tensor((1, 1, 0)), keypoints() * NAN):
        torch.testing.assert_close(ple(x, missing), fallback, rtol=1e-12, atol=1e-12)
        assert (ple.sampling_points(x, missing).weights == 0).all()


def test_keypoint_points_lie_around_the_keypoints():
    ple = randomised(KeypointPLE(3, num_points=2))
    nn.init.zeros_(ple.offset.weight)
    ple.offset.bias.data = torch.tensor((0.5, 0.25, -1.0, 0.0)).double()
    points, weights = ple.sampling_points(features(2, 3, 6, 5), keypoints())
    assert (points.shape, weights.shape) == ((2, 2, 6, 1, 2), (2, 2, 6, 1))
    found = torch.tensor([[place is not None for place in row] for row in PLACES])
    torch.testing.assert_close(weights.sum(dim=1)[..., 0], found.double())
    assert points[0, :, 0, 0].flatten().tolist() == pytest.approx([1.8, 2.85, 0.3, 2.6])
    # Of one that is missing, about the centre of 5 columns and 6 rows.
    assert points[0, :, 2, 0].tolist() == [[2.5, 2.75], [1.0, 2.5]]


def test_the_identity_changes_nothing_and_has_no_parameters():
    ple, x = IdentityPLE(3), features(2, 3, 2, 4)
    assert torch.equal(ple(x), x)
    assert list(ple.parameters()) == []
    points, weights = ple.sampling_points(x)
    assert (points.shape, weights.shape) == ((2, 1, 2, 4, 2), (2, 1, 2, 4))
    assert points[1, 0, 1, 3].tolist() == [3, 1]
    assert weights.unique().tolist() == [1]


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("form", [SparsePLE, KeypointPLE])
def test_mixed_precision_stays_close(form, dtype):
    ple = randomised(form(8), spread=0.2).float()
    inputs = inputs_of(form, 2, 8, 6, 5)
    with torch.autocast("cpu", dtype=dtype):
        mixed = ple(*inputs)
    torch.testing.assert_close(mixed.float(), ple(*inputs), rtol=0.05, atol=0.05)


def inputs_of(form, *shape):
    """Float32 features and, for the keypoint form, keypoints."""
    x = [features(*shape).float()]
    return [*x, keypoints()[: shape[0]].float()] if form is KeypointPLE else x


@pytest.mark.parametrize("form", LEARNED)
@pytest.mark.parametrize("given", [torch.float32, torch.bfloat16])
def test_every_learned_form_gives_the_type_of_autocast(form, given):
    ple = form(8)
    x, *rest = inputs_of(form, 2, 8, 6, 5)
    with torch.autocast("cpu", torch.bfloat16):
        assert ple(x.to(given), *rest).dtype == torch.bfloat16


def test_samples_keep_their_type_when_the_weights_have_another():
    values = features(1, 3, 6, 5).bfloat16()
    points, weights = IdentityPLE(3).sampling_points(values)
    assert weights.dtype == torch.float32  # as softmax gives on a GPU under autocast
    sampled = weighted_samples(values, SamplingPoints(points, weights))
    assert sampled.dtype == torch.bfloat16
    assert torch.equal(sampled, values)


@pytest.mark.parametrize("form", [*LEARNED, IdentityPLE])
def test_everything_is_computed_on_the_device_of_the_features(form):
    ple = form(4).to("meta")
    inputs = [values.to("meta") for values in inputs_of(form, 1, 4, 6, 5)]
    assert ple(*inputs).device.type == "meta"
    points, weights = ple.sampling_points(*inputs)
    assert (points.device.type, weights.device.type) == ("meta", "meta")


@pytest.mark.parametrize("form", [*LEARNED, IdentityPLE])
def test_an_empty_batch_gives_an_empty_batch(form):
    ple = form(4)
    one = ple(*inputs_of(form, 1, 4, 6, 5))
    assert ple(*inputs_of(form, 0, 4, 6, 5)).shape == (0, *one.shape[1:])


@pytest.mark.parametrize(
    ("form", "setting", "message"),
    [
        (BlockPLE, dict(keep=0), r"keep, .* in \(0, 1\], got 0"),
        (BlockPLE, dict(keep=1.5), r"keep, .* in \(0, 1\], got 1\.5"),
        (BlockPLE, dict(grid_convention="corner"), "'official'.*got 'corner'"),
        (SparsePLE, dict(ratio=0), "at least 1, got 0"),
        (KeypointPLE, dict(positions="near"), "positions is 'exact' or 'pixel'"),
        (KeypointPLE, dict(grid_convention="theirs"), "grid_convention is one of"),
        *((form, dict(num_points=0), "num_points .* 1, got 0") for form in LEARNED),
    ],
)
def test_a_setting_out_of_its_range_is_an_error(form, setting, message):
    with pytest.raises(ValueError, match=message):
        form(3, **setting)


@pytest.mark.parametrize("form", [*LEARNED, IdentityPLE])
def test_a_config_names_the_form_by_its_type(form):
    neck = SSPNetNeck((4, 4), REGIONS, 3, ple=dict(type=form.__name__))
    assert type(neck.ple) is form


@pytest.mark.parametrize("scope", ["mmpar", "mmpretrain"])
def test_the_block_form_is_the_default(scope):
    with DefaultScope.overwrite_default_scope(scope):
        ple = SSPNetNeck((4, 4), REGIONS, 3, ple=dict(num_points=2)).ple
    assert (type(ple), ple.num_points) == (BlockPLE, 2)


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        (dict(type="BlokPLE"), KeyError, "BlokPLE is not in"),
        (dict(type="BlockPLE", ratio=2), TypeError, "argument 'ratio'"),
        (
            dict(kind="sparse"),
            ValueError,
            r"write ple=dict\(type='SparsePLE'",
        ),
        (
            dict(kind="none"),
            ValueError,
            r"write ple=dict\(type='IdentityPLE'",
        ),
    ],
)
def test_an_unknown_form_or_setting_or_old_config_is_an_error(config, error, message):
    with pytest.raises(error, match=message):
        SSPNetNeck((4, 4), REGIONS, 3, ple=config)
