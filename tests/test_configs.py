"""Every config of the repository is complete and builds without the network."""

import copy
import functools
import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import yaml
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample
from torch import nn

from mmpar.registry import DATASETS, HOOKS, METRICS, MODELS, VISUALIZERS
from mmpar.structures import build_schema
from mmpar.utils.config import hash_config
from mmpar.utils.protocol import check_protocol

ROOT = Path(__file__).parents[1] / "configs"
# Made to be trained on a CPU, not to follow an official code.
REDUCED = re.compile("synthetic|peta160")
METAFILES = sorted(ROOT.glob("*/metafile.yml"))
CONFIGS = sorted(p for p in ROOT.glob("*/*.py") if p.parent.name != "_base_")


@functools.cache
def _parsed(path):
    return Config.fromfile(path)


def read(path):
    """A shipped config, of which each test has a copy."""
    return copy.deepcopy(_parsed(path))


@pytest.fixture(autouse=True)
def mmpar_scope():
    """Resolve names as the Runner does."""
    init_default_scope("mmpar")


def samples_without_people(batch):
    """Data samples, of which no keypoint is visible."""
    samples = [DataSample() for _ in range(batch)]
    for sample in samples:
        sample.set_field(torch.zeros(1, 17, 3), "gt_keypoints")
    return samples


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_config_builds_a_model_that_predicts_its_schema(path):
    cfg = read(path)
    cfg.model.backbone.init_cfg = None
    if cfg.model.backbone.type == "OpenCLIPTower":
        pytest.importorskip("open_clip")
        cfg.model.backbone.text = False  # up to 280 million weights
    model = MODELS.build(cfg.model)
    model.eval()
    inputs = inputs_of(cfg)
    with torch.no_grad():
        samples = model(inputs, samples_without_people(1), mode="predict")
    assert model.head.schema == build_schema(cfg.schema)
    assert samples[0].pred_score.shape == (len(model.head.schema),)
    assert 0 <= samples[0].pred_score.min() <= samples[0].pred_score.max() <= 1


def inputs_of(cfg):
    """One image, or its features."""
    width, height = cfg.image_size
    if cfg.model.backbone.type != "CachedFeatures":
        return torch.zeros(1, 3, height, width)
    features = torch.zeros(1, 1 + width * height // 16**2, cfg.model.head.in_channels)
    return features if cfg.tower.backbone.get("patches") else features[:, 0]


class Stages(nn.Module):
    """Stands for a backbone: features of its channels, from the image."""

    def __init__(self, channels):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(3, width, 1) for width in channels)

    def forward(self, image):
        pooled = (F.avg_pool2d(image, 4 * 2**i) for i in range(len(self.convs)))
        return tuple(conv(x) for conv, x in zip(self.convs, pooled))


class Embeddings(Stages):
    """Stands for an image tower with patches of 4 x 4 pixels."""

    def __init__(self, channels, patches):
        super().__init__(channels)
        self.patches = patches

    def forward(self, image):
        patches = super().forward(image)[-1].flatten(2).transpose(1, 2)
        return (patches if self.patches else patches.mean(1),)


def stand_in(cfg, channels):
    """For the config's backbone."""
    if cfg.model.backbone.type in ("OpenCLIPTower", "CachedFeatures"):
        return Embeddings(channels, cfg.model.head.type == "QueryPARHead")
    return Stages(channels)


def method_of(cfg):
    """Neck, head and classifier of a config, on stages of 32 x 16 pixels."""
    neck, head = cfg.model.get("neck") or {}, cfg.model.head
    channels = neck.get("in_channels", head.in_channels)
    channels = [channels] if isinstance(channels, int) else channels
    torch.manual_seed(3)
    settings = dict(cfg.model, backbone=stand_in(cfg, channels), pretrained=None)
    settings["backbone"].init_cfg = None
    if "TextQueries" in str(head.get("init_cfg")):  # from a file beside the cache
        head.init_cfg = head.init_cfg[:1]
    model = MODELS.build(settings)
    model.init_weights()
    model.head.set_positive_ratio([0.3] * len(model.head.schema))
    return model


def a_step(model, samples):
    """Loss with dropout, gradients and predictions, from the same random numbers."""
    torch.manual_seed(4)
    image = torch.randn(len(samples), 3, 64, 32)
    losses = model.train()(image, samples, mode="loss")
    sum(losses.values()).backward()
    found = {f"grad of {n}": p.grad for n, p in model.named_parameters()}
    with torch.no_grad():
        return {**losses, **found, "logits": model.eval()(image, samples)}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_a_config_as_the_runner_writes_it_is_the_same_model(path, tmp_path):
    """MMEngine sorts the keys of the config in the work dir."""
    cfg = read(path)
    cfg.dump(tmp_path / "written.py")
    written = Config.fromfile(tmp_path / "written.py")
    assert written.to_dict() == cfg.to_dict()
    assert hash_config(written) == hash_config(cfg)
    one, other = method_of(cfg), method_of(written)
    for state in (nn.Module.state_dict, lambda model: dict(model.named_parameters())):
        require_equal(state(one), state(other))
    samples = samples_without_people(2)
    for sample in samples:
        sample.set_gt_score(torch.ones(len(one.head.schema)))
    require_equal(a_step(one, samples), a_step(other, samples))


