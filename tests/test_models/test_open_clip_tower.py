"""The towers give what open_clip's own models give."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch.nn import functional as F

from mmpar.models import OpenCLIPTower
from tests.fixtures.tiny_towers import CLIP, SIZE, TOWERS

open_clip = pytest.importorskip("open_clip")


def pair(name, **options):
    """A tower and open_clip's whole model, of the same random weights."""
    cfg = copy.deepcopy(TOWERS[name])
    custom = cfg.pop("custom_text", False)
    theirs = getattr(open_clip, "CustomTextCLIP" if custom else "CLIP")(**cfg).eval()
    ours = OpenCLIPTower(TOWERS[name], **options)
    ours.visual.load_state_dict(theirs.visual.state_dict())
    images = torch.randn(2, 3, SIZE[name], SIZE[name])
    return ours, theirs, images


def patches_of_clip(visual, images):
    """Tokens of the last block by hooks, then the norm and projection by hand."""
    seen = []
    handle = visual.transformer.resblocks[-1].register_forward_hook(
        lambda module, inputs, output: seen.append(output)
    )
    visual(images)
    handle.remove()
    weight, bias = visual.ln_post.weight, visual.ln_post.bias
    tokens = seen[0][:, 1:]
    centred = tokens - tokens.mean(-1, keepdim=True)
    variance = centred.square().mean(-1, keepdim=True)
    normal = centred / (variance + visual.ln_post.eps).sqrt() * weight + bias
    return normal @ visual.proj


def patches_of_siglip(visual, images):
    """Each patch is pooled as if there were no other."""
    patches = visual.trunk.forward_features(images)
    alone = [
        visual.trunk.attn_pool(patches[:, i : i + 1]) for i in range(len(patches[0]))
    ]
    return torch.stack(alone, dim=1)


PATCHES = dict(clip=patches_of_clip, siglip=patches_of_siglip)


@pytest.mark.parametrize("name", TOWERS)
@torch.no_grad()
def test_an_image_is_embedded_as_by_open_clip(name):
    tower, theirs, images = pair(name)
    torch.testing.assert_close(
        tower(images)[0], theirs.encode_image(images), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("name", TOWERS)
@torch.no_grad()
def test_patches_follow_the_image_row_by_row(name):
    tower, theirs, images = pair(name, patches=True)
    (found,) = tower(images)
    side = SIZE[name] // 16
    has_class_token = name == "siglip"  # of timm's vit_tiny, but not of SigLIP's own
    expected = PATCHES[name](theirs.visual, images)[:, int(has_class_token) :]
    assert found.shape == (2, 1 + side**2, TOWERS[name]["embed_dim"])
    torch.testing.assert_close(
        found[:, 0], theirs.encode_image(images), rtol=0, atol=1e-5
    )
    torch.testing.assert_close(found[:, 1:], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", TOWERS)
@torch.no_grad()
def test_texts_are_embedded_as_by_open_clip(name):
    tower, theirs, _ = pair(name, text=True)
    rest = {k: v for k, v in theirs.state_dict().items() if not k.startswith("visual.")}
    tower.text.load_state_dict(rest)
    texts = ["a photo of a person who carries a red umbrella", "a hat"]
    tokens = open_clip.get_tokenizer("ViT-B-16")(texts)
    expected = F.normalize(theirs.encode_text(tokens), dim=-1)
    torch.testing.assert_close(tower.embed_texts(texts), expected, rtol=0, atol=1e-5)
    assert tower.logit_scale == theirs.logit_scale.exp()


def test_it_is_frozen():
    tower = OpenCLIPTower(CLIP)
    tower.train()
    assert not any(module.training for module in tower.modules())
    assert not any(p.requires_grad for p in tower.parameters())


def test_without_a_text_side_it_has_no_weights_of_one():
    tower = OpenCLIPTower(CLIP)
    assert {key.split(".")[0] for key in tower.state_dict()} == {"visual"}
    with pytest.raises(ValueError, match="without its text side"):
        tower.embed_texts(["a hat"])


def test_an_unknown_model_is_refused():
    with pytest.raises(ValueError, match="has no model 'ViT-Z-16'"):
        OpenCLIPTower("ViT-Z-16")


@pytest.mark.parametrize(
    "name", ["hf-hub:someone/model", "local-dir:/tmp", "hf-hub:laion/CLIP"]
)
def test_no_name_has_a_config_fetched(name):
    with pytest.raises(ValueError, match="has no model"):
        OpenCLIPTower(name)


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("vision_cfg", "timm_model_name", "hf-hub:someone/model"),
        ("vision_cfg", "timm_model_pretrained", True),
        ("text_cfg", "hf_model_name", "someone/model"),
        ("text_cfg", "hf_tokenizer_name", "someone/model"),
    ],
)
def test_no_dict_has_anything_fetched(part, key, value):
    cfg = copy.deepcopy(CLIP)
    cfg[part][key] = value
    with pytest.raises(ValueError, match="would fetch"):
        OpenCLIPTower(cfg)


