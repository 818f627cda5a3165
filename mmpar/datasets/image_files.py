"""Which of many listed pictures do not exist, without a system call for each."""

from __future__ import annotations

import errno
import os
from array import array
from collections.abc import Iterable
from typing import Any

import numpy as np
from mmengine.fileio import get_file_backend
from mmengine.fileio.backends import LocalBackend

from mmpar.datasets.archives import PictureArchive

_NO_SUCH_FOLDER = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


def is_local(folder: str, backend_args: dict[str, Any] | None) -> bool:
    """Whether MMEngine would read the pictures of ``folder`` from the file system."""
    backend = get_file_backend(folder, backend_args=backend_args)
    return isinstance(backend, LocalBackend)


def archive_of(backend_args: dict[str, Any] | None) -> PictureArchive | None:
    """The zip file or LMDB that the pictures lie in, if any; it is not read yet.

    It is the one that ``mmengine.fileio.get`` uses: workers share what it has read.
    """
    if not backend_args or "backend" not in backend_args:
        return None
    backend = get_file_backend("", backend_args=backend_args, enable_singleton=True)
    return backend if isinstance(backend, PictureArchive) else None


def missing_files(paths: Iterable[str]) -> np.ndarray:
    """Positions, ascending int64, of the paths that are not there.

    Folders are listed once instead of asking for each file: 100,000 pictures in one
    folder take a tenth of a second.
    """
    folders: dict[str, set[str]] = {}
    missing = array("q")
    for i, path in enumerate(paths):
        folder, name = os.path.split(path)
        if folder not in folders:
            folders[folder] = _names_in(folder)
        if name not in folders[folder]:
            missing.append(i)
    return np.array(missing, np.int64)


def _names_in(folder: str) -> set[str]:
    try:
        return set(os.listdir(folder or "."))
    except OSError as error:
        if error.errno not in _NO_SUCH_FOLDER:
            raise
        return set()
