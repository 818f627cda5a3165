"""Weights of official codes convert completely, and predict the same in mmpar."""

from __future__ import annotations

from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor

from mmpar.models import BNInception
from mmpar.models.converters import (
    CODES,
    Converted,
    convert_weights,
    find_code,
    find_weights,
)
from mmpar.registry import MODELS
from mmpar.structures import SCHEMAS, SchemaMismatchError
from tests.fixtures import official_weights
from tests.fixtures.official_weights import sspnet_weights, strong_baseline_weights
from tests.oracles import official_codes, transformers
from tests.oracles.alm import ALMLoop

CONFIGS = Path(__file__).parents[2] / "configs"
SCHEMA = SCHEMAS["pa100k"]
BASELINE, SSPNET, ALM = (
    "baseline/baseline_r50_pa100k.py",
    "sspnet/sspnet_r50_pa100k.py",
    "alm/alm_bninception_pa100k.py",
)
SMALL = dict(backbone=dict(depth=18), head=dict(in_channels=512))
"""The Strong Baseline's config for ResNet-18."""


def model_config(path: str, **changes: Any) -> dict[str, Any]:
    cfg = Config.fromfile(CONFIGS / path)
    cfg.merge_from_dict(dict(model=changes))
    return cfg.model.to_dict()


def shuffled(seed: int = 3) -> list[str]:
    """An attribute for each logit, in an order that is not the schema's."""
    order = torch.randperm(26, generator=torch.Generator().manual_seed(seed))
    return [SCHEMA.names[i] for i in order]


def convert(weights, config, outputs=None) -> Converted:
    with DefaultScope.overwrite_default_scope("mmpar"):
        return convert_weights(find_code(weights), weights, config, outputs)


def logits_of(converted: Converted, image: Tensor) -> Tensor:
    config = {**converted.model, "backbone": dict(converted.model["backbone"])}
    config["backbone"]["init_cfg"] = None
    with DefaultScope.overwrite_default_scope("mmpar"):
        model = MODELS.build(config).to(image.dtype).eval()
    model.load_state_dict(converted.state_dict)
    with torch.no_grad():
        return model(image, mode="tensor")


def in_order_of(outputs: list[str], logits: Tensor) -> Tensor:
    return logits[:, [SCHEMA.index(name) for name in outputs]]


