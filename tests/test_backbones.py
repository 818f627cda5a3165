"""Every backbone file with every method: it builds, says what it is, and trains."""

import functools
import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample

from mmpar.registry import MODELS

CONFIGS = Path(__file__).parents[1] / "configs"
BACKBONES = sorted(path.stem for path in (CONFIGS / "_base_/backbones").glob("*.py"))
README = (CONFIGS / "README.md").read_text()
METHODS = ("baseline", "sspnet", "alm")
# As the README says to write them.
MODEL_OF = dict(
    re.findall(r"# (\w+)_r50_.*\n_base_.*\n\n(model = dict\((?:\n .*)+\n\))", README)
)
SIZE = (64, 32)  # (H, W)


@pytest.fixture(autouse=True)
def mmpar_scope():
    init_default_scope("mmpar")


@functools.cache
def listed():
    """The rows of the README's table: file, parameters, strides and channels."""
    rows = re.findall(
        r"\| `([\w-]+)\.py` \| ([\d.]+) \| ([\d, ]+) \| ([\d, ]+) ", README
    )
    return {name: (size, numbers(s), numbers(c)) for name, size, s, c in rows}


def numbers(text):
    return [int(number) for number in text.split(",")]


def compose(folder, method, backbone):
    """A config as the README says to write it."""
    bases = [
        CONFIGS / f"{method}/{method}_r50_pa100k.py",
        CONFIGS / f"_base_/backbones/{backbone}.py",
    ]
    path = folder / f"{method}_{backbone}_pa100k.py"
    path.write_text(f"_base_ = {[str(base) for base in bases]}\n{MODEL_OF[method]}")
    return Config.fromfile(path)


def build(cfg):
    if cfg.model.backbone.type == "TimmFeatures":
        pytest.importorskip("timm")
    model = MODELS.build(cfg.model)
    model.head.set_positive_ratio([0.3] * len(model.head.schema))
    return model


def shallow(backbone):
    """The architecture of a transformer with two blocks where it has many."""
    settings = MODELS.get(backbone.type).arch_zoo[backbone.arch]
    if "depths" in settings:
        return dict(settings, depths=[2] * len(settings["depths"]))
    return dict(settings, num_layers=2)


def samples(model):
    labels = torch.rand(2, len(model.head.schema)).round()
    return [DataSample().set_gt_score(label) for label in labels]


# HRNet computes all of its resolutions, whatever is read.
UNREAD = {"hrnet-w18": r"backbone\.timm_model\.(stage4\.2|incre_modules)\."}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_method_trains_on_a_backbone(backbone, method, tmp_path):
    cfg = compose(tmp_path, method, backbone)
    if backbone.startswith(("swin", "vit")):
        cfg.model.backbone.arch = shallow(cfg.model.backbone)
    model = build(cfg)
    losses = model.train()(torch.randn(2, 3, *SIZE), samples(model), mode="loss")
    sum(losses.values()).backward()
    assert all(loss.isfinite() for loss in losses.values())
    for name, weight in model.named_parameters():
        if weight.grad is None and method != "sspnet" and backbone in UNREAD:
            assert re.match(UNREAD[backbone], name)
        else:
            assert weight.grad is not None, name
            assert weight.grad.isfinite().all(), name


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_backbone_is_what_its_file_and_the_readme_say(backbone, tmp_path):
    cfg = compose(tmp_path, "sspnet", backbone)
    model = build(cfg)
    model.eval()
    with torch.no_grad():
        maps = model.backbone(torch.randn(1, 3, *SIZE))
    size = sum(weight.numel() for weight in model.backbone.parameters())
    strides = [SIZE[0] // found.shape[2] for found in maps]
    channels = [found.shape[1] for found in maps]
    assert listed()[backbone] == (f"{size / 1e6:.1f}", strides, channels)
    assert channels == list(cfg.channels)
    assert len(cfg.stages) == len(maps)


def test_the_readme_has_every_backbone_and_every_method():
    assert sorted(listed()) == BACKBONES
    assert set(MODEL_OF) == set(METHODS)


def test_pixels_are_those_of_the_weights(tmp_path):
    cfg = compose(tmp_path, "baseline", "bninception")
    model = build(cfg)
    inputs = [torch.full((3, 8, 8), 117, dtype=torch.uint8)]
    pixels = model.data_preprocessor(dict(inputs=inputs, data_samples=None))["inputs"]
    assert pixels[0, :, 0, 0].tolist() == [13, 0, -11]
