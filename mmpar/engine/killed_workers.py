"""Says what to do where the system killed a process that loads images."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENCE = 5  # seconds


@contextmanager
def naming_killed_workers(remedy: str) -> Iterator[None]:
    """Add a remedy to PyTorch's error about a killed worker.

    The pipes of a killed process close before SIGCHLD arrives, so a broken pipe may be
    noticed first. The error that PyTorch raises from the signal is then waited for.

    Args:
        remedy: What to do, after "If the machine ran out of memory, ".

    Raises:
        RuntimeError: A worker of a data loader was killed.
    """
    try:
        try:
            yield
        except (EOFError, ConnectionError):
            time.sleep(_PATIENCE)  # PyTorch's signal handler raises in here
            raise
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise RuntimeError(
            f"a process that loads images was killed ({error}). If the machine ran "
            f"out of memory, {remedy}"
        ) from error