def fetch(monkeypatch, theirs):
    """Have open_clip "fetch" this model."""
    calls = []
    monkeypatch.setattr(
        open_clip,
        "create_model",
        lambda *args, **kw: calls.append((args, kw)) or theirs,
    )
    return calls


@pytest.mark.parametrize("text", [False, True])
@torch.no_grad()
def test_the_weights_of_open_clip_are_loaded_by_name(monkeypatch, text, log):
    _, theirs, images = pair("clip")
    expected = theirs.encode_image(images)
    scale = theirs.logit_scale.exp()
    calls = fetch(monkeypatch, theirs)
    init_cfg = dict(
        type="mmpar.Pretrained", checkpoint="open-clip://ViT-B-16/datacomp_xl_s13b_b90k"
    )
    tower = OpenCLIPTower(CLIP, text=text, init_cfg=init_cfg)
    tower.init_weights()
    assert calls == [(("ViT-B-16",), dict(pretrained="datacomp_xl_s13b_b90k"))]
    torch.testing.assert_close(tower(images)[0], expected, rtol=0, atol=1e-5)
    assert not text or tower.logit_scale == scale
    assert "missing" not in log.text


def test_unknown_weights_are_refused():
    tower = OpenCLIPTower(
        CLIP,
        init_cfg=dict(type="mmpar.Pretrained", checkpoint="open-clip://ViT-B-16/none"),
    )
    with pytest.raises(ValueError, match=r"no weights 'none' of 'ViT-B-16'.*openai"):
        tower.init_weights()


SHIPPED = sorted((Path(__file__).parents[2] / "configs/towers").glob("*6_pa100k.py"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_config_prepares_images_as_its_weights_want(path):
    cfg = Config.fromfile(path)
    backbone = cfg.model.backbone
    name, tag = backbone.init_cfg.checkpoint.removeprefix("open-clip://").split("/")
    assert name == backbone.model
    wanted = open_clip.get_pretrained_cfg(name, tag)
    assert wanted, "open_clip knows no such weights"
    look = cfg.model.data_preprocessor
    assert look.to_rgb is True
    np.testing.assert_allclose(look.mean, 255 * np.array(wanted["mean"]), rtol=1e-6)
    np.testing.assert_allclose(look.std, 255 * np.array(wanted["std"]), rtol=1e-6)
    resize = cfg.test_dataloader.dataset.pipeline[1]
    assert resize.interpolation == (wanted.get("interpolation") or "bicubic")
    model = open_clip.get_model_config(name)
    assert resize.scale == (model["vision_cfg"]["image_size"],) * 2
    assert cfg.model.head.in_channels == model["embed_dim"]


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("roberta-ViT-B-32", r"roberta-ViT-B-32.*from a hub.*ViT-B-16"),
        ("coca_ViT-B-32", r"coca_ViT-B-32 writes captions.*ViT-B-16"),
    ],
)
def test_a_name_that_needs_parts_of_others_is_refused(name, match):
    with pytest.raises(ValueError, match=match):
        OpenCLIPTower(name, text=True)