def require_equal(one, other):
    assert list(one) == list(other)
    for name, value in one.items():
        assert (value is None) == (other[name] is None), name
        assert value is None or torch.equal(value, other[name]), name


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_config_has_all_that_training_and_testing_need(path, tmp_path):
    cfg = read(path)
    if cfg.val_evaluator is not None:
        METRICS.build(cfg.val_evaluator)
    METRICS.build(cfg.test_evaluator)
    hooks = {}
    named = {name: hook for name, hook in cfg.default_hooks.items() if hook is not None}
    for name, hook in named.items():
        hook.pop("priority", None)  # as the Runner does
        hooks[name] = type(HOOKS.build(hook)).__name__
    assert hooks["positive_ratio"] == "PositiveRatioHook"
    assert hooks["schema_check"] == "SchemaCheckHook"
    assert ("ema" in hooks) is has_averaged_weights(path)
    assert ("scale_annealing" in hooks) is ("learned" in path.stem)
    assert cfg.custom_hooks == []
    VISUALIZERS.build(dict(cfg.visualizer, name=path.stem, save_dir=str(tmp_path)))
    assert cfg.default_hooks.checkpoint.save_best == "par/mA"


def has_averaged_weights(path):
    sspnet = path.stem.startswith("sspnet") and not REDUCED.search(path.name)
    return sspnet or path.stem.startswith("baseline-ema")


# METHOD[-VARIANT]_BACKBONE_DATASET[_ENDING], and what each part says of a config that
# is otherwise PLAIN.
PLAIN = dict(
    neck=None,
    place=None,
    scale=None,
    regions=[],
    frozen_stages=None,
    hooks=set(),
    strategy=None,
    weights=None,
    endings=[],
)
POOLED = dict(head="LinearPARHead", neck="mmpretrain.GlobalAveragePooling")
PYRAMID = dict(
    head="SSPNetHead",
    neck="SSPNetNeck",
    scale="fixed",
    place="IdentityPLE",
    regions=["head", "torso", "bottom", "whole"],
)
METHODS = dict(
    baseline=POOLED,
    probe=dict(POOLED, frozen_stages=7),
    alm=dict(head="ALMHead"),
    sspnet=dict(PYRAMID, place="BlockPLE"),
    afss=PYRAMID,
    fpn=dict(PYRAMID, regions=["whole"]),
    linear=dict(head="LinearPARHead"),
    query=dict(head="QueryPARHead"),
)
VARIANTS = dict(
    ema=dict(hooks={"EMAHook"}),
    distilled=dict(hooks={"DistillationHook"}),
    deepspeed=dict(strategy="DeepSpeedStrategy"),
    fsdp=dict(strategy="FSDPStrategy"),
    fixed=dict(scale="fixed"),
    learned=dict(scale="learned", hooks={"ScaleAnnealingHook"}),
    keypoint=dict(place="KeypointPLE"),
    sparse=dict(place="SparsePLE"),
)
BACKBONES = {
    "bninception": dict(backbone=("BNInception", None)),
    "clip-b16": dict(backbone=("OpenCLIPTower", "ViT-B-16")),
    "convnext-t": dict(backbone=("mmpretrain.ConvNeXt", "tiny")),
    "lcnet-100": dict(backbone=("TimmFeatures", "lcnet_100")),
    "mbv2": dict(backbone=("mmpretrain.MobileNetV2", None)),
    "mbv3s": dict(backbone=("mmpretrain.MobileNetV3", "small")),
    "r18": dict(backbone=("mmpretrain.ResNet", 18)),
    "r50": dict(backbone=("mmpretrain.ResNet", 50)),
    "siglip2-b16": dict(backbone=("OpenCLIPTower", "ViT-B-16-SigLIP2")),
    "swin-s": dict(backbone=("mmpretrain.SwinTransformer", "small")),
    "swin-s_solider": dict(
        backbone=("mmpretrain.SwinTransformer", "small"), weights="solider"
    ),
    "vit-b_hap": dict(backbone=("ViTPyramid", "deit-base"), weights="hap"),
    "vit-s": dict(backbone=("ViTPyramid", "deit-small")),
}
DATA = {
    "dukemtmc": dict(data={"DukeMTMCAttribute"}),
    "market1501": dict(data={"Market1501Attribute"}),
    "msp60k": dict(data={"MSP60K"}, scenes=False),
    "msp60k-scenes": dict(data={"MSP60K"}, scenes=True),
    "pa100k": dict(data={"PA100K"}),
    "peta": dict(data={"PETA"}, height=256),
    "peta160": dict(data={"PETA"}, height=128),
    "petazs": dict(data={"PETAzs"}),
    "rapv1": dict(data={"RAPv1"}),
    "rapv2": dict(data={"RAPv2"}),
    "rapzs": dict(data={"RAPzs"}),
    "synthetic": dict(data={"SyntheticPAR"}),
    "upar": dict(data={"UPAR"}),
    "wider": dict(data={"WIDERAttribute"}),
}
ENDINGS = ("trainval-test", "released", "cached", "finetuned", "lora")
NAME = "({})(?:-({}))?_({})_({})(?:_({}))?".format(
    *("|".join(part) for part in (METHODS, VARIANTS, BACKBONES, DATA, ENDINGS))
)


