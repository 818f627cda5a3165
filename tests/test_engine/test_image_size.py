"""image_size changes all that depends on it, or is refused."""

from argparse import Namespace
from pathlib import Path

import pytest

from mmpar.engine import read_config

CONFIGS = Path(__file__).parents[2] / "configs"


def read(config, **options):
    return read_config(Namespace(config=str(config), cfg_options=options))


def sizes(cfg):
    steps = [
        step
        for part in ("train", "val", "test")
        for step in cfg[f"{part}_dataloader"].dataset.pipeline
    ]
    return (
        {tuple(step.scale) for step in steps if step.type == "Resize"},
        {tuple(step.crop_size) for step in steps if step.type == "RandomCrop"},
    )


def test_the_option_reaches_resizing_and_cropping():
    cfg = read(CONFIGS / "sspnet/sspnet_r50_pa100k.py", image_size=[128, 320])
    assert sizes(cfg) == ({(128, 320)}, {(320, 128)})


def test_the_option_reaches_a_backbone_of_fixed_size():
    cfg = read(CONFIGS / "alm/alm_swin-s_peta.py", image_size=[64, 128])
    assert sizes(cfg)[0] == {(64, 128)}
    assert tuple(cfg.model.backbone.img_size) == (128, 64)


def test_the_option_reaches_scoped_and_wrapped_transforms(tmp_path):
    base = CONFIGS / "baseline/baseline_r50_pa100k.py"
    child = tmp_path / "child.py"
    child.write_text(
        f"_base_ = [{str(base)!r}]\n"
        "resize = dict(type='mmpar.Resize', scale=_base_.image_size)\n"
        "train_dataloader = dict(dataset=dict(pipeline=[\n"
        "    dict(type='LoadPersonImage'),\n"
        "    dict(type='RandomChoice', transforms=[[resize], [resize]]),\n"
        "    dict(type='PackPARInputs')]))\n"
    )
    cfg = read(child, image_size=[128, 320])
    branches = cfg.train_dataloader.dataset.pipeline[1].transforms
    assert [tuple(branch[0].scale) for branch in branches] == [(128, 320)] * 2


def test_a_size_that_nothing_would_read_is_refused(tmp_path):
    base = CONFIGS / "sspnet/sspnet_r50_pa100k.py"
    child = tmp_path / "child.py"
    child.write_text(f"_base_ = [{str(base)!r}]\nimage_size = (128, 320)\n")
    with pytest.raises(
        ValueError,
        match=r"image_size is \(128, 320\).*resizes to \(192, 256\).*\[128,320\]",
    ):
        read(child)


@pytest.mark.parametrize("size", [64, [64], [64, 0], "64x128", [64.0, 128.0]])
def test_what_is_no_size_is_refused(size):
    with pytest.raises(ValueError, match=r"image_size is \(width, height\)"):
        read(CONFIGS / "baseline/baseline_r18_synthetic.py", image_size=size)


@pytest.mark.parametrize(
    "config", sorted(CONFIGS.glob("[!_]*/*.py")), ids=lambda path: path.stem
)
def test_every_config_has_one_image_size(config):
    read(config)
