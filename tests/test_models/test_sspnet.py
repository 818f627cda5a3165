"""SSPNet's neck and head together equal the straightforward form."""

import pytest
import torch
from mmengine.registry import DefaultScope
from torch import nn

from mmpar.models import SSPNetHead, SSPNetNeck
from mmpar.registry import MODELS
from mmpar.structures import AttributeSchema
from tests.oracles.sspnet import sspnet
from tests.test_models.backbone_features import backbone_features

SCHEMA = AttributeSchema(
    # Interleaved, so that scattering is not the identity nor its own inverse.
    names=("Male", "Boots", "Hat", "Coat", "Bag", "Skirt", "Glasses", "Shirt"),
    groups={
        "head": ("Hat", "Glasses"),
        "upper": ("Coat", "Shirt"),
        "lower": ("Skirt",),
        "foot": ("Boots",),
    },
)
REGIONS = dict(
    head=dict(level=1, rows=(0.0, 0.375), groups=("head",)),
    torso=dict(level=2, rows=(0.125, 0.625), groups=("upper",)),
    bottom=dict(level=2, rows=(0.5, 1.0), groups=("lower", "foot")),
    whole=dict(level=3, rows=(0.0, 1.0), groups=None),
)
ATTRIBUTES = dict(
    head=("Hat", "Glasses"),
    torso=("Coat", "Shirt"),
    bottom=("Boots", "Skirt"),
    whole=("Male", "Bag"),
)
ROWS = {  # worked out by hand from the fractions
    (64, 32): dict(head=(0, 6), torso=(1, 5), bottom=(4, 8), whole=(0, 4)),
    (96, 40): dict(head=(0, 9), torso=(2, 8), bottom=(6, 12), whole=(0, 6)),
    (50, 30): dict(head=(0, 5), torso=(1, 4), bottom=(4, 7), whole=(0, 4)),
}
CHANNELS = (3, 4, 5, 6)


def build(**kwargs):
    torch.manual_seed(0)
    neck = SSPNetNeck(CHANNELS, REGIONS, out_channels=4, **kwargs).double()
    head = SSPNetHead(SCHEMA, REGIONS, in_channels=4).double()
    for parameter in [*neck.parameters(), *head.parameters()]:
        nn.init.normal_(parameter, std=0.4)
    return neck.eval(), head.eval()


def test_the_neck_starts_as_the_official_code_on_demand():
    DefaultScope.get_instance("start", scope_name="mmpar")
    torch.manual_seed(0)
    neck = SSPNetNeck((64,) * 4, REGIONS, 256, init_cfg=dict(type="SSPNetInit"))
    neck.init_weights()
    # Three convolutions of two outputs each: N(0, sqrt(2 / 2)).
    assert neck.ple.offset.weight.std().item() == pytest.approx(1, rel=0.1)
    for conv, fan_out in (
        (neck.ple.projection, 256),
        (neck.ple.weight, 3),
        (neck.pyramid.laterals[0], 256),
        (neck.pyramid.smooths[0], 256 * 9),
    ):
        std = (2 / fan_out) ** 0.5
        assert conv.weight.std().item() == pytest.approx(std, rel=0.1)
    for name, bias in neck.named_parameters():
        if name.endswith("bias"):
            bound = neck.get_submodule(name[:-5]).weight[0].numel() ** -0.5
            assert 0 < bias.abs().max() <= bound, name


def stages(height, width):
    return backbone_features(CHANNELS, height, width)


@pytest.mark.parametrize("convention", ["pixel_centre", "official"])
@pytest.mark.parametrize("size", ROWS)
def test_logits_and_all_gradients_equal_the_straightforward_form(size, convention):
    neck, head = build(ple=dict(grid_convention=convention))
    x = [stage.requires_grad_() for stage in stages(*size)]
    fast = head(neck(x))
    slow = sspnet(neck, head, x, ROWS[size], ATTRIBUTES)
    torch.testing.assert_close(fast, slow, rtol=1e-10, atol=1e-10)
    inputs = [*x, *neck.parameters(), *head.parameters()]
    gradients = torch.autograd.grad(fast.square().sum(), inputs)
    expected = torch.autograd.grad(slow.square().sum(), inputs)
    for gradient, wanted in zip(gradients, expected):
        torch.testing.assert_close(gradient, wanted, rtol=1e-8, atol=1e-8)


