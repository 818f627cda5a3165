"""Tools leave the process group that they joined."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from mmpar.engine import leave_processes

THREADS = Path("/proc/self/task")


def gloo_threads():
    names = [(thread / "comm").read_text() for thread in THREADS.iterdir()]
    return [name for name in names if "gloo" in name]


def wrapped_model_in_a_cycle():
    model = DistributedDataParallel(torch.nn.Linear(2, 2))
    model.runner = [model]


@pytest.mark.skipif(not THREADS.exists(), reason="threads are listed on Linux only")
def test_no_thread_of_the_process_group_outlives_it(tmp_path):
    dist.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    wrapped_model_in_a_cycle()
    assert gloo_threads()
    leave_processes()
    assert not dist.is_initialized()
    assert not gloo_threads()
    leave_processes()  # one process alone has nothing to leave
