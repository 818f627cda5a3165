"""ResNet-IBN-a: the formula, where it stands, and the names of the public weights."""

import torch
from mmpretrain.models.backbones import ResNet

from mmpar.models import ResNetIBN
from mmpar.models.backbones.resnet_ibn import InstanceBatchNorm


def test_half_of_the_channels_is_normalized_by_image_half_by_batch():
    norm = InstanceBatchNorm(6).double()
    x = torch.randn(3, 6, 5, 4, dtype=torch.float64) * 3 + 1
    found = norm(x)
    for channel in range(6):
        groups = [[0], [1], [2]] if channel < 3 else [[0, 1, 2]]
        for images in groups:
            values = x[images, channel]
            variance = values.var(unbiased=False)
            expected = (values - values.mean()) / (variance + 1e-5).sqrt()
            torch.testing.assert_close(found[images, channel], expected)


def test_it_is_in_every_block_of_the_first_three_stages():
    found = {name for name in ResNetIBN(50).state_dict() if name.endswith("IN.weight")}
    blocks = [(1, 3), (2, 4), (3, 6)]
    expected = {
        f"layer{stage}.{block}.bn1.IN.weight"
        for stage, count in blocks
        for block in range(count)
    }
    assert found == expected


def test_public_names_are_those_of_a_resnet_but_for_the_split_normalizations():
    plain, split = ResNet(50).state_dict(), ResNetIBN(50).state_dict()
    assert plain.keys() - split.keys() == {
        name.replace("BN.", "") for name in split if ".BN." in name
    }
    assert split["layer1.0.bn1.IN.weight"].shape == (32,)
    assert split["layer1.0.bn1.BN.running_mean"].shape == (32,)


def test_frozen_stages_are_frozen_with_their_instance_normalization():
    backbone = ResNetIBN(18, frozen_stages=1)
    backbone.train()
    (norm, other) = (layer[0].bn1 for layer in (backbone.layer1, backbone.layer2))
    assert not norm.IN.weight.requires_grad
    assert not norm.BN.training
    assert other.IN.weight.requires_grad
    assert other.BN.training