def promised(name):
    """What the name of a config says of its contents."""
    parts = re.fullmatch(NAME, name)
    assert parts, f"{name!r} has a part that is in none of the tables of this test"
    method, variant, backbone, data, ending = parts.groups()
    tables = (METHODS[method], VARIANTS.get(variant, {}), BACKBONES[backbone])
    says = dict(PLAIN, endings=[ending] if ending else [])
    for table in (*tables, DATA[data]):
        says.update(table)
    return says


def contents(cfg):
    """The same of a config."""
    model, neck = cfg.model, cfg.model.get("neck") or {}
    cached = model.backbone.type == "CachedFeatures"
    backbone = cfg.tower.backbone if cached else model.backbone
    sizes = [backbone.get(key) for key in ("depth", "arch", "model_name", "model")]
    weights = str((backbone.get("init_cfg") or {}).get("checkpoint"))
    hooks = {hook.type for hook in cfg.default_hooks.values() if hook is not None}
    named = {"DistillationHook", "ScaleAnnealingHook"}
    if neck.get("type") != "SSPNetNeck":  # which has averaged weights by itself
        named.add("EMAHook")
    paper = cfg.protocol == "paper"
    endings = {
        "trainval-test": paper,
        "released": model.head.loss.get("form") == "official" and not paper,
        "cached": cached,
        "finetuned": backbone.get("frozen") is False,
        "lora": "lora" in backbone,
    }
    loaders = (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)
    return dict(
        head=model.head.type,
        neck=neck.get("type"),
        place=neck.get("ple", {}).get("type"),
        scale=neck.get("scale", {}).get("mode"),
        regions=list(model.get("regions", [])),
        backbone=(backbone.type, next(filter(None, sizes), None)),
        frozen_stages=backbone.get("frozen_stages"),
        weights=next((w for w in ("solider", "hap") if w in weights), None),
        hooks=hooks & named,
        strategy=cfg.get("strategy", {}).get("type"),
        data={loader.dataset.type for loader in loaders if loader},
        scenes=_has_scenes(cfg),
        height=cfg.image_size[1],
        endings=[name for name, holds in endings.items() if holds],
    )


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_a_config_is_what_its_name_says_and_no_other_name_does(path):
    found = contents(read(path))
    says = promised(path.stem)
    assert {key: found[key] for key in says} == says
    names = [other.stem for other in CONFIGS]
    assert [n for n in names if found == {**found, **promised(n)}] == [path.stem]


@pytest.mark.parametrize(
    "name",
    ["baseline_r50", "baseline_r34_pa100k", "sspnet-deep_r50_peta", "alm_r50_peta_x"],
)
def test_a_name_with_a_part_that_says_nothing_is_refused(name):
    with pytest.raises(AssertionError, match="none of the tables"):
        promised(name)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_the_learning_rate_is_meant_for_the_batch_size_on_one_gpu(path):
    cfg = read(path)
    assert cfg.auto_scale_lr == dict(
        base_batch_size=cfg.train_dataloader.batch_size, enable=False
    )


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_config_is_listed_in_its_metafile_and_readme(path):
    metafile = yaml.safe_load((path.parent / "metafile.yml").read_text())
    listed = [model["Config"] for model in metafile["Models"]]
    assert f"configs/{path.parent.name}/{path.name}" in listed
    assert path.name in (path.parent / "README.md").read_text()


def results_of_metafiles():
    """Folder, name of the model and metrics, of each model with results."""
    for path in METAFILES:
        for model in yaml.safe_load(path.read_text())["Models"]:
            for result in model.get("Results", ()):
                name = model["Name"]
                yield pytest.param(path.parent, name, result["Metrics"], id=name)


