"""Has the C library keep memory for the tensors of the next step."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

# malloc.h, and what glibc itself adjusts these to at most.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_OF_GLIBC = {_TRIM_THRESHOLD: 64 << 20, _MMAP_THRESHOLD: 32 << 20, _MMAP_MAX: 65536}
_OF_USERS = ("MALLOC_", "GLIBC_TUNABLES")


@contextmanager
def keeping_freed_memory() -> Iterator[None]:
    """Have glibc give no freed memory back to the system for the length of a block.

    Otherwise each step of a training on a CPU gets its large tensors from the system
    anew, page by page, which took up to a quarter of its time. Within the block the
    process keeps the most that it ever needed. Changes nothing with another C library,
    and where environment variables (``MALLOC_...``, ``GLIBC_TUNABLES``) say how memory
    is to be allocated.

    Source: the manual pages mallopt(3) and malloc_trim(3).
    """
    chosen = any(name.startswith(_OF_USERS) for name in os.environ)
    if chosen or platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_TRIM_THRESHOLD, -1)
    libc.mallopt(_MMAP_MAX, 0)
    try:
        yield
    finally:
        for parameter, value in _OF_GLIBC.items():
            libc.mallopt(parameter, value)
        libc.malloc_trim(0)
