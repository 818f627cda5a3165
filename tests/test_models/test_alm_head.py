"""ALM's head: votes, losses, boxes, laterals, export, and what it refuses."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mmpar.explain import ALMBoxes, GradCAM
from mmpar.models import ALMHead, ExponentialMovingAverage, PARClassifier
from mmpar.models.layers import (
    AttributeLocalization,
    LateralMap,
    PointwiseConv,
    pool_levels,
    region_weights,
)
from tests.fixtures.versions import since_torch
from tests.oracles.alm_pair import make_pair, schema_of
from tests.test_models.onnx_export import run_exported

CHANNELS = (24, 40, 48)
MAPS = ((16, 8), (8, 4), (4, 2))


def make_stages(batch: int = 2) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [
        torch.randn(batch, c, *size, generator=generator)
        for c, size in zip(CHANNELS, MAPS)
    ]


def make_head(num_attributes: int = 5, **kwargs) -> ALMHead:
    torch.manual_seed(0)
    head = ALMHead(schema_of(num_attributes), CHANNELS, channels=16, **kwargs)
    head.set_positive_ratio([0.1, 0.2, 0.5, 0.7, 0.9][:num_attributes])
    return head


class Stages(nn.Module):
    """In place of a backbone: the same stages for any images, cut into equal cells."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = make_stages()

    def forward(self, images: Tensor) -> list[Tensor]:
        zero = 0 * images[:1, :1]
        sizes = (stage.shape[2:] for stage in self.stages)
        cells = [F.adaptive_avg_pool2d(zero, size) for size in sizes]
        return [stage + cell for stage, cell in zip(self.stages, cells)]


def boxes_of(head: ALMHead, **kwargs) -> Tensor:
    """Of two images of 200 x 80 pixels."""
    model = PARClassifier(
        Stages(), head=head, data_preprocessor=dict(type="ClsDataPreprocessor")
    )
    return ALMBoxes(model, **kwargs)(torch.zeros(2, 3, 200, 80))


@pytest.mark.parametrize(
    ("voting", "expected"),
    [("max", [[3.0, 0.5]]), ("mean", [[1.0, -0.25]])],
)
def test_predictions_vote(voting: str, expected: list) -> None:
    head = make_head(voting=voting)
    logits = [
        torch.tensor([row]) for row in ([3.0, -1.0], [0.0, 0.5], [0.0, 0.0], [1, -0.5])
    ]
    assert head.vote(logits).tolist() == expected


def test_every_weight_has_a_gradient_even_where_maps_have_one_pixel() -> None:
    """A training by several processes would stop at a weight without one."""
    head = make_head()
    stages = [torch.randn(2, channels, 1, 1) for channels in CHANNELS]
    samples = [DataSample().set_gt_score(torch.ones(5)) for _ in range(2)]
    sum(head.loss(stages, samples).values()).backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None, name
        if "region" in name:
            assert not parameter.grad.any()


def test_every_prediction_is_supervised() -> None:
    head, stages = make_head(), make_stages()
    target = torch.tensor([[1, 0, -1, 1, 0], [0, 0, 1, -1, 1.0]])
    samples = [DataSample().set_gt_score(row) for row in target]
    losses = head.loss(stages, samples)
    logits, _ = head.predict_levels(stages)
    assert list(losses) == ["loss_level1", "loss_level2", "loss_level3", "loss_global"]
    for value, level in zip(losses.values(), logits):
        expected = head.loss_module(level, target, head.positive_ratio)
        torch.testing.assert_close(value, expected)
    sum(losses.values()).backward()
    assert all(p.grad is not None and p.grad.any() for p in head.parameters())


def test_boxes_are_in_pixels_of_the_input() -> None:
    head = make_head(align_corners=False)
    with torch.no_grad():
        for localization in head.localizations:
            localization.region_weight.zero_()
            # Half the width, all but 5% of the height, shifted right and not down.
            numbers = torch.tensor([0.0, 2.9444, 0.5493, 0.0])
            localization.region_bias.copy_(numbers)
    boxes = boxes_of(head, level="all")
    # Centre x at (1 + 0.5) / 2 * 80 = 60, 40 wide; centre y at 100, 190 high.
    expected = torch.tensor([40.0, 5.0, 80.0, 195.0]).expand(2, 5, 3, 4)
    torch.testing.assert_close(boxes, expected, atol=0.01, rtol=0)
    torch.testing.assert_close(boxes_of(head), boxes[:, :, 0])


