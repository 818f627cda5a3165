"""Tools leave the process group that their Runner joined."""

import copy
import os
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch.distributed as dist

from mmpar.engine import running
from tests.test_engine.tiny_training import tiny_config

THREADS = Path("/proc/self/task")


def threads():
    """Their numbers; only newer releases of torch name those of gloo."""
    return {thread.name for thread in THREADS.iterdir()}


@pytest.fixture
def launched(monkeypatch):
    """As one process that torchrun starts on a machine without a GPU."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    process = dict(RANK="0", LOCAL_RANK="0", WORLD_SIZE="1")
    process["LOCAL_WORLD_SIZE"] = str(os.cpu_count())  # one thread computes
    for name, value in dict(process, MASTER_ADDR="127.0.0.1", MASTER_PORT=port).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("mmpar.utils.launch.is_cuda_available", lambda: False)


@pytest.mark.skipif(not THREADS.exists(), reason="threads are listed on Linux only")
def test_no_thread_of_the_process_group_outlives_a_run(tmp_path, launched):
    cfg = tiny_config(tmp_path, 1)
    with running(copy.deepcopy(cfg)) as runner:
        runner.train()  # begins what stays: threads that compute
    before = threads()
    cfg.launcher = "pytorch"
    with running(cfg) as runner:
        runner.train()
        logger = runner.logger
        assert dist.is_initialized()
        assert threads() - before
    assert not dist.is_initialized()
    assert not threads() - before
    logger.info("the log can still be written to")


def test_one_process_alone_has_nothing_to_leave(tmp_path):
    with running(tiny_config(tmp_path, 1)) as runner:
        runner.train()
        assert runner.epoch == 1


def test_a_training_keeps_memory_and_gives_it_back_after(tmp_path, monkeypatch):
    calls = []

    @contextmanager
    def noted():
        calls.append("keep")
        yield
        calls.append("give back")

    monkeypatch.setattr("mmpar.engine.runner.keeping_freed_memory", noted)
    with running(tiny_config(tmp_path, 1)) as runner:
        runner.train()
        assert calls == ["keep", "give back"]
