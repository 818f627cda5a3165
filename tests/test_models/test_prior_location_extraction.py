"""PLE equals its oracle: values, gradients, borders, both grid conventions."""

import pytest
import torch
from torch import nn

from mmpar.models.layers import PriorLocationExtraction
from tests.oracles.prior_location_extraction import (
    prior_location_extraction,
)

CONVENTIONS = ("pixel_centre", "official")


def build(convention="pixel_centre", channels=3, num_points=3, spread=0.8):
    """A float64 module whose offsets leave the map here and there."""
    torch.manual_seed(0)
    ple = PriorLocationExtraction(channels, num_points, convention).double()
    for parameter in ple.parameters():
        nn.init.normal_(parameter, std=spread)
    return ple


def features(*shape):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("size", [(6, 5), (1, 4), (5, 1), (1, 1)])
@pytest.mark.parametrize("num_points", [1, 3])
def test_values_and_gradients_equal_the_oracle(convention, size, num_points):
    ple = build(convention, num_points=num_points)
    x = features(2, 3, *size).requires_grad_()
    fast, slow = ple(x), prior_location_extraction(ple, x)
    torch.testing.assert_close(fast, slow, rtol=1e-10, atol=1e-10)
    weights = features(*fast.shape).flip(0)
    inputs = [x, *ple.parameters()]
    gradients = torch.autograd.grad((fast * weights).sum(), inputs)
    expected = torch.autograd.grad((slow * weights).sum(), inputs, allow_unused=True)
    for gradient, wanted in zip(gradients, expected):
        wanted = torch.zeros_like(gradient) if wanted is None else wanted
        torch.testing.assert_close(gradient, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_gradients_pass_gradcheck(convention):
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
    ple = PriorLocationExtraction(256)
    with torch.no_grad():
        offsets = ple.offset(torch.randn(2, 256, 24, 48).relu())
    assert 0 < offsets.abs().max() < 0.25
    assert ple.projection.weight.std() > 0.05


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mixed_precision_moves_no_sampling_point(dtype):
    ple, x = without_offsets(build(channels=8)).float(), features(1, 8, 24, 48).float()
    with torch.autocast("cpu", dtype=dtype):
        mixed, projected = ple(x), ple.projection(x)
    # A zero offset is still the identity: one pixel off would differ by about 1.
    torch.testing.assert_close(mixed.float(), projected.float(), rtol=0.02, atol=0.02)


def test_an_unknown_convention_is_an_error():
    with pytest.raises(ValueError, match=r"'pixel_centre', 'official'.*got 'corner'"):
        PriorLocationExtraction(4, grid_convention="corner")