def test_each_logit_is_where_the_schema_has_its_attribute():
    _, head = build()
    for region, names in ATTRIBUTES.items():
        classifier = head.classifiers[region]
        nn.init.zeros_(classifier.weight)
        for i, name in enumerate(names):
            classifier.bias.data[i] = SCHEMA.index(name)
    logits = head(dict.fromkeys(REGIONS, torch.zeros(1, 4, 3, 3).double()))
    assert logits.tolist() == [list(range(8))]


def test_region_features_have_the_size_of_their_rows():
    neck, _ = build()
    shapes = {name: tuple(x.shape) for name, x in neck(stages(256, 192)).items()}
    assert shapes == dict(
        head=(2, 4, 24, 48),
        torso=(2, 4, 16, 24),
        bottom=(2, 4, 16, 24),
        whole=(2, 4, 16, 12),
    )


def test_dropout_falls_in_training_only():
    neck, head = build()
    features = neck(stages(64, 32))
    assert torch.equal(head(features), head(features))
    head.train()
    head.dropout.p = 0.5
    dropped = torch.stack([head(features) for _ in range(200)]) == 0
    assert 0.4 < dropped.double().mean() < 0.6


@pytest.mark.parametrize("ple", ["BlockPLE", "SparsePLE", "KeypointPLE", "IdentityPLE"])
@pytest.mark.parametrize("scale", ["fixed", "learned"])
def test_an_empty_batch_gives_no_logits(ple, scale):
    neck, head = build(ple=dict(type=ple), scale=dict(mode=scale))
    x = backbone_features(CHANNELS, 64, 32, batch=0)
    keypoints = torch.zeros(0, 17, 3, dtype=torch.float64)
    for training in (False, True):
        neck.train(training)
        assert head(neck(x, keypoints)).shape == (0, 8)


def test_a_region_on_a_level_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match=r"'whole' reads level P3.*has P1 to P2"):
        SSPNetNeck((8, 16), REGIONS)


def test_a_region_with_a_name_that_modules_need_is_an_error():
    regions = dict(keys=dict(level=1, rows=(0, 1)))
    with pytest.raises(ValueError, match=r"\['keys'\] .*another in model\.regions"):
        SSPNetHead(SCHEMA, regions, in_channels=4)


def test_another_number_of_stages_is_an_error():
    neck, _ = build()
    with pytest.raises(ValueError, match=r"4 stages, but the backbone gives 1;"):
        neck(stages(64, 32)[-1:])


def test_keypoints_that_are_not_given_are_an_error_with_the_remedy():
    neck, _ = build(ple=dict(type="KeypointPLE"))
    with pytest.raises(ValueError, match=r"needs keypoints .* PARClassifier"):
        neck(stages(64, 32))


def test_a_region_that_the_neck_does_not_give_is_an_error():
    neck, head = build()
    features = neck(stages(64, 32))
    del features["torso"]
    with pytest.raises(
        ValueError, match=r"'head', 'torso', .*neck gives \['head', 'bo"
    ):
        head(features)


BACKBONES = {
    "ConvNeXt": (
        dict(type="mmpretrain.ConvNeXt", arch="atto", gap_before_final_norm=False),
        (40, 80, 160, 320),
    ),
    "Swin": (
        dict(type="mmpretrain.SwinTransformer", arch="tiny", pad_small_map=True),
        (96, 192, 384, 768),
    ),
    "ResNet": (dict(type="mmpretrain.ResNet", depth=18), (64, 128, 256, 512)),
}


@pytest.mark.parametrize("name", BACKBONES)
def test_any_backbone_with_four_stages_serves(name):
    backbone, channels = BACKBONES[name]
    config = dict(
        type="PARClassifier",
        data_preprocessor=dict(type="mmpretrain.ClsDataPreprocessor"),
        backbone=dict(**backbone, out_indices=(0, 1, 2, 3)),
        neck=dict(type="SSPNetNeck", in_channels=channels, out_channels=8),
        head=dict(type="SSPNetHead", schema=SCHEMA.to_dict(), in_channels=8),
        regions=REGIONS,
    )
    with DefaultScope.overwrite_default_scope("mmpar"):
        model = MODELS.build(config)
    logits = model.eval()(torch.randn(2, 3, 64, 32), mode="tensor")
    assert logits.shape == (2, 8)
    logits.sum().backward()
    assert all(p.grad is not None for p in model.neck.ple.parameters())
    assert next(model.backbone.parameters()).grad.abs().max() > 0
