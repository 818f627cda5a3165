"""The tools around explainers run on any config and a checkpoint of it."""

import json
import re

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from mmpar.datasets import LoadBodyZones, SyntheticPAR
from mmpar.evaluation import AttributeLocalizationMetric
from mmpar.registry import MODELS
from mmpar.structures import SCHEMAS
from mmpar.structures.body_zones import ZONES, body_zones
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


def test_places_are_judged_by_body_zones(tmp_path, trained_work_dir):
    """Of drawn persons, whose keypoints are known, and by regions, which need no model.

    The centre of a region's rows lies in a zone or not whatever the weights are.
    """
    config, checkpoint = (
        write_thin_config("sspnet", tmp_path),
        trained_work_dir("sspnet"),
    )
    run_tool(
        "analysis_tools/eval_localization.py",
        *(config, checkpoint, "--explainer", "RegionBoxes", "--zones"),
        *("--out", "out.json"),
        cwd=tmp_path,
    )
    found = json.loads((tmp_path / "out.json").read_text())["attributes"]
    schema = SCHEMAS["pa100k"]
    persons = SyntheticPAR(
        split="test", num_samples=4, pipeline=[dict(type="DrawSyntheticPerson")]
    )
    # The rows of the config; x is the middle of the image.
    centres = dict(head=0.375 / 2, upper=0.375, lower=0.75, foot=0.75)
    for attribute, name in enumerate(schema.names):
        group = next((g for g, own in schema.groups.items() if name in own), None)
        inside, count = 0, 0
        for person in persons:
            height, width = person["ori_shape"]
            if person["gt_score"][attribute] != 1 or group not in ZONES:
                continue
            zones = body_zones(person["gt_keypoints"][0], width, height)
            x1, y1, x2, y2 = zones[ZONES.index(group)]
            if not np.isnan(x1):
                centre = centres[group] * height
                count += 1
                inside += x1 <= width / 2 < x2 and y1 <= centre < y2
        assert found.get(name, dict(boxes=0))["boxes"] == count
        if count:
            assert found[name]["pointing"] == pytest.approx(100 * inside / count)
    assert sum(one["boxes"] for one in found.values()) > 4


def test_zones_of_images_without_keypoints_are_refused():
    zones = LoadBodyZones("pa100k")
    with pytest.raises(ValueError, match=r"a\.jpg has no keypoints, .*add_keypoints"):
        zones(dict(img_path="a.jpg", ori_shape=(8, 4)))
    with pytest.raises(ValueError, match="no attribute of 'mine' has a body zone"):
        LoadBodyZones(dict(names=["Hat"], title="mine"))


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
