"""What the documentation shows works as it stands there."""

import re
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope, init_default_scope

from mmpar.registry import DATASETS, MODELS
from mmpar.structures import build_schema
from tests.fixtures.pa100k import write_images

ROOT = Path(__file__).parents[1]


def code_blocks(page, language=""):
    """The contents of the fenced blocks of a page."""
    text = (ROOT / page).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


BASES = sorted(
    str(path.relative_to(ROOT / "configs"))
    for path in ROOT.glob("configs/*/*.py")
    if path.parent.name != "_base_"
)


def own_config(folder, base):
    """The page's config with another base and splits of two images, in a new folder."""
    (folder / "configs").mkdir()
    for part in (ROOT / "configs").iterdir():
        (folder / "configs" / part.name).symlink_to(part)
    data = folder / "data/my_site"
    write_images(data / "crops", ["0001.jpg", "0002.jpg"])
    header, *rows = code_blocks("docs/own_data.md")[1].split()
    splits = [f"{row},{part}" for part in ("train", "val", "test") for row in rows]
    (data / "split.csv").write_text("\n".join([f"{header},split", *splits]))
    text = code_blocks("docs/own_data.md", "python")[0]
    text = text.replace("./sspnet/sspnet_r50_pa100k.py", f"./{base}")
    if Config.fromfile(ROOT / "configs" / base).val_dataloader is None:
        # As the page says.
        text = re.sub(r"val_dataloader = dict\(.*?\n\)\n", "", text, flags=re.DOTALL)
    (folder / "configs/my_site.py").write_text(text)
    return Config.fromfile(folder / "configs/my_site.py")


@pytest.mark.parametrize("base", BASES)
def test_own_attributes_are_set_once_whatever_config_is_inherited(
    tmp_path, monkeypatch, base
):
    monkeypatch.chdir(tmp_path)
    init_default_scope("mmpar")
    cfg = own_config(tmp_path, base)
    regions = {"regions": cfg.model.regions} if "regions" in cfg.model else {}
    head = MODELS.build(cfg.model.head, default_args=regions)
    loaders = [cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader]
    inherited = Config.fromfile(ROOT / "configs" / base)
    for loader, part in zip(loaders, ("train", "val", "test")):
        if loader is None:
            continue
        dataset = DATASETS.build(loader.dataset)
        assert dataset.schema == head.schema == build_schema(cfg.schema)
        pipeline = inherited[f"{part}_dataloader"].dataset.pipeline
        assert loader.dataset.pipeline == pipeline
        if "synthetic" not in base and "cached" not in base:
            sample = dataset[1]["data_samples"]
            np.testing.assert_array_equal(sample.gt_score.numpy(), [0, -1, 1])
    if regions:
        assert set(head.classifiers) <= {"head", "torso", "bottom", "whole"}
        assert [len(c.bias) for c in head.classifiers.values()] in ([1, 1, 1], [3])


def test_own_regions_are_read_for_own_groups(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    init_default_scope("mmpar")
    own_config(tmp_path, "sspnet/sspnet_r50_pa100k.py")
    child = tmp_path / "configs/own_regions.py"
    child.write_text(
        '_base_ = "./my_site.py"\n'
        "model = dict(regions=dict(_delete_=True,\n"
        "    feet=dict(level=1, rows=(0.8, 1.0), groups=('foot',)),\n"
        "    top=dict(level=2, rows=(0.0, 0.6))))\n"
    )
    cfg = Config.fromfile(child)
    cfg.model.backbone = dict(type="mmpretrain.ResNet", depth=18)
    cfg.model.backbone.out_indices = (0, 1, 2, 3)
    cfg.model.neck.in_channels = (64, 128, 256, 512)
    model = MODELS.build(cfg.model)
    assert [region.name for region in model.neck.regions] == ["top", "feet"]
    assert {n: len(c.bias) for n, c in model.head.classifiers.items()} == dict(
        top=2, feet=1
    )


def test_thresholds_as_the_page_sets_them():
    thresholds = code_blocks("docs/own_data.md", "python")[1]
    (change,) = re.findall(r"threshold=(dict\(.*?\))", thresholds)
    schema = dict(names=["Helmet", "Vest", "Boots"])
    with DefaultScope.overwrite_default_scope("mmpar"):
        head = MODELS.build(
            dict(
                type="LinearPARHead",
                schema=schema,
                in_channels=2,
                threshold=eval(change),  # the page's own text
            )
        )
    assert head.threshold.tolist() == pytest.approx([0.3, 0.5, 0.7])


def test_readme_commands_name_files_that_exist():
    text = (ROOT / "README.md").read_text()
    paths = re.findall(r"(?:tools|configs|demo|docs|tests)/[\w./-]*\w\.\w+", text)
    assert paths
    missing = {path for path in paths if not (ROOT / path).exists()}
    assert missing == {"configs/my_site.py"}  # the reader's own
