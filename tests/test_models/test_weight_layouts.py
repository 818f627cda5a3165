"""Weights of other codes, by their own names: the models compute what theirs do."""

import argparse

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from torch import nn

from mmpar.models import SOLIDERLayout, TimmViTLayout
from mmpar.registry import MODELS
from tests.oracles.vit import vit_map

WIDTH, HEADS, GRID = 16, 2, (5, 2)  # of the file: (rows, columns)
VIT = dict(
    type="ViTPyramid",
    arch=dict(embed_dims=WIDTH, num_layers=2, num_heads=HEADS, feedforward_channels=32),
    img_size=(64, 48),
    out_indices=(2,),
)
SWIN = dict(
    type="mmpretrain.SwinTransformer",
    arch=dict(embed_dims=8, depths=(1, 1, 2, 1), num_heads=(1, 1, 2, 2)),
    window_size=3,
    pad_small_map=True,
    out_indices=(0, 1, 2, 3),
)
FOLDED = dict(SWIN, stage_cfgs=dict(downsample_cfg=dict(bias=True)))


@pytest.fixture(autouse=True)
def mmpar_scope():
    init_default_scope("mmpar")


def load(cfg, folder, content, **layout):
    """A backbone in float64 from a file."""
    torch.save(content, folder / "public.pth")
    init = dict(type="Pretrained", checkpoint=str(folder / "public.pth"), layout=layout)
    backbone = MODELS.build(dict(cfg, init_cfg=init))
    backbone.init_weights()
    backbone.eval()
    return backbone.double()


def vit_weights():
    """As HAP publishes them, with the decoder of its pre-training."""
    shapes = {
        "cls_token": (1, 1, WIDTH),
        "pos_embed": (1, GRID[0] * GRID[1] + 1, WIDTH),
        "patch_embed.proj": (WIDTH, 3, 16, 16),
        "norm": (WIDTH,),
        "decoder_embed": (8, WIDTH),
    }
    for block in ("blocks.0", "blocks.1"):
        shapes |= {
            f"{block}.norm1": (WIDTH,),
            f"{block}.attn.qkv": (3 * WIDTH, WIDTH),
            f"{block}.attn.proj": (WIDTH, WIDTH),
            f"{block}.norm2": (WIDTH,),
            f"{block}.mlp.fc1": (32, WIDTH),
            f"{block}.mlp.fc2": (WIDTH, 32),
        }
    weights = {}
    for name, shape in shapes.items():
        if name in ("cls_token", "pos_embed"):
            weights[name] = torch.randn(shape)
        else:
            weights[f"{name}.weight"] = torch.randn(shape) / 4
            weights[f"{name}.bias"] = torch.randn(shape[:1]) / 4
    return weights


def test_a_vit_of_hap_computes_what_hap_s_does(tmp_path):
    weights = vit_weights()
    content = dict(model=weights, args=argparse.Namespace(epochs=400), epoch=399)
    backbone = load(VIT, tmp_path, content, type="TimmViTLayout", grid=GRID)
    image = torch.randn(1, 3, 64, 48, dtype=torch.float64)
    table = weights["pos_embed"][0, 1:].T.reshape(1, WIDTH, *GRID)
    places = F.interpolate(table, (4, 3), mode="bicubic")[0].flatten(1).T.double()
    ours = {name: value.double() for name, value in weights.items()}
    with torch.no_grad():
        (found,) = backbone(image)
    expected = vit_map(image[0], ours, HEADS, places)
    torch.testing.assert_close(found[0], expected, rtol=1e-9, atol=1e-9)


def test_position_embeddings_of_another_grid_are_refused():
    vit = MODELS.build(VIT)
    with pytest.raises(ValueError, match=r"11 position embeddings, .*\(16, 8\) makes"):
        TimmViTLayout(grid=(16, 8))(dict(model=vit_weights()), vit)


def test_what_a_vit_s_file_lacks_is_said(tmp_path, log):
    weights = vit_weights()
    load(
        dict(VIT, out_indices=(1, 2)),
        tmp_path,
        weights,
        type="TimmViTLayout",
        grid=GRID,
    )
    (said,) = (r for r in log.records if "match" in r.getMessage())
    assert said.levelname == "WARNING"
    text = (
        "30 of the model's 32 weights match; 2 missing in the checkpoint, first: levels"
    )
    assert text in said.getMessage()