def an_image(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


@cache
def sspnet_cached(norm: bool) -> dict[str, Tensor]:
    torch.manual_seed(0)
    return sspnet_weights(norm)


@cache
def baseline_cached(depth: int, norm: bool) -> dict[str, Tensor]:
    torch.manual_seed(0)
    return strong_baseline_weights(depth, 26, norm)


# --- the logits are those of the formulas -------------------------------------------


@pytest.mark.parametrize(("depth", "norm"), [(18, False), (18, True), (50, False)])
def test_the_strong_baseline_predicts_each_attribute_alike(depth, norm):
    weights, outputs = baseline_cached(depth, norm), shuffled()
    config = model_config(BASELINE, **(SMALL if depth == 18 else {}))
    image = an_image(2, 3, 64, 32)
    logits = logits_of(convert(weights, config, outputs), image)
    expected = official_codes.strong_baseline(weights, image)
    assert expected.std() > 0.1
    torch.testing.assert_close(
        in_order_of(outputs, logits), expected, rtol=0, atol=1e-9
    )


def cosine_weights() -> dict[str, Tensor]:
    weights = baseline_cached(18, False)
    backbone = {k: v for k, v in weights.items() if k.startswith("backbone.")}
    return {**backbone, "classifier.logits": weights["classifier.logits.0.weight"]}


def test_the_cosine_classifier_predicts_alike_up_to_the_scale_of_the_config():
    weights, outputs = cosine_weights(), shuffled()
    head = dict(type="CosinePARHead", in_channels=512, scale=8.0)
    head["loss"] = dict(type="WeightedBCELoss", weighting="exponential")
    config = model_config(BASELINE, backbone=dict(depth=18), head=head)
    image = an_image(2, 3, 64, 32)
    logits = logits_of(convert(weights, config, outputs), image)
    expected = official_codes.cosine_baseline(weights, image)
    assert expected.std() > 0.01
    torch.testing.assert_close(
        in_order_of(outputs, logits), 8 * expected, rtol=0, atol=1e-9
    )


def test_the_cosine_classifier_needs_its_head():
    with pytest.raises(ValueError, match=r"type='CosinePARHead'; this .*'LinearPARH"):
        convert(cosine_weights(), model_config(BASELINE, **SMALL), SCHEMA.names)


def parts(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    found = {k: v for k, v in weights.items() if k.startswith(prefix)}
    return {k.removeprefix(prefix): v for k, v in found.items()}


TRANSFORMERS = dict(
    swin=(
        official_weights.swin_weights,
        transformers.swin,
        dict(
            type="mmpretrain.SwinTransformer",
            arch=dict(embed_dims=96, depths=[2, 2, 2, 2], num_heads=[3, 6, 12, 24]),
        ),
        (64, 48),
    ),
    vit=(
        official_weights.vit_weights,
        lambda weights, image: transformers.vit(weights, image, heads=12),
        dict(
            type="mmpretrain.VisionTransformer",
            img_size=(256, 192),
            arch=dict(
                embed_dims=768, num_layers=2, num_heads=12, feedforward_channels=3072
            ),
        ),
        (256, 192),
    ),
)


@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_the_strong_baseline_predicts_alike_on_a_transformer(kind):
    """Maps of 16x12, 8x6, 4x3 and 2x2 in Swin: all are padded to windows of 7."""
    backbone_weights, oracle, backbone, size = TRANSFORMERS[kind]
    torch.manual_seed(0)
    weights = official_weights.with_classifier(backbone_weights(), 768, 26)
    config = model_config(
        BASELINE,
        backbone=dict(_delete_=True, **backbone),
        head=dict(in_channels=768),
    )
    image, outputs = an_image(2, 3, *size), shuffled()
    logits = logits_of(convert(weights, config, outputs), image)
    features = oracle(parts(weights, "backbone."), image)
    expected = official_codes.strong_baseline(weights, image, features)
    assert expected.std() > 0.1
    torch.testing.assert_close(
        in_order_of(outputs, logits), expected, rtol=0, atol=1e-9
    )


def test_the_strong_baseline_predicts_alike_on_bn_inception():
    """Its state dict has a classifier of ImageNet that nothing reads."""
    torch.manual_seed(0)
    backbone = BNInception().double().eval()
    state = {**backbone.state_dict(), "last_linear.weight": torch.zeros(1000, 1024)}
    weights = official_weights.with_classifier(state, 1024, 26)
    config = model_config(
        BASELINE,
        backbone=dict(_delete_=True, type="BNInception"),
        head=dict(in_channels=1024),
    )
    image, outputs = an_image(1, 3, 64, 64), shuffled()
    logits = logits_of(convert(weights, config, outputs), image)
    with torch.no_grad():
        features = backbone(image)[-1]
    expected = official_codes.strong_baseline(weights, image, features)
    torch.testing.assert_close(
        in_order_of(outputs, logits), expected, rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("norm", [False, True], ids=["linear", "BN"])
def test_sspnet_predicts_each_attribute_alike(norm):
    """At 64 pixels of width, as the oracle goes position by position."""
    weights, outputs = sspnet_cached(norm), shuffled()
    image = an_image(1, 3, 256, 64)
    converted = convert(weights, model_config(SSPNET), outputs)
    with torch.no_grad():
        expected = official_codes.sspnet(weights, image)
    assert expected.std() > 0.1
    torch.testing.assert_close(
        in_order_of(outputs, logits_of(converted, image)), expected, rtol=0, atol=1e-9
    )


def alm_weights(num_attributes: int = 26) -> tuple[dict[str, Tensor], Any]:
    torch.manual_seed(0)
    backbone = BNInception(out_indices=(0, 1, 2)).double().eval()
    loop = ALMLoop(num_attributes).double().eval()
    main = {f"main_branch.{k}": v for k, v in backbone.state_dict().items()}
    return {**main, **loop.state_dict()}, (backbone, loop)


@pytest.mark.parametrize("counted", [True, False], ids=["torch 1", "torch 0.4"])
def test_alm_predicts_as_the_loop_over_attributes(counted):
    weights, (backbone, loop) = alm_weights()
    if not counted:
        weights = {k: v for k, v in weights.items() if not k.endswith("_tracked")}
    image = an_image(1, 3, 256, 128)
    with torch.no_grad():
        expected = torch.stack(loop(list(backbone(image)))[0]).amax(0)
    logits = logits_of(convert(weights, model_config(ALM)), image)
    torch.testing.assert_close(logits, expected, rtol=1e-7, atol=1e-8)


def test_the_names_of_alm_are_those_of_the_released_code():
    """Shapes at one end and the other, and how many: 3 x 26 x 8 + 69 x 7 + 8."""
    weights, _ = alm_weights()
    assert len(weights) == 3 * 26 * 8 + 69 * 7 + 8
    assert weights["st_3b.fc_list.25.weight"].shape == (1, 768)
    assert weights["st_4d.stn_list.0.bias"].shape == (4,)
    assert weights["st_5b.att_list.3.conv2.weight"].shape == (256, 16, 1, 1)
    assert weights["latlayer_4d.weight"].shape == (256, 608, 1, 1)
    assert weights["finalfc.weight"].shape == (26, 1024)
    assert weights["main_branch.inception_4e_double_3x3_2.bias"].shape == (256,)


# --- the model is the official one, whatever the config says ------------------------


def test_regions_read_what_the_official_classifiers_do():
    outputs = shuffled()
    converted = convert(sspnet_cached(False), model_config(SSPNET), outputs)
    regions = converted.model["regions"]
    starts = dict(head=(0, 2), torso=(2, 9), bottom=(9, 14), whole=(14, 26))
    for name, (start, stop) in starts.items():
        assert set(regions[name]["attributes"]) == set(outputs[start:stop])
        assert regions[name]["groups"] is None
    assert converted.changes["neck.ple"]["grid_convention"] == "official"
    assert "neck.scale" not in converted.changes


@pytest.mark.parametrize(
    ("path", "weights", "changes"),
    [
        (SSPNET, lambda: sspnet_cached(False), dict(neck=dict(ple=dict(keep=0.5)))),
        (
            SSPNET,
            lambda: sspnet_cached(False),
            dict(regions=dict(torso=dict(level=1, rows=(0.0, 1.0)))),
        ),
        (SSPNET, lambda: sspnet_cached(False), dict(neck=dict(scale=None))),
        (SSPNET, lambda: sspnet_cached(False), dict(head=dict(pool_grids=(2, 1)))),
        (ALM, lambda: alm_weights()[0], dict(head=dict(voting="mean"))),
        (ALM, lambda: alm_weights()[0], dict(head=dict(align_corners=False))),
        (
            BASELINE,
            lambda: baseline_cached(50, False),
            dict(
                backbone=dict(style="caffe"),
                head=dict(exclusive_softmax=True, batch_norm=True),
            ),
        ),
    ],
)
def test_a_config_of_other_settings_becomes_the_official_ones(path, weights, changes):
    outputs = None if path == ALM else list(SCHEMA.names)
    plain = convert(weights(), model_config(path), outputs)
    other = model_config(path, data_preprocessor=dict(to_rgb=False), **changes)
    converted = convert(weights(), other, outputs)
    assert converted.model == plain.model
    assert converted.changes["data_preprocessor.to_rgb"] is True


def test_the_type_of_the_weights_is_kept():
    weights = baseline_cached(18, True)
    halves = {k: v.half() if v.is_floating_point() else v for k, v in weights.items()}
    converted = convert(halves, model_config(BASELINE, **SMALL), list(SCHEMA.names))
    assert converted.state_dict["head.classifier.weight"].dtype == torch.float16


# --- what cannot be converted is an error with names --------------------------------


def changed(weights, change):
    weights = dict(weights)
    change(weights)
    return weights


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            lambda w: w.pop("backbone.conv1.weight"),
            r"1 missing in the checkpoint: backbone\.conv1\.weight$",
        ),
        (
            lambda w: w.update(extra=torch.zeros(1)),
            r"1 left over, without a place in the model: extra$",
        ),
        (
            lambda w: w.pop("classifier.logits.0.bias"),
            r"missing in the checkpoint: classifier\.logits\.0\.bias",
        ),
        (
            lambda w: w.pop("classifier.logits.1.running_var"),
            r"missing in the checkpoint: classifier\.logits\.1\.running_var",
        ),
        (
            lambda w: w.update({"backbone.bn1.bias": torch.zeros(3)}),
            r"1 of another shape: backbone\.bn1\.bias \(3,\), expected \(64,\)",
        ),
    ],
)
def test_tensors_that_do_not_fit_are_named(change, match):
    weights = changed(baseline_cached(18, True), change)
    with pytest.raises(ValueError, match=match):
        convert(weights, model_config(BASELINE, **SMALL), list(SCHEMA.names))


