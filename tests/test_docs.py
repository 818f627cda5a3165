"""What the documentation shows works as it stands there."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope, init_default_scope

from mmpar.registry import DATASETS, MODELS
from mmpar.structures import build_schema
from mmpar.utils.protocol import check_protocol
from tests.fixtures.pa100k import write_images
from tests.test_tools.run import options, run_tool

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


PARTS = ROOT / "configs/_base_"
DATASET_FILES = sorted(
    path.stem
    for path in (PARTS / "datasets").glob("*.py")
    if not path.stem.startswith("person_crops")
)


@pytest.mark.parametrize("data", DATASET_FILES)
@pytest.mark.parametrize("method", ["baseline_r50", "sspnet_r50", "alm_r50"])
def test_every_dataset_goes_with_every_method_as_the_page_says(method, data, tmp_path):
    text = code_blocks("configs/README.md", "python")[0]
    if Config.fromfile(PARTS / f"datasets/{data}.py").get("val_dataloader") is None:
        if method == "alm_r50":
            text += 'protocol = "fixed-schedule"\n'
        else:
            method += "_no-val"
    text = text.replace("alm_r50.py", f"{method}.py").replace("upar.py", f"{data}.py")
    (tmp_path / "own.py").write_text(text.replace("../_base_", str(PARTS)))
    cfg = Config.fromfile(tmp_path / "own.py")
    check_protocol(cfg)
    with DefaultScope.overwrite_default_scope("mmpar"):
        regions = {"regions": cfg.model.regions} if "regions" in cfg.model else {}
        head = MODELS.build(cfg.model.head, default_args=regions)
        dataset = DATASETS.build(dict(cfg.train_dataloader.dataset, lazy_init=True))
    assert head.schema == build_schema(cfg.schema)
    assert head.schema == dataset.schema


def test_readme_commands_name_files_that_exist():
    text = (ROOT / "README.md").read_text()
    paths = re.findall(r"(?:tools|configs|demo|docs|tests)/[\w./-]*\w\.\w+", text)
    assert paths
    missing = {path for path in paths if not (ROOT / path).exists()}
    assert missing == {"configs/my_site.py"}  # the reader's own


OPTIONS = code_blocks("docs/training.md", "python")


@pytest.mark.parametrize("number", range(len(OPTIONS)))
def test_an_option_of_training_trains(number, tmp_path):
    base = ROOT / "configs/baseline/baseline_r18_synthetic.py"
    option = OPTIONS[number].replace("LoadPersonImage", "DrawSyntheticPerson")
    option = option.replace("(192, 256)", "(64, 128)")
    (tmp_path / "option.py").write_text(f'_base_ = "{base}"\n{option}')
    sizes = ["train_cfg.max_epochs=2", "train_dataloader.num_workers=0"]
    sizes += ["train_dataloader.batch_size=4", "val_dataloader.num_workers=0"]
    sizes += [f"{part}_dataloader.dataset.num_samples=8" for part in ("train", "val")]
    run_tool("train.py", tmp_path / "option.py", *options(*sizes), cwd=tmp_path)
    first, second = (
        torch.load(tmp_path / f"work_dirs/option/epoch_{i}.pth")["state_dict"]
        for i in (1, 2)
    )
    assert all(value.isfinite().all() for value in second.values())
    (classifier,) = [
        name for name in second if name in ("head.classifier.weight", "head.directions")
    ]
    assert not torch.equal(first[classifier], second[classifier])


def test_the_options_of_the_optimizer_do_what_the_page_says():
    (text,) = [block for block in OPTIONS if "paramwise_cfg" in block]
    fields = {}
    exec(text, fields)  # the page's own text
    cfg = Config.fromfile(ROOT / "configs/baseline/baseline_r18_synthetic.py")
    cfg.merge_from_dict(dict(optim_wrapper=fields["optim_wrapper"]))
    with DefaultScope.overwrite_default_scope("mmpar"):
        model = MODELS.build(cfg.model)
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    names = {parameter: name for name, parameter in model.named_parameters()}
    norms = {
        f"{name}.{kind}"
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.BatchNorm2d)
        for kind in ("weight", "bias")
    }
    found = {
        names[parameter]: (group["lr"], group["weight_decay"])
        for group in wrapper.optimizer.param_groups
        for parameter in group["params"]
    }
    assert len(found) == len(names)
    for name, (rate, decay) in found.items():
        assert rate == pytest.approx(1e-4 if name.startswith("head") else 1e-5)
        assert decay == (0 if name in norms else 5e-4), name
