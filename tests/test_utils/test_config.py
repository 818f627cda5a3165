"""From the command line to a config: options, one image size, the explainer."""

import argparse
import re
from pathlib import Path

import pytest
from mmengine.config import Config

from mmpar.explain import GradCAM
from mmpar.registry import EXPLAINERS
from mmpar.utils.cli import config_arguments, explainer_arguments
from mmpar.utils.config import (
    check_config,
    judge_by_body_zones,
    merge_options,
    read_config,
    read_explainer_config,
    use_checkpoint,
    use_other_test_data,
)
from mmpar.utils.launch import prepare_launch
from tests.test_engine.tiny_training import tiny_config
from tests.test_explain.tiny_model import region_model

CONFIGS = Path(__file__).parents[2] / "configs"
SSPNET = CONFIGS / "sspnet/sspnet_r18_synthetic.py"


def parse(*options):
    return config_arguments("").parse_args(["x.py", "--cfg-options", *options])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("[a,2]", ["a", 2]),
        ("dict(type='Pretrained',checkpoint='a,b.pth')", None),
        ("dict(a=dict(b=[1, None]), c=(1, 2.5), d={'e f': True})", None),
        ("{'a': dict(b=-1)}", None),
    ],
)
def test_values_are_parsed_dicts_among_them(text, value):
    value = eval(text) if value is None else value
    assert parse(f"model.x={text}").cfg_options == {"model.x": value}


@pytest.mark.parametrize(
    ("option", "match"),
    [
        ("model.x", "expected key=value, got 'model.x'"),
        ("=3", "expected key=value"),
        ("x=dict(type=Pretrained,a=1)", "Pretrained is not plain data"),
        ("x=dict(type='a'", "cannot read the value"),
        ("x=f(1,2)", "cannot read the value.*write a list as"),
        ("x=[1,2", "cannot read the value.*Imbalanced"),
        ("x=dict(a=print(1))", r"print\(1\) is not plain data"),
        ("x=dict(**{'a': 1})", r"dict\(\*\*.* is not plain data"),
    ],
)
def test_what_cannot_be_read_is_an_error_of_the_command_line(capsys, option, match):
    with pytest.raises(SystemExit):
        parse(option)
    error = capsys.readouterr().err
    assert re.search(match, error), error


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "tiny.py"
    tiny_config(tmp_path).dump(path)
    return str(path)


def merge(config, **options):
    return read_config(argparse.Namespace(config=config, cfg_options=options))


@pytest.mark.parametrize(
    ("key", "near"),
    [("trian_cfg.max_epochs", "train_cfg"), ("load_form", "load_from")],
)
def test_a_mistyped_key_is_an_error_with_the_nearest_name(config, key, near):
    with pytest.raises(ValueError, match=f"has no .*did you mean '{near}'"):
        merge(config, **{key: 1})


def test_keys_that_only_the_runner_knows_are_taken(config):
    cfg = merge(config, load_from="x.pth", find_unused_parameters=True)
    assert cfg.load_from == "x.pth"
    options = {"model.backbone.init_cfg": dict(type="Pretrained", checkpoint="x.pth")}
    assert merge(config, **options).model.backbone.init_cfg.checkpoint == "x.pth"


@pytest.mark.parametrize("before", [None, 3, dict(type="Kaiming", layer="Conv2d")])
def test_a_dict_replaces_what_is_there(config, before):
    value = dict(type="Pretrained", checkpoint="x.pth")
    cfg = merge(config, **{"model.init_cfg": before})
    merge_options(cfg, {"model.init_cfg": value, "model.init_cfg.prefix": "backbone"})
    assert cfg.model.init_cfg == {**value, "prefix": "backbone"}


@pytest.mark.parametrize(
    ("launcher", "absent", "remedy"),
    [
        ("pytorch", "RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT", "torchrun"),
        ("slurm", "SLURM_PROCID, SLURM_NTASKS, SLURM_NODELIST", "srun"),
        ("mpi", "OMPI_COMM_WORLD_LOCAL_RANK, OMPI_COMM_WORLD_RANK", "mpirun"),
    ],
)
def test_a_launcher_without_its_variables_is_named(
    monkeypatch, launcher, absent, remedy
):
    for name in (*absent.split(", "), "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOCAL_RANK", "0")
    with pytest.raises(ValueError, match=f"{remedy}.*environment lacks {absent}"):
        prepare_launch(Config(dict(launcher=launcher)))
    prepare_launch(Config(dict(launcher="none")))


def read(config, **options):
    return read_config(argparse.Namespace(config=str(config), cfg_options=options))


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
    cfg = read(CONFIGS / "sspnet/sspnet_vit-s_pa100k.py", image_size=[64, 128])
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
def test_an_invalid_size_is_refused(size):
    with pytest.raises(ValueError, match=r"image_size is \(width, height\)"):
        read(CONFIGS / "baseline/baseline_r18_synthetic.py", image_size=size)