def test_a_config_of_another_backbone_is_an_error_that_counts():
    with pytest.raises(ValueError, match=r"missing in the checkpoint: .* and \d+ more"):
        convert(baseline_cached(18, False), model_config(BASELINE), SCHEMA.names)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            lambda w: w.pop("st_4d.att_list.7.conv1.weight"),
            r"1 missing in the checkpoint: st_4d\.att_list\.7\.conv1\.weight$",
        ),
        (
            lambda w: w.update({"finalfc.bias": torch.zeros(51)}),
            "predicts 51 attributes, .* 'PA-100K' has 26",
        ),
        (
            lambda w: w.update({"st_3b.fc_list.26.weight": torch.zeros(1, 768)}),
            r"left over, .*: st_3b\.fc_list\.26\.weight",
        ),
        (
            lambda w: w.update({"latlayer_3b.bias": torch.zeros(8)}),
            r"of another shape: latlayer_3b\.bias \(8,\), expected \(256,\)",
        ),
    ],
)
def test_tensors_per_attribute_that_do_not_fit_are_named(change, match):
    with pytest.raises(ValueError, match=match):
        convert(changed(alm_weights()[0], change), model_config(ALM))


def test_a_missing_point_of_ple_is_named():
    weights = changed(
        sspnet_cached(False), lambda w: w.pop("classifier.PLEs.offset_conv.2.bias")
    )
    with pytest.raises(ValueError, match=r"PLEs\.offset_conv\.2\.bias$"):
        convert(weights, model_config(SSPNET), list(SCHEMA.names))


