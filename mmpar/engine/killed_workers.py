"""Says what to do where the system killed a process that loads images."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def naming_killed_workers(remedy: str) -> Iterator[None]:
    """Raise PyTorch's error of a killed worker with a remedy.

    A killed process closes its pipes before the system says that it is dead, so that
    the first to be noticed may be a pipe that ends. PyTorch's own error, raised by the
    signal, is then waited for.

    Args:
        remedy: What to do, after "If the machine ran out of memory, ".

    Raises:
        RuntimeError: A worker of a data loader was killed.
    """
    try:
        try:
            yield
        except (EOFError, ConnectionError):
            time.sleep(1)  # the signal's error ends it
            raise
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise RuntimeError(
            f"a process that loads images was killed ({error}). If the machine ran "
            f"out of memory, {remedy}"
        ) from error