@pytest.mark.parametrize(("folder", "name", "metrics"), [*results_of_metafiles()])
def test_figures_of_a_metafile_are_those_of_a_table_in_the_docs(folder, name, metrics):
    """Of what was measured here, those of a row that names the config."""
    pages = [folder / "README.md", ROOT.parent / "README.md"]
    pages.append(ROOT.parent / "docs/results.md")
    rows = [
        re.findall(r"\d+\.\d\d", line)
        for page in pages
        for line in page.read_text().splitlines()
        if line.startswith("|") and (f"{name}.py" in line or not REDUCED.search(name))
    ]
    figures = {f"{value:.2f}" for value in metrics.values()}
    assert any(figures <= {*row} for row in rows)


@pytest.mark.parametrize("path", METAFILES, ids=lambda p: p.parent.name)
def test_a_metafile_says_where_its_figures_are_from(path):
    """In the line above them: published, or measured here."""
    text = path.read_text()
    said = re.findall(
        r"# (?:As published|Measured by mmpar, (?:one|mean of \d))[^\n]*\n"
        r"(?: *#[^\n]*\n)? *Results:",
        text,
    )
    assert len(said) == text.count("Results:")


def test_the_model_index_imports_every_metafile():
    index = yaml.safe_load((ROOT.parent / "model-index.yml").read_text())
    found = [f"configs/{path.parent.name}/metafile.yml" for path in METAFILES]
    assert index == dict(Import=found)


def test_inheriting_the_base_of_averaged_weights_acts(tmp_path):
    child = tmp_path / "child.py"
    child.write_text(f"_base_ = {str(ROOT / '_base_/runtime_ema.py')!r}")
    inherited = Config.fromfile(child).default_hooks
    assert inherited.pop("ema").update_buffers is True
    plain = Config.fromfile(ROOT / "_base_/default_runtime.py").default_hooks
    assert inherited == plain


def config(name):
    (path,) = ROOT.glob(f"*/{name}.py")
    return read(path)


def test_the_last_batch_is_used_where_the_official_code_uses_it():
    for path in (p for p in CONFIGS if not REDUCED.search(p.name)):
        drop_last = read(path).train_dataloader.drop_last
        assert drop_last is (path.parent.name != "alm"), path.name


@pytest.mark.parametrize(
    "name",
    ["baseline_r50_pa100k_trainval-test", "baseline-ema_r50_pa100k_trainval-test"],
)
def test_the_published_baseline_starts_as_torch_makes_it(name):
    cfg = config(name)
    cfg.model.backbone.update(depth=18, init_cfg=None)
    cfg.model.head.in_channels = 512
    model = MODELS.build(cfg.model)
    model.init_weights()
    weights = model.head.classifier
    bound = 512**-0.5  # of torch's default, for weights and biases
    for values in (weights.weight, weights.bias):
        assert 0.8 * bound < values.abs().max() <= bound
    assert ("ema" in cfg.default_hooks) is ("ema" in name)


@pytest.mark.parametrize(
    ("name", "shared"),
    [
        ("baseline_r50_peta", "torch"),
        ("baseline-ema_r50_pa100k_trainval-test", "torch"),
        ("sspnet_r50_rapv1", "torch"),
        ("alm_bninception_peta_trainval-test", None),
    ],
)
def test_processes_share_batch_statistics_as_in_the_official_code(name, shared):
    assert config(name).get("sync_bn") == shared


def test_the_published_alm_has_the_official_loss_and_pixels():
    for dataset in ("pa100k", "peta"):
        cfg = config(f"alm_bninception_{dataset}_trainval-test")
        assert cfg.model.head.loss.form == "official"
        assert cfg.model.data_preprocessor.to_rgb is True


def test_chosen_on_val_unless_the_name_says_otherwise_or_there_is_none():
    for path in CONFIGS:
        cfg = read(path)
        dataset = DATASETS.get(cfg.train_dataloader.dataset.type)
        chosen_on = cfg.val_dataloader and cfg.val_dataloader.dataset.split
        if path.stem.endswith("trainval-test"):
            expected = ("trainval", "test", "paper")
        elif "val" in dataset.SPLITS and not _has_scenes(cfg):
            expected = ("train", "val", "val-selected")
        else:
            expected = ("trainval", None, "fixed-schedule")
            assert "ReduceOnPlateauLR" not in str(cfg.param_scheduler)
        found = (cfg.train_dataloader.dataset.split, chosen_on, cfg.protocol)
        assert found == expected, path.name
        assert cfg.test_dataloader.dataset.split == "test"
        check_protocol(cfg)


def _has_scenes(cfg):
    """Whether it is MSP60K by scenes, whose files have trainval and test only."""
    ann_file = cfg.train_dataloader.dataset.get("ann_file", "")
    return ann_file.startswith("dataset_ms_split_")