def test_variants_without_a_counterpart_say_so():
    pyramid = {k: v for k, v in sspnet_cached(False).items() if "backbone" in k}
    pyramid["classifier.logits.0.weight"] = torch.zeros(26, 256)
    with pytest.raises(ValueError, match=r"no counterpart.*linear classifier on P2"):
        convert(pyramid, model_config(BASELINE), list(SCHEMA.names))


def test_a_config_of_another_method_is_an_error():
    with pytest.raises(ValueError, match=r"weights of SSPNet.*has 'LinearPARHead'"):
        convert(sspnet_cached(False), model_config(BASELINE), list(SCHEMA.names))


def test_a_backbone_that_is_not_converted_is_an_error():
    config = model_config(BASELINE, backbone=dict(type="mmpretrain.ResNetV1d"))
    with pytest.raises(ValueError, match=r"\['ResNet', .*, not with ResNetV1d"):
        convert(baseline_cached(50, False), config, list(SCHEMA.names))


def test_the_small_vit_is_an_error():
    """Its attention has no biases, and another scale."""
    torch.manual_seed(0)
    backbone = official_weights.vit_weights()
    backbone = {k: v for k, v in backbone.items() if "qkv.bias" not in k}
    weights = official_weights.with_classifier(backbone, 768, 26)
    own = dict(_delete_=True, qkv_bias=False, **TRANSFORMERS["vit"][2])
    config = model_config(BASELINE, backbone=own, head=dict(in_channels=768))
    with pytest.raises(ValueError, match=r"2 missing .*blocks\.0\.attn\.qkv\.bias"):
        convert(weights, config, list(SCHEMA.names))