def test_boxes_are_clipped_to_the_image() -> None:
    head = make_head()
    with torch.no_grad():
        head.localizations[0].region_bias.copy_(torch.tensor([3.0, 3.0, -3.0, 3.0]))
    left, top, right, bottom = boxes_of(head, level="all")[:, :, 0].unbind(-1)
    assert (left == 0).all()
    assert (bottom == 200).all()
    assert (top > 0).all()
    assert (right < 80).all()


def test_the_box_is_that_of_the_level_with_the_largest_logit() -> None:
    head = make_head()
    boxes = boxes_of(head, level="all")
    logits, _ = head.predict_levels(Stages().stages)
    strongest = torch.stack(logits[:-1]).argmax(0)
    assert len(strongest.unique()) > 1
    for image in range(2):
        for attribute in range(5):
            level = strongest[image, attribute]
            expected = boxes[image, attribute, level]
            assert torch.equal(boxes_of(head)[image, attribute], expected)


def test_an_unknown_level_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"'strongest', 'all'.*got 'best'"):
        boxes_of(make_head(), level="best")


def test_every_attribute_begins_as_linear_layers_of_its_own() -> None:
    torch.manual_seed(0)
    localization = AttributeLocalization(num_attributes=100, channels=48)
    inputs = dict(squeeze=48, excite=3, region=48, classifier=48)
    for name, fan_in in inputs.items():
        for kind in ("weight", "bias"):
            values = getattr(localization, f"{name}_{kind}") * fan_in**0.5
            assert -1 <= values.min() < -0.9
            assert 0.9 < values.max() <= 1


def test_everything_is_computed_on_the_device_of_the_stages() -> None:
    head = make_head().to("meta")
    assert head([stage.to("meta") for stage in make_stages()]).device.type == "meta"


def test_scores_need_no_samples() -> None:
    head, stages = make_head(), make_stages()
    scores = torch.stack([sample.pred_score for sample in head.predict(stages)])
    torch.testing.assert_close(scores, head(stages).sigmoid())


def expected_logits(head: ALMHead, stages: list[Tensor]) -> list[Tensor]:
    return [logits.detach() for logits in head.predict_levels(stages)[0]]


@pytest.mark.parametrize("num_attributes", [1, 5], ids=["convolved last", "first"])
def test_hooks_see_the_map_of_every_lateral(num_attributes: int) -> None:
    head, stages = make_head(num_attributes), make_stages()
    expected = expected_logits(head, stages)
    seen = {}
    for level, lateral in enumerate(head.laterals):
        lateral.register_forward_hook(
            lambda module, args, output, level=level: seen.update({level: output})
        )
    for value, reference in zip(expected_logits(head, stages), expected):
        torch.testing.assert_close(value, reference)
    assert [tuple(seen[level].shape) for level in range(3)] == [
        (2, 16, *size) for size in MAPS
    ]


def test_grad_cam_explains_by_the_map_of_a_lateral() -> None:
    model = PARClassifier(
        nn.Sequential(nn.AvgPool2d(4), SomeStages()),
        head=make_head(),
        data_preprocessor=dict(type="ClsDataPreprocessor"),
    )
    maps = GradCAM(model, target_layer="head.laterals.1")(torch.randn(2, 3, 64, 32))
    assert maps.shape == (2, 5, 64, 32)
    assert maps.any()


