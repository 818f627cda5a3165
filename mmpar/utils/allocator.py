"""Has the C library keep memory for the tensors of the next step."""

from __future__ import annotations

import ctypes
import os
import platform

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # malloc.h
_OF_USERS = ("MALLOC_", "GLIBC_TUNABLES")


def keep_freed_memory() -> bool:
    """Have glibc give no freed memory back to the system while this process runs.

    Otherwise each step of a training on a CPU gets its large tensors from the system
    anew, page by page, which took up to a quarter of its time. The process keeps the
    most that it ever needed. Does nothing with another C library, and where environment
    variables (``MALLOC_...``, ``GLIBC_TUNABLES``) say how memory is to be allocated.

    Returns:
        Whether it does.

    Source: the manual page mallopt(3).
    """
    chosen = any(name.startswith(_OF_USERS) for name in os.environ)
    if chosen or platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.mallopt(_TRIM_THRESHOLD, -1) and libc.mallopt(_MMAP_MAX, 0))
