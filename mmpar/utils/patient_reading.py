"""Reads files in folders that may vanish for a while, as those of network mounts do."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds to wait for a folder that was there before."""

_STEP = 0.5
_SEEN: set[str] = set()


def read_patiently(path: str, read: Callable[[], bytes]) -> bytes:
    """Read a file; wait, with a warning, while its folder is gone or empty.

    Only for a folder that this process has read from: a mistyped path is an error at
    once, and so is a file that is missing in a folder that is there.

    Args:
        path: The file. Of what is not in the file system, nothing is waited for.
        read: Reads it.

    Raises:
        OSError: As ``read`` does; also if the folder is not back in time.
    """
    folder = os.path.dirname(path) or "."
    deadline = None
    while True:
        try:
            content = read()
            break
        except OSError:
            if folder not in _SEEN:
                raise
            if not _has_vanished(folder):
                return read()  # it came back in between, or the file is missing
            if deadline is None:
                deadline = time.monotonic() + PATIENCE
                warnings.warn(
                    f"the folder {folder} has vanished; waiting up to {PATIENCE:.0f} s "
                    "for it",
                    stacklevel=2,
                )
            elif time.monotonic() > deadline:
                raise
            time.sleep(_STEP)
    if folder not in _SEEN and os.path.isdir(folder):
        _SEEN.add(folder)
    return content


def _has_vanished(folder: str) -> bool:
    """Whether it cannot be listed, or is the empty folder that a mount leaves."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return True