class SomeStages(nn.Module):
    """Stages of the channels and sizes that :func:`make_stages` gives."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(3, width, 1) for width in CHANNELS)

    def forward(self, image: Tensor) -> list[Tensor]:
        return [
            conv(nn.functional.adaptive_avg_pool2d(image, size))
            for conv, size in zip(self.convs, MAPS)
        ]


class LowRank(nn.Module):
    """LoRA: a convolution that stays and a product of two that is trained."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv.requires_grad_(False)
        self.down = nn.Conv2d(conv.in_channels, 2, 1, bias=False)
        self.up = nn.Conv2d(2, conv.out_channels, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        return self.conv(features) + self.up(self.down(features))


@pytest.mark.parametrize("num_attributes", [1, 5], ids=["convolved last", "first"])
def test_what_replaces_a_lateral_is_run_and_trained(num_attributes: int) -> None:
    head, stages = make_head(num_attributes), make_stages()
    merged = make_head(num_attributes)
    for level, conv in enumerate(head.laterals):
        low_rank = head.laterals[level] = LowRank(conv)
        update = low_rank.up.weight[:, :, 0, 0] @ low_rank.down.weight[:, :, 0, 0]
        merged.laterals[level].weight.data += update[:, :, None, None].detach()
    logits, _ = head.predict_levels(stages)
    for value, reference in zip(logits, expected_logits(merged, stages)):
        torch.testing.assert_close(value, reference)
    sum(value.square().sum() for value in logits).backward()
    for lateral in head.laterals:
        assert lateral.up.weight.grad.any()
        assert lateral.conv.weight.grad is None


def test_what_is_not_a_convolution_is_run_on_the_map() -> None:
    head, stages = make_head(1), make_stages()
    head.laterals[0] = nn.Sequential(head.laterals[0], nn.ReLU())
    rectified = head.laterals[0](stages[0])
    identity = make_head(1)
    identity.laterals[0] = nn.Identity()
    logits = expected_logits(identity, [rectified, *stages[1:]])
    for value, reference in zip(expected_logits(head, stages), logits):
        torch.testing.assert_close(value, reference)


@pytest.mark.parametrize(("inputs", "outputs"), [(8, 4), (4, 8)])
def test_a_lateral_is_run_when_it_costs_least(inputs: int, outputs: int) -> None:
    lateral = PointwiseConv(inputs, outputs)
    for size, num_means in itertools.product([(5, 3), (1, 2)], [1, 2, 5, 10]):
        stage = torch.zeros(1, inputs, *size)
        choices = [
            LateralMap(lateral(stage)),
            LateralMap(stage, lateral),
            LateralMap.of(lateral, stage, num_means),
        ]
        costs = []
        for choice in choices:
            with FlopCounterMode(display=False) as counter:
                means = choice if choice.pending else LateralMap(lateral(stage))
                means.means(torch.zeros(num_means, stage[0, 0].numel()))
            costs.append(counter.get_total_flops())
        assert costs[2] == min(costs[:2])


def test_means_of_half_precision_are_divided_once() -> None:
    """Rounded by itself, 1 / 9 times 1 / 13 is 0.7% off."""
    constant = torch.ones(1, 1, 9, 13, dtype=torch.bfloat16)
    assert pool_levels([LateralMap(constant)])[0].tolist() == [[1.0]]


@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize("align_corners", [True, False])
def test_region_weights_sum_to_one(size: int, align_corners: bool) -> None:
    torch.manual_seed(0)
    scale, shift = torch.rand(50), torch.rand(50) * 2 - 1
    weights = region_weights(scale, shift, size, align_corners)
    assert weights.shape == (50, size)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(50))


@pytest.mark.parametrize(
    ("backbone", "channels"),
    [
        (
            dict(type="mmpretrain.ResNet", depth=18, out_indices=(1, 2, 3)),
            (128, 256, 512),
        ),
        (
            dict(
                type="mmpretrain.SwinTransformer",
                arch=dict(embed_dims=16, depths=[1] * 4, num_heads=[1] * 4),
                img_size=(128, 64),
                window_size=4,
                pad_small_map=True,
                out_indices=(1, 2, 3),
            ),
            (32, 64, 128),
        ),
        (
            dict(
                type="mmpretrain.ConvNeXt",
                arch=dict(depths=[1] * 4, channels=[8, 16, 32, 64]),
                out_indices=(1, 2, 3),
                gap_before_final_norm=False,
            ),
            (16, 32, 64),
        ),
        (dict(type="mmpar.BNInception", out_indices=(0, 1, 2)), (320, 608, 1024)),
    ],
    ids=["resnet", "swin", "convnext", "bn_inception"],
)
def test_it_reads_any_backbone_with_three_stages(backbone, channels) -> None:
    model = MODELS.build(
        dict(
            type="mmpar.PARClassifier",
            backbone=backbone,
            head=dict(
                type="mmpar.ALMHead",
                schema=schema_of(4),
                in_channels=channels,
                channels=16,
            ),
        )
    )
    assert model(torch.randn(2, 3, 128, 64), mode="tensor") is not None
    assert model.head(model.extract_feat(torch.randn(2, 3, 128, 64))).shape == (2, 4)


