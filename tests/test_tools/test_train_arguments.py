"""Arguments of train.py and test.py reach the config."""

import runpy
import sys

import pytest

from mmpar.engine import bfloat16_optim_wrapper
from tests.test_tools.run import REPOSITORY

CONFIG = str(REPOSITORY / "configs/baseline/baseline_r18_synthetic.py")


@pytest.fixture
def config_of(monkeypatch):
    """The config that a tool runs with these arguments."""

    def read(name, *words):
        tool = runpy.run_path(str(REPOSITORY / "tools" / name))
        monkeypatch.setattr(sys, "argv", [name, CONFIG, *words])
        return tool["read_config"](tool["parse_args"]())

    return read


def test_the_learning_rate_is_scaled_from_the_batch_size_of_the_config(config_of):
    size = ("--cfg-options", "auto_scale_lr.base_batch_size=64")
    assert config_of("train.py", *size, "--auto-scale-lr").auto_scale_lr.enable is True
    assert not config_of("train.py", *size).auto_scale_lr.get("enable")
    none = ("--cfg-options", "auto_scale_lr={}")
    with pytest.raises(ValueError, match=r"--auto-scale-lr.*add auto_scale_lr=dict"):
        config_of("train.py", *none, "--auto-scale-lr")


def test_a_training_without_validation_has_none_of_its_parts(config_of):
    cfg = config_of("train.py", "--no-validate")
    assert cfg.val_dataloader is cfg.val_cfg is cfg.val_evaluator is None
    assert cfg.protocol == "fixed-schedule"
    assert config_of("train.py").val_dataloader is not None


def test_no_validate_adds_no_protocol(
    config_of,
):
    said = ("--cfg-options", "protocol=None")
    assert config_of("train.py", *said, "--no-validate").protocol is None


@pytest.mark.parametrize("has_bfloat16", [True, False])
def test_mixed_precision_reaches_training_and_test(
    config_of, monkeypatch, has_bfloat16
):
    precision = bfloat16_optim_wrapper
    monkeypatch.setattr(precision, "computes_in_bfloat16", lambda _: has_bfloat16)
    monkeypatch.setattr("mmengine.device.get_device", lambda: "cuda")
    kind = "BFloat16OptimWrapper" if has_bfloat16 else "AmpOptimWrapper"
    own = ("optim_wrapper.loss_scale=512.", "optim_wrapper.dtype=float16")
    static = ("--cfg-options", *own)
    wrapper = config_of("train.py", "--amp", *static).optim_wrapper
    assert wrapper.type == kind
    assert wrapper.get("loss_scale") == (None if has_bfloat16 else 512.0)
    assert wrapper.get("dtype") == (None if has_bfloat16 else "float16")
    assert wrapper.optimizer.type == "MaybeFusedAdam"
    assert config_of("test.py", "x.pth", "--amp").test_cfg.fp16 is True
    none = ("--cfg-options", "test_cfg=None")
    assert config_of("test.py", "x.pth", "--amp", *none).test_cfg.fp16 is True
