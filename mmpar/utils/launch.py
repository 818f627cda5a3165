"""Joins the processes of a launch where MMEngine cannot, and leaves them cleanly."""

from __future__ import annotations

import gc
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import mmpar.registry  # noqa: F401  checks the installation before torch is imported

# isort: split
import torch
import torch.multiprocessing
from mmengine.config import Config
from mmengine.device import is_cuda_available, is_musa_available, is_npu_available
from torch.distributed.elastic.multiprocessing.errors import get_error_handler

from mmpar.compat import shards_on_cpu

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


def prepare_launch(cfg: Config) -> None:
    """Prepare this process for a Runner with the config's ``launcher``.

    The Runner joins the process group by itself, but not on a machine without a GPU:
    there it is joined here.

    Args:
        cfg: The Runner's config; ``model_wrapper_cfg`` and the backend may be changed.

    Raises:
        ValueError: The process was not started as its launcher starts it.
    """
    launcher = cfg.get("launcher", "none")
    if launcher == "none":
        return
    _require_variables(launcher)
    _silence_warnings()
    if launcher == "pytorch" and sys.platform == "linux":
        # torchrun stops its processes, unless it is killed itself.
        ask: Any = torch.multiprocessing
        ask._prctl_pr_set_pdeathsig(signal.SIGTERM)
    has_device = is_cuda_available() or is_npu_available() or is_musa_available()
    if launcher == "pytorch" and not has_device:
        _join_on_cpu(cfg)


@contextmanager
def leaving_process_group() -> Iterator[None]:
    """Leave the process group, if there is one, at the end of a block that succeeds.

    Otherwise a thread of gloo that still holds tensors may abort the process while
    Python shuts down, and torchrun then stops the others, whatever they still write
    (pytorch issue 190489, pull request 179291).

    Not after an error: others may wait in a collective call, which fails when this
    process ends. torchrun is told the error, and names the first one of all processes
    as the cause.

    Runners must be out of use: their wrapped models hold the group, too, and its
    threads end with the last holder.
    """
    try:
        yield
    except Exception as error:
        if "TORCHELASTIC_ERROR_FILE" in os.environ:
            get_error_handler().record_exception(error)
        raise
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        gc.collect()  # Runner and hooks hold each other
        torch.distributed.destroy_process_group()


def _require_variables(launcher: str) -> None:
    absent = [name for name in _VARIABLES.get(launcher, ()) if name not in os.environ]
    if absent:
        raise ValueError(
            f"--launcher {launcher} is for processes started by "
            f"{_STARTED_BY[launcher]}, but the environment lacks {', '.join(absent)}; "
            "start them so, or leave --launcher out for one process"
        )


def _silence_warnings() -> None:
    """Spare every process the warnings nobody can act on."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # MMEngine sets the same, with a warning
    # MMEngine's own wrapper passes the argument that newer versions of torch rename.
    warnings.filterwarnings("ignore", message="`broadcast_buffers` is deprecated")
    # torch 2.1 has no other all_reduce with a gradient.
    warnings.filterwarnings("ignore", message=r"torch\.distributed\.nn\.functional")


def _join_on_cpu(cfg: Config) -> None:
    """Join the group on gloo; MMEngine would pick a CUDA device first."""
    cfg.merge_from_dict({"env_cfg.dist_cfg.backend": "gloo"})
    # MMEngine heeds the field only where it chooses the wrapper itself.
    unused = cfg.get("find_unused_parameters", False)
    wrapper = dict(type="MMDistributedDataParallel", find_unused_parameters=unused)
    cfg.setdefault("model_wrapper_cfg", wrapper)
    cfg.model_wrapper_cfg.update(device_ids=None, broadcast_buffers=False)
    if cfg.get("strategy", {}).get("model_wrapper"):  # FSDP's
        if not shards_on_cpu():
            raise ValueError(
                f"torch {torch.__version__} runs the strategy {cfg.strategy.type} on "
                "GPUs only; install a newer torch, or leave the strategy out"
            )
        cfg.strategy.model_wrapper.device_id = "cpu"
    # The processes share the cores; torchrun's default is one thread each.
    threads = max(1, (os.cpu_count() or 1) // int(os.environ["LOCAL_WORLD_SIZE"]))
    torch.set_num_threads(threads)
    if not torch.distributed.is_initialized():  # by an earlier Runner of this process
        seconds = cfg.env_cfg.dist_cfg.get("timeout")
        given: dict[str, Any] = (
            {} if seconds is None else dict(timeout=timedelta(seconds=seconds))
        )
        torch.distributed.init_process_group(backend="gloo", **given)
