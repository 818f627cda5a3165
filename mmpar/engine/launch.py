"""Joins the processes of a run where MMEngine cannot, and lets them part in peace."""

import gc
import os

import torch
from mmengine.config import Config
from mmengine.device import is_cuda_available, is_musa_available, is_npu_available

_VARIABLES = {
    "pytorch": ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"),
    "slurm": ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_NODELIST"),
    "mpi": (
        "OMPI_COMM_WORLD_LOCAL_RANK",
        "OMPI_COMM_WORLD_RANK",
        "OMPI_COMM_WORLD_SIZE",
        "MASTER_ADDR",
    ),
}
_STARTED_BY = {
    "pytorch": "torchrun (see tools/dist_train.sh)",
    "slurm": "srun (see tools/slurm_train.sh)",
    "mpi": "mpirun of Open MPI, with MASTER_ADDR set to the first machine's name",
}


def require_launcher_variables(launcher: str) -> None:
    """Raise ``ValueError`` if a process was not started as its launcher starts it."""
    absent = [name for name in _VARIABLES.get(launcher, ()) if name not in os.environ]
    if absent:
        raise ValueError(
            f"--launcher {launcher} is for processes started by "
            f"{_STARTED_BY[launcher]}, but the environment lacks {', '.join(absent)}; "
            "start them so, or leave --launcher out for one process"
        )


def prepare_cpu_launch(cfg: Config) -> None:
    """Join the process group on gloo if torchrun started us on a machine without GPU.

    MMEngine's own launch picks a CUDA device first, and wraps the model for it.

    Args:
        cfg: The Runner's config, with ``launcher`` set; ``model_wrapper_cfg`` and the
            backend are changed in place.
    """
    if cfg.launcher != "pytorch":
        return
    if is_cuda_available() or is_npu_available() or is_musa_available():
        return
    cfg.env_cfg.dist_cfg.backend = "gloo"
    # MMEngine heeds the field only where it chooses the wrapper itself.
    unused = cfg.get("find_unused_parameters", False)
    wrapper = dict(type="MMDistributedDataParallel", find_unused_parameters=unused)
    cfg.setdefault("model_wrapper_cfg", wrapper)
    cfg.model_wrapper_cfg.update(device_ids=None, broadcast_buffers=False)
    # The processes share the cores; torchrun's default is one thread each.
    threads = max(1, (os.cpu_count() or 1) // int(os.environ["LOCAL_WORLD_SIZE"]))
    torch.set_num_threads(threads)
    torch.distributed.init_process_group(backend="gloo")


def leave_processes() -> None:
    """Leave the process group, if there is one, at the end of a tool that succeeded.

    Otherwise a thread of gloo that still holds tensors may abort the process while
    Python shuts down, and torchrun then stops the others, whatever they still write
    (pytorch issue 190489, pull request 179291). Not after an error: others may wait in
    a collective call.

    The Runner must be out of use: its wrapped model holds the group, too, and the
    threads end with the last who holds it.
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        gc.collect()  # Runner and hooks hold each other
        torch.distributed.destroy_process_group()
