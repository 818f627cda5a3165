"""Rows cut before smoothing equal rows cut from whole levels."""

import pytest
import torch
from torch import nn

from mmpar.models.layers import FeaturePyramid
from tests.oracles.feature_pyramid import feature_pyramid
from tests.test_models.backbone_features import backbone_features

CHANNELS = (3, 5, 4, 6)


def build():
    torch.manual_seed(0)
    pyramid = FeaturePyramid(CHANNELS, out_channels=4).double()
    for parameter in pyramid.parameters():
        nn.init.normal_(parameter, std=0.5)
    return pyramid


def stages(height, width):
    return backbone_features(CHANNELS, height, width)


def assert_equal(outputs, whole, rows):
    assert outputs.keys() == rows.keys()
    for level, (start, stop) in rows.items():
        torch.testing.assert_close(
            outputs[level], whole[level][:, :, start:stop], rtol=1e-11, atol=1e-11
        )


@pytest.mark.parametrize("size", [(256, 192), (128, 64), (384, 128), (100, 50)])
def test_any_rows_of_any_levels_equal_those_of_whole_levels(size):
    pyramid, x = build(), stages(*size)
    whole = feature_pyramid(pyramid, x)
    heights = [level.shape[2] for level in whole]
    generator = torch.Generator().manual_seed(2)
    for turn in range(24):
        rows = {}
        for level, height in enumerate(heights):
            if level == turn % 4 or torch.rand((), generator=generator) < 0.5:
                start = int(torch.randint(height, (), generator=generator))
                stop = int(torch.randint(start, height, (), generator=generator)) + 1
                rows[level] = (start, stop)
        assert_equal(pyramid(x, rows), whole, rows)
    for level, height in enumerate(heights):
        rows = {level: (height // 2, height - 1)}
        assert_equal(pyramid(x, rows), whole, rows)
    everything = {level: (0, height) for level, height in enumerate(heights)}
    assert_equal(pyramid(x, everything), whole, everything)


def test_every_window_of_the_finest_level_equals_that_of_the_whole_level():
    pyramid, x = build(), stages(64, 32)
    whole = feature_pyramid(pyramid, x)
    for start in range(16):
        for stop in range(start + 1, 17):
            rows = {0: (start, stop)}
            assert_equal(pyramid(x, rows), whole, rows)


def test_gradients_equal_those_of_whole_levels():
    pyramid = build()
    x = [stage.requires_grad_() for stage in stages(100, 50)]
    rows = {0: (3, 11), 1: (1, 12), 3: (0, 3)}
    inputs = [*x, *pyramid.parameters()]
    fast = sum(level.square().sum() for level in pyramid(x, rows).values())
    whole = feature_pyramid(pyramid, x)
    slow = sum(whole[i][:, :, a:b].square().sum() for i, (a, b) in rows.items())
    gradients = torch.autograd.grad(fast, inputs, allow_unused=True)
    expected = torch.autograd.grad(slow, inputs, allow_unused=True)
    assert sum(gradient is not None for gradient in gradients) == 16  # not smooths[2]
    for gradient, wanted in zip(gradients, expected):
        torch.testing.assert_close(gradient, wanted, rtol=1e-9, atol=1e-9)


def test_the_input_is_left_as_it_was():
    pyramid, x = build(), stages(64, 32)
    before = [stage.clone() for stage in x]
    pyramid(x, {0: (0, 16), 3: (0, 2)})
    assert all(torch.equal(a, b) for a, b in zip(x, before))


def test_only_the_rows_that_are_read_and_a_halo_are_smoothed():
    pyramid, seen = build(), {}
    for level, smooth in enumerate(pyramid.smooths):
        smooth.register_forward_hook(
            lambda module, args, output, level=level: seen.update(
                {level: args[0].shape[2]}
            )
        )
    pyramid(stages(256, 192), {0: (0, 24), 1: (4, 32)})
    assert seen == {0: 25, 1: 29}


def test_two_stages_are_a_pyramid_and_one_is_none():
    FeaturePyramid([8, 8], 4)
    with pytest.raises(ValueError, match=r"at least two stages, got in_channels=\[8\]"):
        FeaturePyramid([8], 4)


def test_weights_begin_with_the_variance_of_both_sides_of_a_layer():
    torch.manual_seed(0)
    pyramid = FeaturePyramid((24, 32, 96, 1280), out_channels=128)
    for conv in [*pyramid.laterals, *pyramid.smooths]:
        fan_in = conv.weight[0].numel()
        fan_out = conv.weight.numel() // conv.in_channels
        std = (2 / (fan_in + fan_out)) ** 0.5
        assert conv.weight.std().item() == pytest.approx(std, rel=0.05)
        # As Glorot and Bengio drew them: evenly, so that none is far out.
        assert conv.weight.abs().max() <= 3**0.5 * std
        assert not conv.bias.any()
