"""The tools around explainers run on any config and a checkpoint of it."""

import json
import re

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from mmpar.evaluation import AttributeLocalizationMetric
from mmpar.registry import MODELS
from tests.fixtures.trained import write_thin_config
from tests.test_tools.run import run_tool


def untrained(config, folder):
    init_default_scope("mmpar")
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(config).model)
    path = folder / "untrained.pth"
    torch.save(dict(state_dict=model.state_dict()), path)
    return path


@pytest.mark.parametrize(
    ("method", "explainer"),
    [("sspnet", "GradCAMP"), ("sspnet", "PLEPoints"), ("alm", "ALMBoxes")],
)
def test_places_are_judged_by_the_true_boxes(
    tmp_path, trained_work_dir, method, explainer
):
    config, checkpoint = write_thin_config(method, tmp_path), trained_work_dir(method)
    text = run_tool(
        "analysis_tools/eval_localization.py",
        *(config, checkpoint, "--explainer", explainer, "--out", "out.json"),
        cwd=tmp_path,
    )
    mean = float(re.search(r"localization/mean_iou: ([\d.]+)", text).group(1))
    written = json.loads((tmp_path / "out.json").read_text())
    assert 0 < mean < 100
    assert written["metrics"]["mean_iou"] == pytest.approx(mean, abs=1e-3)


def with_averaged_weights(config, folder):
    path = folder / "averaged.py"
    path.write_text(
        f"_base_ = [{str(config)!r}]\n"
        "custom_hooks = [dict(type='EMAHook', momentum=0.001)]\n"
    )
    return path


@pytest.mark.parametrize("averaged", [False, True])
def test_occluding_the_box_is_compared_with_occluding_another(
    tmp_path, trained_work_dir, averaged
):
    config = write_thin_config("sspnet", tmp_path)
    if averaged:
        config = with_averaged_weights(config, tmp_path)
    text = run_tool(
        "analysis_tools/occlusion_test.py",
        *(config, trained_work_dir("sspnet"), "--explainer", "GradCAMP"),
        *("--num", 4),
        cwd=tmp_path,
    )
    assert re.search(r"\| all +" + r"\| +\d+ \| +[\d.]+ " * 2, text)
    assert re.search(r"\| images, by the mean of their boxes +\| +[1-4] \|", text)
    assert re.search(r"Not compared: \d+ boxes too large .*, \d+ answers", text)
    assert re.search(r"occlusion/in_image: \d.*occlusion/in_region: \d", text)


def test_the_gallery_is_drawn(tmp_path, trained_work_dir):
    config = write_thin_config("sspnet", tmp_path)
    run_tool(
        "analysis_tools/explain_gallery.py",
        *(config, trained_work_dir("sspnet"), "--explainer", "GradCAMP"),
        *("--persons", 2, "--attributes", 3, "--out", "gallery.png"),
        cwd=tmp_path,
    )
    width, height = Image.open(tmp_path / "gallery.png").size
    assert min(width, height) > 300


def test_the_gallery_of_ones_own_images_needs_no_boxes(tmp_path):
    """Images, a list, an inherited config: fewer of both than are asked for."""
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        noise = rng.integers(0, 256, (128, 64, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{name}.png")
    (tmp_path / "test.csv").write_text("path,M\u00fctze,Bag\na.png,1,0\nb.png,0,\n")
    config = tmp_path / "own.py"
    config.write_text(
        f"""_base_ = [{str(write_thin_config("linear", tmp_path))!r}]
names = ["M\u00fctze", "Bag"]
model = dict(head=dict(schema=dict(_delete_=True, names=names)))
test_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        _delete_=True,
        type="AttributeListDataset",
        data_root={str(tmp_path)!r},
        ann_file="test.csv",
        pipeline=[dict(type="LoadPersonImage"), dict(type="PackPARInputs")],
    ),
)
""",
        encoding="utf-8",
    )
    said = run_tool(
        "analysis_tools/explain_gallery.py",
        *(config, untrained(config, tmp_path), "--out", "gallery.png"),
        cwd=tmp_path,
    )
    assert "2 persons, 2 attributes each, in gallery.png" in said
    assert "no more of the first 2 images" in said
    assert min(Image.open(tmp_path / "gallery.png").size) > 300


def test_the_metric_says_how_true_boxes_are_given():
    metric = AttributeLocalizationMetric()
    sample = dict(img_path="a.png", gt_score=np.zeros(2), img_shape=(4, 3))
    with pytest.raises(
        ValueError, match=r"a\.png has no gt_attribute_boxes.*COCO's"
    ) as e:
        metric.process(None, [sample])
    assert "dict(type='LoadAttributeBoxes', ann_file='boxes.json'" in str(e.value)