class Logits(nn.Module):
    """The head from three stages to voted logits, for export."""

    def __init__(self, head: ALMHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> Tensor:
        return self.head((fine, middle, coarse))


@since_torch("2.6", "its older exporter mixes types")
@pytest.mark.parametrize("align_corners", [True, False])
def test_onnx_export_gives_the_same_logits_at_any_batch_size(align_corners) -> None:
    model = Logits(make_head(align_corners=align_corners)).eval()
    stages = make_stages(3)
    exported = run_exported(model, make_stages(), stages)
    assert (exported - model(*stages)).abs().max() < 1e-4


@since_torch("2.4", "its compiler knows no promote_types")
def test_it_compiles_without_a_graph_break() -> None:
    model = Logits(make_head())
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    stages = make_stages()
    torch.testing.assert_close(compiled(*stages), model(*stages))


def test_mixed_precision_stays_near_single_precision() -> None:
    fast, _ = make_pair(5, CHANNELS, 16)
    stages = make_stages()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = fast(stages)
        sum(value.float().square().sum() for value in mixed).backward()
    for value, reference in zip(mixed, fast(stages)):
        torch.testing.assert_close(value.float(), reference, atol=0.03, rtol=0.03)
    assert all(p.grad.isfinite().all() for p in fast.parameters())


def test_another_number_of_stages_is_an_error() -> None:
    with pytest.raises(ValueError, match="3 stages, but the backbone gives 2"):
        make_head()(make_stages()[1:])


def test_impossible_settings_are_errors() -> None:
    with pytest.raises(ValueError, match="voting is one of"):
        make_head(voting="median")
    with pytest.raises(ValueError, match="reduction=7"):
        make_head(reduction=7)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (dict(type="ALMNeck", in_channels=(8, 16), out_channels=4), r"\(8, 16\).*=4,"),
        (dict(type="ALMHead", global_channels=16, in_channels=256), r"in_channels=\(5"),
        (dict(type="ALMHead", in_channels=(8, 16), num_levels=3), "'num_levels'"),
        (dict(type="ALMHead", in_channels=(8, 16), predict_boxes=True), "ALMBoxes"),
    ],
)
def test_the_parts_of_an_old_config_say_what_to_write(part: dict, message: str) -> None:
    schema = {} if part["type"] == "ALMNeck" else dict(schema=schema_of(2))
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(part, _scope_="mmpar", **schema))


def test_weights_that_the_neck_had_in_an_old_checkpoint_are_loaded() -> None:
    model, other = (
        PARClassifier(
            Stages(), head=head, data_preprocessor=dict(type="ClsDataPreprocessor")
        )
        for head in (make_head(), make_head())
    )
    for parameter in other.parameters():
        nn.init.zeros_(parameter)
    old = {
        key.replace("head.laterals.", "neck.laterals."): value
        for key, value in model.state_dict().items()
    }
    assert sum(key.startswith("neck.laterals.") for key in old) == 6
    averaged = ExponentialMovingAverage(other)
    wrapped = {f"module.{key}": value for key, value in old.items()}
    averaged.load_state_dict({**wrapped, "steps": torch.tensor(3)})
    other.load_state_dict(old)
    for loaded in (averaged.module, other):
        for key, value in model.state_dict().items():
            assert torch.equal(value, loaded.state_dict()[key]), key