@pytest.mark.parametrize(
    "config", sorted(CONFIGS.glob("[!_]*/*.py")), ids=lambda path: path.stem
)
def test_every_config_has_one_image_size(config):
    read(config)


def explainer_config(folder, *words, config=SSPNET):
    checkpoint = folder / "some.pth"
    checkpoint.touch()
    args = explainer_arguments("").parse_args([str(config), str(checkpoint), *words])
    return read_explainer_config(args, "tool", dict(type="AnyMetric"), seed=3)


def test_without_a_name_it_is_grad_cam(tmp_path):
    cfg = explainer_config(tmp_path)
    expected = dict(type="ExplainLoop", explainer=dict(type="GradCAM"), seed=3)
    assert cfg.test_cfg.to_dict() == expected
    assert cfg.test_evaluator.type == "AnyMetric"
    assert cfg.work_dir.endswith("sspnet_r18_synthetic/tool")


def test_the_explainer_is_named_as_registered_and_set_by_options(tmp_path):
    setting = ("--cfg-options", "test_cfg.explainer.target_layer=backbone")
    cfg = explainer_config(tmp_path, "--explainer", "GradCAM", *setting)
    explainer = EXPLAINERS.build(
        cfg.test_cfg.explainer, default_args=dict(model=region_model())
    )
    assert isinstance(explainer, GradCAM)
    assert explainer.target_layer is explainer.model.backbone


def test_a_config_with_an_explainer_of_its_own_needs_no_name(tmp_path):
    own = tmp_path / "own.py"
    own.write_text(
        f"_base_ = {str(SSPNET)!r}\n"
        "test_cfg = dict(explainer=dict(type='PLEPoints'), fp16=True)"
    )
    cfg = explainer_config(tmp_path, config=own)
    assert cfg.test_cfg.explainer.type == "PLEPoints"
    assert cfg.test_cfg.fp16
    with pytest.raises(ValueError, match="is PLEPoints, but --explainer is GradCAM"):
        explainer_config(tmp_path, "--explainer", "GradCAM", config=own)


def test_an_unknown_explainer_is_an_error_with_those_that_there_are(tmp_path):
    match = r"called 'PLEPoint'; registered are ALMBoxes.*; did you mean 'PLEPoints'\?"
    with pytest.raises(ValueError, match=match):
        explainer_config(tmp_path, "--explainer", "PLEPoint")


def test_a_former_name_says_what_to_write_now(tmp_path, capsys):
    with pytest.raises(SystemExit):
        explainer_config(tmp_path, "--explainer", "ple-points")
    said = capsys.readouterr().err
    assert "now written PLEPoints" in said


def test_a_model_without_a_backbone_can_be_tested():
    cfg = Config(dict(model=dict(type="Other")))
    use_checkpoint(cfg, "some.pth")
    assert cfg.load_from == "some.pth"
    assert "backbone" not in cfg.model


@pytest.mark.parametrize(
    ("base", "hint"),
    [
        ("schedules/ema.py", "an older mmpar's: inherit _base_/runtime_ema.py"),
        ("schedules/never.py", "inherits a file that does not exist"),
    ],
)
def test_a_base_that_is_gone_is_named_with_what_replaced_it(tmp_path, base, hint):
    child = tmp_path / "child.py"
    child.write_text(f"_base_ = {str(CONFIGS / '_base_' / base)!r}")
    with pytest.raises(FileNotFoundError, match=f"child.py.*{base}.*{hint}|{hint}"):
        read_config(config_arguments("").parse_args([str(child)]))


@pytest.mark.parametrize(
    ("use", "need"),
    [
        (judge_by_body_zones, "body zones are loaded"),
        (lambda cfg: use_other_test_data(cfg, SSPNET), "a test across datasets"),
    ],
)
def test_a_config_that_tests_on_nothing_says_what_it_would_be_needed_for(use, need):
    cfg = Config.fromfile(SSPNET)
    cfg.test_dataloader = None
    with pytest.raises(ValueError, match=f"has no test_dataloader.*: {need}"):
        use(cfg)


def test_zones_need_a_schema():
    cfg = Config.fromfile(SSPNET)
    del cfg.model.head.schema
    with pytest.raises(ValueError, match=r"has no model\.head\.schema"):
        judge_by_body_zones(cfg)


def test_epochs_that_would_be_taken_for_iterations_are_an_error(tmp_path):
    cfg = tiny_config(tmp_path)
    check_config(cfg)
    del cfg.train_cfg["by_epoch"]
    with pytest.raises(ValueError, match=r"add train_cfg\.by_epoch=True"):
        check_config(cfg)
    cfg.train_cfg.type = "EpochBasedTrainLoop"
    check_config(cfg)