def solider_weights():
    """As SOLIDER publishes them: the controllers, the head of the pre-training."""
    swin = MODELS.build(SWIN)
    weights = swin.state_dict()
    for name, value in swin.named_parameters():
        weights[name] = torch.randn_like(value) / 4
    controllers = nn.ModuleDict(
        {
            f"semantic_embed_{kind}": nn.ModuleList(
                nn.Linear(2, 8 * 2 ** min(stage + 1, 3)) for stage in range(4)
            )
            for kind in "wb"
        }
    )
    weights.update(controllers.state_dict())
    found = {f"backbone.{name}": value.detach() for name, value in weights.items()}
    return {**found, "head.last_layer.weight": torch.ones(2)}, controllers.double()


def solider(weights, controllers, image, semantic_weight):
    """Its maps as its code computes them, controlling after every patch merging."""
    swin = MODELS.build(SWIN)
    bare = {name.removeprefix("backbone."): value for name, value in weights.items()}
    swin.load_state_dict(bare, strict=False)
    swin.eval()
    swin.double()
    shares = torch.tensor([[semantic_weight, 1 - semantic_weight]], dtype=torch.float64)
    x, size = swin.patch_embed(image)
    maps = []
    for index, stage in enumerate(swin.stages):
        x, size = stage(x, size, do_downsample=False)
        out = getattr(swin, f"norm{index}")(x)
        maps.append(out.transpose(1, 2).unflatten(2, size))
        if stage.downsample is not None:
            x, size = stage.downsample(x, size)
            scale = controllers["semantic_embed_w"][index](shares)
            shift = controllers["semantic_embed_b"][index](shares)
            x = x * (1 + scale.exp()).log() + shift
    return maps


@pytest.mark.parametrize("semantic_weight", [0.2, 1.0])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_swin_of_solider_computes_what_solider_s_does(
    semantic_weight, wrapped, tmp_path
):
    weights, controllers = solider_weights()
    content = {f"module.{n}": v for n, v in weights.items()} if wrapped else weights
    layout = dict(type="SOLIDERLayout", semantic_weight=semantic_weight)
    backbone = load(FOLDED, tmp_path, dict(teacher=content), **layout)
    image = torch.randn(1, 3, 64, 48, dtype=torch.float64)
    with torch.no_grad():
        found = backbone(image)
        expected = solider(weights, controllers, image, semantic_weight)
    for one, other in zip(found, expected):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_nothing_of_solider_is_missing(tmp_path, log):
    weights, _ = solider_weights()
    load(FOLDED, tmp_path, weights, type="SOLIDERLayout", semantic_weight=1.0)
    (said,) = (r for r in log.records if "match" in r.getMessage())
    assert said.levelname == "INFO"
    assert "missing" not in said.getMessage()


def test_another_swin_is_not_taken_for_solider_s():
    swin = MODELS.build(SWIN)
    with pytest.raises(ValueError, match=r"no semantic_embed_w .*; it has patch_embed"):
        SOLIDERLayout(semantic_weight=1.0)(swin.state_dict(), swin)


def test_without_a_bias_solider_s_shift_is_missed_aloud(tmp_path, log):
    weights, _ = solider_weights()
    load(SWIN, tmp_path, weights, type="SOLIDERLayout", semantic_weight=1.0)
    (said,) = (r for r in log.records if "match" in r.getMessage())
    assert "downsample.reduction.bias" in said.getMessage()


@pytest.mark.parametrize("name", ["lcnet_050", "tresnet_m"])
def test_a_model_of_timm_computes_what_timm_s_does(name, tmp_path, log):
    timm = pytest.importorskip("timm")
    whole = timm.create_model(name).eval()
    cfg = dict(
        type="TimmFeatures",
        model_name=name,
        out_indices=(4,),
    )
    backbone = load(cfg, tmp_path, whole.state_dict(), type="TimmLayout").float()
    image = torch.randn(1, 3, 64, 48)
    with torch.no_grad():
        (found,) = backbone(image)
        torch.testing.assert_close(found, whole.forward_features(image))
    (said,) = (r for r in log.records if "match" in r.getMessage())
    assert said.levelname == "INFO"
    assert "missing" not in said.getMessage()
