"""Trainings by MMEngine's strategies: what they give, and what they cannot do."""

import pytest
import torch
from mmengine.config import Config

from mmpar.engine import build_runner
from mmpar.utils.checkpoint_files import load_from_local
from mmpar.utils.launch import _join_on_cpu
from tests.fixtures.trained import write_thin_config
from tests.fixtures.versions import needs_shards_on_cpu
from tests.test_tools.run import REPOSITORY, call_together, run_tool

CONFIGS = REPOSITORY / "configs/baseline"


# Adam makes large steps of what is rounding in small gradients.
MORE = """
sync_bn = None
optim_wrapper = dict(
    _delete_=True, type="OptimWrapper", optimizer=dict(type="SGD", lr=0.1, momentum=0.9)
)
"""


def train(folder, more):
    """By two processes; the weights at the end."""
    config = write_thin_config("linear", folder, num_train=16, epochs=2, more=more)
    words = [REPOSITORY / "tools/train.py", config, "--work-dir", folder / "work"]
    call_together(2, [*words, "--launcher", "pytorch"], cwd=folder)
    return config, load_from_local(str(folder / "work/epoch_2.pth"))["state_dict"]


@needs_shards_on_cpu
def test_sharded_weights_are_trained_like_whole_ones(tmp_path):
    strategy = Config.fromfile(CONFIGS / "baseline-fsdp_r18_synthetic.py").strategy
    strategy.model_wrapper.auto_wrap_policy.min_num_params = 10_000
    folders = [tmp_path / name for name in ("whole", "sharded")]
    for folder in folders:
        folder.mkdir()
    _, whole = train(folders[0], MORE)
    more = f"{MORE}strategy = {strategy.to_dict()}\n"
    config, sharded = train(folders[1], more)
    assert sharded.keys() == whole.keys()
    for name, weight in whole.items():
        torch.testing.assert_close(sharded[name], weight, rtol=1e-4, atol=1e-5)
    tested = run_tool("test.py", config, folders[1] / "work", cwd=tmp_path)
    assert "| 4 " in tested


def fsdp(**fields):
    cfg = Config.fromfile(CONFIGS / "baseline-fsdp_r18_synthetic.py")
    cfg.launcher = "pytorch"
    cfg.merge_from_dict(fields)
    return cfg


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (dict(launcher="none"), "for several processes"),
        (dict(sync_bn="torch"), "sync_bn=None"),
        (dict(resume=True), "cannot be resumed"),
        (dict(load_from="a.pth"), "cannot be resumed"),
        ({"default_hooks.ema": dict(type="EMAHook")}, "default_hooks.ema=None"),
    ],
)
def test_what_a_strategy_cannot_do_is_refused(fields, words):
    with pytest.raises(ValueError, match=words):
        build_runner(fsdp(**fields))


def test_deepspeed_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("mmpar.engine.runner.find_spec", lambda name: None)
    cfg = Config.fromfile(CONFIGS / "baseline-deepspeed_r18_synthetic.py")
    with pytest.raises(ValueError, match="pip install deepspeed"):
        build_runner(cfg)


def test_a_torch_that_shards_on_gpus_only_is_named(monkeypatch):
    class Stream:  # torch 2.1's
        pass

    monkeypatch.setattr(torch.cpu, "Stream", Stream)
    cfg = fsdp()
    with pytest.raises(ValueError, match=r"on GPUs only.*newer torch"):
        _join_on_cpu(cfg)
