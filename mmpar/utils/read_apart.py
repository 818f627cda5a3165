"""Reading in a process of its own, which may crash or hang without harm to this one.

SciPy and HDF5 trust what a file says of itself: a flipped bit of a ``.mat`` ends the
process, keeps it busy for ever or takes all memory.
"""

from __future__ import annotations

import faulthandler
import math
import os
import pickle
import select
import signal
import time
import warnings
from collections.abc import Callable
from typing import Any

MEMORY_LIMIT = 2**30
"""Bytes that a reader may take; PA-100K's annotation takes 0.1 GB."""

_SECONDS = 3.0
_BYTES_PER_SECOND = 20_000
"""A tenth of the speed at which the slowest release is read."""
_PATIENCE = 6
"""Seconds by the clock for each of the processor's: others may keep it busy."""


def read_apart(read: Callable[[bytes], Any], content: bytes, path: str) -> Any:
    """``read(content)``, in a fork of this process.

    Where a system has no fork (Windows), it runs in this process, without limits.

    Args:
        read: The reader. What it returns or raises is pickled.
        content: The file's bytes; they bound the processor's time, three seconds and
            one more for each 20 kB, and the clock's, six times as much.
        path: The file, for errors.

    Raises:
        ValueError: What ``read`` raises, or the reader crashed, took over
            :data:`MEMORY_LIMIT` or too long.
    """
    if not hasattr(os, "fork"):
        return read(content)
    receiver, sender = os.pipe()
    with warnings.catch_warnings():
        # Python warns of threads (torch's). The child uses no lock of theirs, and a
        # child that waited for one would be ended in time.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    limit = math.ceil(_SECONDS + len(content) / _BYTES_PER_SECOND)
    if child == 0:
        os.close(receiver)
        _answer(read, content, sender, limit)
    os.close(sender)
    answer = None
    try:
        answer = _received(receiver, limit * _PATIENCE)
    finally:
        os.close(receiver)
        if answer is None:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if answer is None:
        raise _damaged(path, f"had not read it after {limit * _PATIENCE} s")
    if _ending(status) == "SIGXCPU":
        raise _damaged(path, f"had not read it after {limit} s of computing")
    if not answer:
        raise _damaged(path, f"ended with {_ending(status)}")
    result = pickle.loads(answer)
    if isinstance(result, MemoryError):
        raise _damaged(path, f"took more than {MEMORY_LIMIT / 1e9:.1f} GB of memory")
    if isinstance(result, Exception):
        raise result
    return result


def _answer(
    read: Callable[[bytes], Any], content: bytes, sender: int, seconds: int
) -> None:
    """What the child does: it reads, writes the pickled result and ends."""
    try:
        _limit_time(seconds)
        faulthandler.disable()  # its crash is reported by the parent
        _limit_memory()
        try:
            result = read(content)
        except Exception as error:
            result = error
        _limit_memory()  # the pickle is as large again
        with os.fdopen(sender, "wb") as pipe:
            pickle.dump(result, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    except BaseException:
        os._exit(1)
    os._exit(0)


def _limit_time(seconds: int) -> None:
    import resource

    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY or seconds < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


def _limit_memory() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[0])
    except OSError:  # no Linux: the time is limited, the memory is not
        return
    limit = pages * resource.getpagesize() + MEMORY_LIMIT
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _received(receiver: int, limit: float) -> bytes | None:
    """All that comes through a pipe until it is closed; None if that takes too long."""
    end = time.monotonic() + limit
    chunks: list[bytes] = []
    while select.select([receiver], [], [], max(0.0, end - time.monotonic()))[0]:
        chunk = os.read(receiver, 2**20)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
    return None


def _ending(status: int) -> str:
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return f"exit status {os.WEXITSTATUS(status)}"


def _damaged(path: str, fault: str) -> ValueError:
    return ValueError(
        f"{path} is damaged: its reader {fault}; copy or download it again, or if it "
        "is intact, save its labels as CSV for AttributeListDataset"
    )
