"""The way to write a file that is whole or not there, whenever the process ends."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write a file under another name, make sure that it is on the disk, rename it.

    Until then a file of this name is as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name for each writer: every process of a distributed test writes its metrics.
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        _sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make sure that a new name is on the disk, too; only POSIX opens folders."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class AtomicLocalBackend(LocalBackend):
    """MMEngine's backend of local files, which the Runner's checkpoints go through."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes; see :func:`write_atomically`."""
        write_atomically(filepath, obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = "utf-8") -> None:
        """Write text; see :func:`write_atomically`."""
        write_atomically(filepath, obj.encode(encoding))


def secure_checkpoint_writing() -> None:
    """Make MMEngine write local files so; a killed run leaves no torn checkpoint."""
    register_backend("local", AtomicLocalBackend, force=True, prefixes="")
