"""Trainings by MMEngine's strategies: what they give, and what they cannot do."""

import importlib.util
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config

from mmpar.engine import DeepSpeedStrategy, build_runner
from mmpar.utils.checkpoint_files import load_from_local
from mmpar.utils.launch import _join_on_cpu
from tests.fixtures.trained import write_thin_config
from tests.fixtures.versions import needs_deepspeed, needs_shards_on_cpu
from tests.test_tools.run import REPOSITORY, call_together, run_tool

CONFIGS = REPOSITORY / "configs/baseline"


# Adam makes large steps of what is rounding in small gradients.
MORE = """
sync_bn = None
channels_last = None
optim_wrapper = dict(
    _delete_=True, type="OptimWrapper", optimizer=dict(type="SGD", lr=0.1, momentum=0.9)
)
"""


SPLIT_SMALL = "strategy['model_wrapper']['auto_wrap_policy']['min_num_params'] = 10_000"
BY_DEEPSPEED = """
optim_wrapper['type'] = "DeepSpeedOptimWrapper"
strategy['gradient_clipping'] = 0.0
"""


def train(folder, more):
    """By two processes; the checkpoint at the end."""
    config = write_thin_config("linear", folder, num_train=16, epochs=2, more=more)
    words = [REPOSITORY / "tools/train.py", config, "--work-dir", folder / "work"]
    call_together(2, [*words, "--launcher", "pytorch"], cwd=folder)
    return config, load_from_local(str(folder / "work/epoch_2.pth"))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param("fsdp", SPLIT_SMALL, marks=needs_shards_on_cpu),
        pytest.param("deepspeed", BY_DEEPSPEED, marks=needs_deepspeed),
    ],
    ids=["fsdp", "deepspeed"],
)
def test_sharded_weights_are_trained_like_whole_ones(tmp_path, name, change):
    strategy = Config.fromfile(CONFIGS / f"baseline-{name}_r18_synthetic.py").strategy
    folders = [tmp_path / name for name in ("whole", "sharded")]
    for folder in folders:
        folder.mkdir()
    _, whole = train(folders[0], MORE)
    more = f"{MORE}strategy = {strategy.to_dict()}\n{change}"
    config, sharded = train(folders[1], more)
    assert sharded["state_dict"].keys() == whole["state_dict"].keys()
    for name, weight in whole["state_dict"].items():
        trained = sharded["state_dict"][name]
        torch.testing.assert_close(trained, weight, rtol=1e-4, atol=1e-5)
    best = [next((folder / "work").glob("best_*.pth")) for folder in folders]
    assert best[0].name == best[1].name
    whole_meta, meta = (load_from_local(str(path))["meta"] for path in best)
    for name in ("epoch", "iter", "training_data"):
        assert meta[name] == whole_meta[name]
    assert meta["chosen_by"]["value"] == pytest.approx(whole_meta["chosen_by"]["value"])
    tested = run_tool("test.py", config, folders[1] / "work", cwd=tmp_path)
    assert "| 4 " in tested


def test_a_checkpoint_of_deepspeed_is_one_file_with_whole_weights_and_hooks_words(
    tmp_path, monkeypatch
):
    """With a stand-in for its engine."""
    package = SimpleNamespace(__version__="0.19.4")
    monkeypatch.setattr("mmengine._strategy.deepspeed.deepspeed", package)
    model = torch.nn.Linear(2, 1, bias=False)
    strategy = object.__new__(DeepSpeedStrategy)
    strategy.model = SimpleNamespace(
        zero_optimization_partition_weights=lambda: False,
        module_state_dict=lambda **_: model.state_dict(),
    )
    strategy._seed = 1
    strategy.exclude_frozen_parameters = None

    def name_data(checkpoint):
        assert torch.equal(checkpoint["state_dict"]["weight"], model.weight)
        checkpoint["meta"]["training_data"] = "synthetic"

    path = tmp_path / "epoch_1.pth"
    extra = dict(meta=dict(epoch=1), message_hub={})
    strategy.save_checkpoint(str(path), extra_ckpt=extra, callback=name_data)
    saved = load_from_local(str(path))
    assert torch.equal(saved["state_dict"]["weight"], model.weight)
    assert saved["meta"]["training_data"] == "synthetic"
    assert saved["meta"]["epoch"] == 1


@needs_deepspeed
def test_weights_that_no_checkpoint_could_hold_are_refused():
    with pytest.raises(ValueError, match=r"stage is 3.*stage 2"):
        DeepSpeedStrategy(zero_optimization=dict(stage=3))
    with pytest.raises(
        ValueError, match="exclude_frozen_parameters leaves weights out"
    ):
        DeepSpeedStrategy(exclude_frozen_parameters=True)


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
        (dict(channels_last=True), "channels_last=None"),
    ],
)
def test_what_a_strategy_cannot_do_is_refused(fields, words):
    with pytest.raises(ValueError, match=words):
        build_runner(fsdp(**fields))


@pytest.mark.parametrize("name", ["FSDPStrategy", "mmengine.FSDPStrategy"])
def test_no_norm_is_clipped_of_which_each_process_has_a_share(name):
    cfg = fsdp(**{"strategy.type": name})
    cfg.optim_wrapper.clip_grad = dict(max_norm=9)
    with pytest.raises(ValueError, match=r"optim_wrapper\.clip_grad=None"):
        build_runner(cfg)


@pytest.mark.parametrize("lacks", ["deepspeed", "deepspeed.runtime.fp16.onebit"])
def test_deepspeed_that_does_not_fit_is_named(monkeypatch, lacks):
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == lacks else object()
    )
    cfg = Config.fromfile(CONFIGS / "baseline-deepspeed_r18_synthetic.py")
    with pytest.raises(ValueError, match=r"pip install 'deepspeed<0\.19\.7'"):
        build_runner(cfg)


@pytest.mark.parametrize(
    "fields",
    [
        {"optim_wrapper.type": "OptimWrapper"},
        {"optim_wrapper.clip_grad": dict(max_norm=9)},
    ],
)
def test_another_optimizer_than_deepspeed_s_is_refused(monkeypatch, fields):
    monkeypatch.setattr("mmpar.engine.runner.has_deepspeed", lambda: True)
    cfg = Config.fromfile(CONFIGS / "baseline-deepspeed_r18_synthetic.py")
    cfg.merge_from_dict(fields)
    with pytest.raises(ValueError, match=r"DeepSpeedOptimWrapper.*gradient_clipping"):
        build_runner(cfg)


def test_a_torch_that_shards_on_gpus_only_is_named(monkeypatch):
    class Stream:  # torch 2.1's
        pass

    monkeypatch.setattr(torch.cpu, "Stream", Stream)
    cfg = fsdp()
    with pytest.raises(ValueError, match=r"on GPUs only.*newer torch"):
        _join_on_cpu(cfg)
