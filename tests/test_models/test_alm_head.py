"""ALM's neck and head: votes, losses, boxes, export, and what they refuse."""

from __future__ import annotations

import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmpar.models import ALMHead, ALMNeck
from mmpar.models.layers import region_weights
from tests.oracles.alm_pair import make_pair, schema_of
from tests.test_models.onnx_export import run_exported

CHANNELS = (24, 40, 48)
MAPS = ((16, 8), (8, 4), (4, 2))


def make_stages(batch: int = 2) -> list[Tensor]:
    return [torch.randn(batch, c, *size) for c, size in zip(CHANNELS, MAPS)]


def make_parts(**kwargs) -> tuple[ALMNeck, ALMHead]:
    torch.manual_seed(0)
    neck = ALMNeck(CHANNELS, out_channels=16)
    head = ALMHead(schema_of(5), CHANNELS[-1], in_channels=16, **kwargs)
    head.set_positive_ratio([0.1, 0.2, 0.5, 0.7, 0.9])
    return neck, head


@pytest.mark.parametrize(
    ("voting", "expected"),
    [("max", [[3.0, 0.5]]), ("mean", [[1.0, -0.25]])],
)
def test_predictions_vote(voting: str, expected: list) -> None:
    _, head = make_parts(voting=voting)
    logits = [
        torch.tensor([row]) for row in ([3.0, -1.0], [0.0, 0.5], [0.0, 0.0], [1, -0.5])
    ]
    assert head.vote(logits).tolist() == expected


def test_every_prediction_is_supervised() -> None:
    neck, head = make_parts()
    feats = neck(make_stages())
    target = torch.tensor([[1, 0, -1, 1, 0], [0, 0, 1, -1, 1.0]])
    samples = [DataSample().set_gt_score(row) for row in target]
    losses = head.loss(feats, samples)
    logits, _ = head.read(feats)
    assert list(losses) == ["loss_level1", "loss_level2", "loss_level3", "loss_global"]
    for value, level in zip(losses.values(), logits):
        expected = head.loss_module(level, target, head.positive_ratio)
        torch.testing.assert_close(value, expected)
    sum(losses.values()).backward()
    for part in (neck, head):
        assert all(p.grad is not None and p.grad.any() for p in part.parameters())


def test_boxes_are_in_pixels_of_the_input() -> None:
    neck, head = make_parts(predict_boxes=True)
    with torch.no_grad():
        for localization in head.localizations:
            localization.region_weight.zero_()
            # Half the width, all but 5% of the height, shifted right and not down.
            numbers = torch.tensor([0.0, 2.9444, 0.5493, 0.0])
            localization.region_bias.copy_(numbers)
    head.align_corners = False
    samples = [DataSample(metainfo=dict(img_shape=(200, 80))) for _ in range(2)]
    predicted = head.predict(neck(make_stages()), samples)
    assert predicted[0].pred_boxes.shape == (3, 5, 4)
    # Centre x at (1 + 0.5) / 2 * 80 = 60, 40 wide; centre y at 100, 190 high.
    expected = torch.tensor([40.0, 5.0, 80.0, 195.0]).expand(3, 5, 4)
    torch.testing.assert_close(predicted[0].pred_boxes, expected, atol=0.01, rtol=0)
    assert predicted[0].pred_score.shape == (5,)


def test_boxes_are_clipped_to_the_picture() -> None:
    neck, head = make_parts(predict_boxes=True)
    with torch.no_grad():
        head.localizations[0].region_bias.copy_(torch.tensor([3.0, 3.0, -3.0, 3.0]))
    samples = [DataSample(metainfo=dict(img_shape=(200, 80))) for _ in range(2)]
    for sample in head.predict(neck(make_stages()), samples):
        left, top, right, bottom = sample.pred_boxes[0].unbind(-1)
        assert (left == 0).all()
        assert (bottom == 200).all()
        assert (top > 0).all()
        assert (right < 80).all()


def test_boxes_need_the_size_of_the_picture() -> None:
    neck, head = make_parts(predict_boxes=True)
    with pytest.raises(ValueError, match="img_shape"):
        head.predict(neck(make_stages()))


def test_scores_alone_need_no_samples() -> None:
    neck, head = make_parts()
    feats = neck(make_stages())
    predicted = head.predict(feats)
    scores = torch.stack([sample.pred_score for sample in predicted])
    torch.testing.assert_close(scores, head(feats).sigmoid())
    assert "pred_boxes" not in predicted[0]


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
def test_it_stands_on_any_backbone_with_three_stages(backbone, channels) -> None:
    model = MODELS.build(
        dict(
            type="mmpretrain.ImageClassifier",
            backbone=backbone,
            neck=dict(type="mmpar.ALMNeck", in_channels=channels, out_channels=16),
            head=dict(
                type="mmpar.ALMHead",
                schema=schema_of(4),
                global_channels=channels[-1],
                in_channels=16,
            ),
        )
    )
    assert model(torch.randn(2, 3, 128, 64), mode="tensor") is not None
    assert model.head(model.extract_feat(torch.randn(2, 3, 128, 64))).shape == (2, 4)


class Logits(nn.Module):
    """Neck and head from three stages to voted logits, for export."""

    def __init__(self, neck: ALMNeck, head: ALMHead) -> None:
        super().__init__()
        self.neck = neck
        self.head = head

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> Tensor:
        return self.head(self.neck((fine, middle, coarse)))


@pytest.mark.parametrize("align_corners", [True, False])
def test_onnx_export_gives_the_same_logits_at_any_batch_size(align_corners) -> None:
    model = Logits(*make_parts(align_corners=align_corners)).eval()
    stages = make_stages(3)
    exported = run_exported(model, make_stages(), stages)
    assert (exported - model(*stages)).abs().max() < 1e-4


def test_it_compiles_without_a_graph_break() -> None:
    model = Logits(*make_parts())
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


def test_neck_and_head_refuse_another_number_of_stages() -> None:
    neck, head = make_parts()
    with pytest.raises(ValueError, match="3 stages, but the backbone gives 2"):
        neck(make_stages()[1:])
    with pytest.raises(ValueError, match="num_levels=3, but the neck gives 2"):
        head(neck(make_stages())[1:])


def test_impossible_settings_are_errors() -> None:
    with pytest.raises(ValueError, match="voting is one of"):
        make_parts(voting="median")
    with pytest.raises(ValueError, match="reduction=7"):
        make_parts(reduction=7)
