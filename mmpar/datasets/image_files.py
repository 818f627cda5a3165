"""Which of many listed pictures do not exist, without a system call for each."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
from array import array
from collections.abc import Callable, Iterable
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


def paths_outside(folder: str, paths: Iterable[str], local: bool) -> np.ndarray:
    """Positions, ascending int64, of the paths that lead out of a folder.

    Locally it counts where the folder of a file, and the file, really are: ``..``,
    absolute paths and links may lead out, or stay inside. Each folder among the paths
    is looked at once, its links one by one, so this takes about as long as
    :func:`missing_files`. Elsewhere there are no links, and the name decides.

    Args:
        folder: The folder; it may itself be a link.
        paths: Whole paths, not relative to the folder.
        local: Whether they are of the file system.
    """
    leads_out = _leads_out_of(folder) if local else _is_not_below(folder)
    return np.fromiter((i for i, p in enumerate(paths) if leads_out(p)), np.int64)


def _leads_out_of(folder: str) -> Callable[[str], bool]:
    root = os.path.join(os.path.realpath(folder), "")

    def is_outside(path: str) -> bool:
        return not os.path.join(os.path.realpath(path), "").startswith(root)

    @functools.cache
    def links_out(parent: str) -> set[str] | None:
        """Names there that lead out; None where all do."""
        if is_outside(parent):
            return None
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            with os.scandir(parent or ".") as entries:
                links = [entry for entry in entries if entry.is_symlink()]
            return {link.name for link in links if is_outside(link.path)}
        return set()

    def leads_out(path: str) -> bool:
        parent, name = os.path.split(path)
        found = links_out(parent)
        return found is None or name in found or name == ".." or "://" in path

    return leads_out


def _is_not_below(address: str) -> Callable[[str], bool]:
    start = address.rstrip("/") + "/"
    return lambda path: not path.startswith(start) or ".." in path.split("/")


def _names_in(folder: str) -> set[str]:
    try:
        return set(os.listdir(folder or "."))
    except OSError as error:
        if error.errno not in _NO_SUCH_FOLDER:
            raise
        return set()
