"""Tools leave the process group that they joined."""

import torch.distributed as dist

from mmpar.engine import leave_processes


def test_the_process_group_is_left(tmp_path):
    dist.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    leave_processes()
    assert not dist.is_initialized()
    leave_processes()  # one process alone has nothing to leave
