"""Which of many listed pictures do not exist, without a system call for each."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
from mmengine.fileio import get_file_backend
from mmengine.fileio.backends import LocalBackend


def is_local(folder: str, backend_args: dict[str, Any] | None) -> bool:
    """Whether MMEngine would read the pictures of ``folder`` from the file system."""
    backend = get_file_backend(folder, backend_args=backend_args)
    return isinstance(backend, LocalBackend)


def missing_files(paths: Iterable[str]) -> np.ndarray:
    """Positions, ascending int64, of the paths that are not there.

    Folders are listed once instead of asking for each file: 100,000 pictures in one
    folder take a tenth of a second.
    """
    by_folder: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for i, path in enumerate(paths):
        folder, name = os.path.split(path)
        by_folder[folder].append((i, name))
    missing = [
        i for folder, files in by_folder.items() for i, name in _not_in(folder, files)
    ]
    return np.sort(np.asarray(missing, dtype=np.int64))


def _not_in(folder: str, files: list[tuple[int, str]]) -> list[tuple[int, str]]:
    try:
        with os.scandir(folder or ".") as entries:
            there = {entry.name for entry in entries}
    except (FileNotFoundError, NotADirectoryError):
        return files
    return [(i, name) for i, name in files if name not in there]
