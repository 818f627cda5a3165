"""``--cfg-options`` are understood, or an error of the command line."""

import argparse
import re

import pytest

from mmpar.engine import read_config
from mmpar.engine.config_options import merge_options
from mmpar.engine.launch import require_launcher_variables
from mmpar.utils.cli import config_arguments
from tests.test_engine.tiny_training import tiny_config


def parsed(*options):
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
def test_values_are_read_dicts_among_them(text, value):
    value = eval(text) if value is None else value
    assert parsed(f"model.x={text}").cfg_options == {"model.x": value}


@pytest.mark.parametrize(
    ("option", "match"),
    [
        ("model.x", "takes key=value, got 'model.x'"),
        ("=3", "takes key=value"),
        ("x=dict(type=Pretrained,a=1)", "Pretrained is neither a number nor text in"),
        ("x=dict(type='a'", "cannot read the value"),
        ("x=f(1,2)", "cannot read the value.*write a list as"),
        ("x=[1,2", "cannot read the value.*Imbalanced"),
        ("x=dict(a=print(1))", r"print\(1\) is not a dict of named values"),
        ("x=dict(**{'a': 1})", "is not a dict of named values"),
    ],
)
def test_what_cannot_be_read_is_an_error_of_the_command_line(capsys, option, match):
    with pytest.raises(SystemExit):
        parsed(option)
    error = capsys.readouterr().err
    assert re.search(match, error), error


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "tiny.py"
    tiny_config(tmp_path).dump(path)
    return str(path)


def merged(config, **options):
    return read_config(argparse.Namespace(config=config, cfg_options=options))


@pytest.mark.parametrize(
    ("key", "near"),
    [("trian_cfg.max_epochs", "train_cfg"), ("load_form", "load_from")],
)
def test_a_mistyped_key_is_an_error_with_the_nearest_name(config, key, near):
    with pytest.raises(ValueError, match=f"has no .*did you mean '{near}'"):
        merged(config, **{key: 1})


def test_keys_that_only_the_runner_knows_are_taken(config):
    cfg = merged(config, load_from="x.pth", find_unused_parameters=True)
    assert cfg.load_from == "x.pth"
    options = {"model.backbone.init_cfg": dict(type="Pretrained", checkpoint="x.pth")}
    assert merged(config, **options).model.backbone.init_cfg.checkpoint == "x.pth"


@pytest.mark.parametrize("before", [None, 3, dict(type="Kaiming", layer="Conv2d")])
def test_a_dict_takes_the_place_of_what_is_there(config, before):
    value = dict(type="Pretrained", checkpoint="x.pth")
    cfg = merged(config, **{"model.init_cfg": before})
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
        require_launcher_variables(launcher)
    require_launcher_variables("none")
