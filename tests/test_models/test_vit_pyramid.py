"""ViTDet's pyramid on a plain ViT: against loops over cells, and its limits."""

import pytest
import torch

from mmpar.models import ViTPyramid
from tests.oracles.vit import doubled, gelu, halved, normalized

ARCH = dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32)


def build(**kwargs):
    torch.manual_seed(0)
    backbone = ViTPyramid(arch=ARCH, img_size=(64, 48), **kwargs)
    backbone.init_weights()
    backbone.eval()
    return backbone.double()


@pytest.fixture
def images():
    return torch.randn(2, 3, 64, 48, dtype=torch.float64)


def test_the_maps_are_those_of_the_paper(images):
    backbone = build()
    with torch.no_grad():
        fourths, eighths, sixteenths, halves = backbone(images)
        weights = backbone.levels.state_dict()
        norm = {f"norm.{kind}": weights[f"0.1.{kind}"] for kind in ("weight", "bias")}
        for image, own in enumerate(sixteenths):
            finer = doubled(own, weights["1.weight"], weights["1.bias"])
            torch.testing.assert_close(eighths[image], finer)
            first = doubled(own, weights["0.0.weight"], weights["0.0.bias"])
            first = normalized(first.movedim(0, -1), norm, "norm").movedim(-1, 0)
            finest = doubled(gelu(first), weights["0.3.weight"], weights["0.3.bias"])
            torch.testing.assert_close(fourths[image], finest)
            torch.testing.assert_close(halves[image], halved(own))


def test_the_map_of_stride_16_is_the_vit_s_own(images):
    backbone = build(out_indices=(2,))
    assert [name for name in backbone.state_dict() if "levels" in name] == []
    (found,) = backbone(images)
    (own,) = super(ViTPyramid, backbone).forward(images)
    assert torch.equal(found, own)


def test_only_the_maps_that_are_asked_for_are_built():
    assert list(build(out_indices=(1, 2)).levels) == ["1", "2"]


@pytest.mark.parametrize("indices", [(), (4,), (0, -1)])
def test_a_map_that_there_is_not_is_refused(indices):
    with pytest.raises(ValueError, match=r"from 0 \(stride 4\) to 3 \(stride 32\)"):
        build(out_indices=indices)


def test_patches_of_another_size_are_refused():
    with pytest.raises(ValueError, match="patches of 16 pixels, got patch_size=8"):
        build(patch_size=8)
