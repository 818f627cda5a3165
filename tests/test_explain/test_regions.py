"""Where regions lie: splatting is the transpose of sampling; the head names regions."""

import pytest
import torch
from mmpretrain.models import ImageClassifier
from torch import nn

from mmpar.explain.regions import RegionGeometry, splat
from mmpar.models import LinearPARHead, SSPNetHead, SSPNetNeck
from mmpar.models.layers import BlockPLE, IdentityPLE, SparsePLE
from tests.test_explain.tiny_model import CHANNELS, REGION_OF, REGIONS, SCHEMA, Backbone


@pytest.mark.parametrize(
    "ple",
    [
        BlockPLE(1),
        BlockPLE(1, grid_convention="official"),
        SparsePLE(1),
        IdentityPLE(1),
    ],
)
@pytest.mark.parametrize("size", [(6, 5), (1, 4), (5, 1)])
def test_splat_is_the_transpose_of_what_ple_samples(ple, size):
    torch.manual_seed(0)
    for parameter in ple.double().parameters():
        nn.init.normal_(parameter, std=0.8)
    if not isinstance(ple, IdentityPLE):
        nn.init.ones_(ple.projection.weight)
        nn.init.zeros_(ple.projection.bias)
    features = torch.randn(2, 1, *size, dtype=torch.float64)
    gathered = ple(features)[:, 0]
    response = torch.randn_like(gathered)
    points, weights = ple.sampling_points(features)
    spread = splat(points, response[:, None] * weights, *size)
    products = (gathered * response).sum((1, 2)), (features[:, 0] * spread).sum((1, 2))
    torch.testing.assert_close(*products, rtol=1e-10, atol=1e-10)


def model_of(neck_regions, head):
    neck = SSPNetNeck(CHANNELS, neck_regions, out_channels=6)
    return ImageClassifier(backbone=Backbone(), neck=neck, head=head)


def test_the_head_says_what_a_region_is_read_for():
    bare = {
        name: dict(rows=fields["rows"], level=fields["level"])
        for name, fields in REGIONS.items()
    }
    model = model_of(bare, SSPNetHead(SCHEMA, REGIONS, in_channels=6))
    expected = {SCHEMA.names.index(a): region for a, region in REGION_OF.items()}
    assert RegionGeometry(model).region_of == expected


def test_a_head_without_regions_is_an_error():
    model = model_of(REGIONS, LinearPARHead(SCHEMA, CHANNELS[-1]))
    with pytest.raises(ValueError, match="SSPNetNeck and LinearPARHead"):
        RegionGeometry(model)
