"""What several gloo processes predict and train is what one does."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmpar.datasets import EvaluationSampler
from mmpar.engine import PARRunner
from mmpar.utils.checkpoint_files import load_from_local
from tests.fixtures.trained import write_thin_config
from tests.kill_and_resume import flat
from tests.test_engine.a_process import SIZES
from tests.test_tools.run import REPOSITORY, call_together

A_PROCESS = ["-m", "tests.test_engine.a_process"]
METHODS = ("sspnet", "alm")  # whose scores depend on the batch, unlike "linear"'s


def run_together(number, *words):
    """What each process printed last; each has the threads of one of four."""
    outputs = call_together(number, [*A_PROCESS, *words], LOCAL_WORLD_SIZE="4")
    return [json.loads(output.splitlines()[-1]) for output in outputs]


@pytest.mark.parametrize("size", [0, 1, 4, 5, 23])
@pytest.mark.parametrize("processes", [1, 2, 3, 9])
def test_batches_of_one_process_are_dealt_whole(monkeypatch, size, processes):
    dealt = []
    for rank in range(processes):
        monkeypatch.setattr(
            "mmpar.datasets.evaluation_sampler.get_dist_info",
            lambda rank=rank: (rank, processes),
        )
        sampler = EvaluationSampler(range(size), batch_size=4)
        own = list(sampler)
        assert len(sampler) == len(own)
        dealt += [own[i : i + 4] for i in range(0, len(own), 4)]
    expected = [list(range(size))[i : i + 4] for i in range(0, size, 4)]
    assert sorted(dealt) == expected


@pytest.fixture(scope="module")
def tested(tmp_path_factory, trained_work_dir):
    """A folder with what one, two and four processes predict; and the metrics."""
    folder = tmp_path_factory.mktemp("tested")
    for method in METHODS:
        work_dir = trained_work_dir(method)
        shutil.copytree(work_dir, folder / method)
        shutil.copy(work_dir.with_suffix(".py"), folder)
    metrics = {n: run_together(n, "test", folder, *METHODS) for n in (1, 2, 4)}
    return folder / "works", metrics


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", [*SIZES, "joint"])
@pytest.mark.parametrize("processes", [2, 4])
def test_predictions_are_those_of_one_process_to_the_last_bit(
    tested, method, case, processes
):
    folder, _ = tested

    def predicted(number: int) -> list[dict]:
        file = folder / f"{method}_{number}_{case}.json"
        return json.loads(file.read_text())["predictions"]

    assert len(predicted(1)) == (11 if case == "joint" else case)
    assert predicted(processes) == predicted(1)


def test_metrics_are_those_of_one_process_in_every_process(tested):
    _, metrics = tested
    (expected,) = metrics[1]
    assert len(expected) == len(METHODS) * (len(SIZES) + 1)
    for number in (2, 4):
        assert metrics[number] == [expected] * number


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What each of two processes saw of a training with averaged weights.

    Each normalizes its own batch, so that the statistics differ in between.
    """
    folder = tmp_path_factory.mktemp("trained")
    ema = dict(type="EMAHook", ema_type="ExponentialMovingAverage", momentum=0.5)
    ema |= dict(update_buffers=True, priority="ABOVE_NORMAL")
    write_thin_config(
        "linear",
        folder,
        num_train=16,
        epochs=3,
        more=f"default_hooks['ema'] = {ema}\ntrain_cfg['val_interval'] = 2\n"
        "sync_bn = None\n",
    )
    return run_together(2, "train", Path(folder), "linear.py")


def test_averaged_weights_and_positive_ratios_are_the_same_in_all(trained):
    first, second = trained
    assert len(set(first["validated"])) == 2
    assert len(set(first["averaged"])) == 3
    for name in ("validated", "averaged", "ratio"):
        assert first[name] == second[name]
    assert all(0 <= ratio <= 1 for ratio in first["ratio"])


def test_each_epoch_deals_all_images_anew(trained):
    first, second = (process["epochs"] for process in trained)
    for ours, theirs in zip(first, second):
        assert sorted(ours + theirs) == list(range(16))
    assert len({tuple(epoch) for epoch in first + second}) == 6


# Every image as it is, since its flip would be another in another process.
ALIKE = """
train_dataloader['dataset']['pipeline'] = [
    dict(type='DrawSyntheticPerson'),
    dict(type='Resize', scale=(64, 128)),
    dict(type='PackPARInputs'),
]
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    accumulative_counts={counts},
    optimizer=dict(type='SGD', lr=0.05, momentum=0.9),
)
sync_bn = 'torch'
"""


NO_DROPOUT = "model['head'].update(dropout=0.0)\n"  # its numbers are each process's own


def trained_alike(folder, method, images, processes, counts, channels_last):
    """The checkpoint after an epoch in batches of 4 images on all processes."""
    folder.mkdir()
    size = f"train_dataloader['batch_size'] = {4 // processes}\n"
    more = size + ALIKE.format(counts=counts) + f"channels_last = {channels_last}\n"
    more += NO_DROPOUT if method == "sspnet" else ""
    config = write_thin_config(method, folder, num_train=images, more=more)
    words = [REPOSITORY / "tools/train.py", config, "--work-dir", folder / "work"]
    call_together(processes, [*words, "--launcher", "pytorch"], cwd=folder)
    return load_from_local(str(folder / "work/epoch_1.pth"))


@pytest.mark.parametrize(
    ("method", "images", "counts"),
    [("linear", 20, 1), ("linear", 20, 2), ("sspnet", 8, 1), ("alm", 8, 1)],
)
def test_two_processes_train_what_one_does(tmp_path, method, images, counts):
    """Also with another layout in memory, which only the momenta of gradients show."""
    job = (method, images)
    one = trained_alike(tmp_path / "1", *job, 1, counts, channels_last=None)
    two = trained_alike(tmp_path / "2", *job, 2, counts, channels_last=True)
    assert two["state_dict"]["backbone.conv1.weight"].stride() == (147, 1, 21, 3)
    for part in ("state_dict", "optimizer"):
        ours, theirs = flat(two[part]), flat(one[part])
        assert ours.keys() == theirs.keys()
        for name, expected in theirs.items():
            if isinstance(expected, torch.Tensor):
                error = (ours[name] - expected).float().norm()
                assert error <= 1e-4 * expected.float().norm(), name


@pytest.mark.parametrize("asked", [True, False, None])
def test_one_process_lays_weights_out_too(monkeypatch, asked):
    monkeypatch.setattr(Runner, "wrap_model", lambda self, wrapper, model: model)
    runner = PARRunner.__new__(PARRunner)
    runner.cfg, runner._distributed = Config(dict(channels_last=asked)), False
    layer = runner.wrap_model(None, torch.nn.Conv2d(3, 4, 3))
    last = layer.weight.is_contiguous(memory_format=torch.channels_last)
    assert last is bool(asked)