def test_other_attributes_are_an_error_with_the_names():
    outputs = [*SCHEMA.names[:-1], "Shoes"]
    config = model_config(BASELINE, **SMALL)
    with pytest.raises(ValueError, match=r"only one of the two: \['Shoes', 'boots'\]"):
        convert(baseline_cached(18, False), config, outputs)
    with pytest.raises(ValueError, match=r"predicts 26 attributes, 25 are named"):
        convert(baseline_cached(18, False), config, outputs[:-1])


def test_weights_of_no_official_code_are_an_error_with_the_codes():
    with pytest.raises(ValueError, match=r"Rethinking_of_PAR.*called \['a.b'\]"):
        find_code(["a.b"])
    assert [find_code([f"module.{part}"]).title for part in PARTS] == list(CODES)


PARTS = (
    "classifier.logits.0.x",
    "classifier.logits",
    "classifier.PLEs.x",
    "main_branch.x",
)


def test_converted_weights_carry_their_schema():
    config = model_config(BASELINE, **SMALL)
    converted = convert(baseline_cached(18, False), config, list(SCHEMA.names))
    groupless = SCHEMA.to_dict() | {"groups": {}}
    converted.model["head"]["schema"] = groupless
    with pytest.raises(SchemaMismatchError):
        logits_of(converted, an_image(1, 3, 64, 32))


# --- where a checkpoint keeps its weights -------------------------------------------

WEIGHTS = {"a.b": torch.arange(3.0), "c": torch.tensor(1)}


@pytest.mark.parametrize("prefix", ["", "module.", "module.module."])
@pytest.mark.parametrize("key", ["", "state_dicts", "state_dict", "model", "ema"])
def test_weights_are_found_wherever_they_are_kept(key, prefix):
    wrapped = {prefix + name: value for name, value in WEIGHTS.items()}
    checkpoint = {key: wrapped, "epoch": "in epoch 7"} if key else wrapped
    assert find_weights(checkpoint, "x.pth") == OrderedDict(WEIGHTS)


def test_equal_weights_under_two_names_are_one():
    """As the released code saves them: its ``state_dict_ema`` is not averaged."""
    wrapped = {"module." + name: value for name, value in WEIGHTS.items()}
    checkpoint = dict(state_dicts=wrapped, state_dict_ema=dict(WEIGHTS))
    assert find_weights(checkpoint, "x.pth").keys() == WEIGHTS.keys()


def test_of_different_weights_one_has_to_be_named():
    averaged = {**WEIGHTS, "c": torch.tensor(2)}
    checkpoint = dict(state_dicts=WEIGHTS, state_dict_ema=averaged, epoch="in 7")
    with pytest.raises(ValueError, match="under state_dicts and state_dict_ema; say"):
        find_weights(checkpoint, "x.pth")
    assert find_weights(checkpoint, "x.pth", "state_dict_ema")["c"] == 2
    assert find_weights(checkpoint, "x.pth", "state_dicts")["c"] == 1
    with pytest.raises(ValueError, match=r"no entry 'best'; it has .*'state_dict_ema'"):
        find_weights(checkpoint, "x.pth", "best")
