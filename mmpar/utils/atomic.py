"""The one way to write a file that is complete or absent, whenever the process ends."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path to write to, which takes the name ``path`` when all is written.

    The file is on the disk before it is renamed; until then a file of this name is as
    it was. If the block raises, the temporary file is deleted. Folders are made. The
    temporary name ends in ``.part``: a writer that chooses the format by the ending
    must be given the open file instead.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name for each writer: every process of a distributed test writes its metrics.
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
        _sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def write_atomically(path: str | Path, content: bytes | str) -> None:
    """Write bytes, or text in UTF-8, as :func:`atomic_path` does."""
    with atomic_path(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def _sync_folder(folder: Path) -> None:
    """Make sure that a new name is on the disk, too; only POSIX opens folders."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def secure_checkpoint_writing() -> None:
    """Have MMEngine write local files so; a killed run leaves no torn checkpoint."""
    from mmengine.fileio import LocalBackend, register_backend

    class AtomicLocalBackend(LocalBackend):
        """MMEngine's backend of local files, which checkpoints go through."""

        def put(self, obj: bytes, filepath: str | Path) -> None:
            write_atomically(filepath, obj)

        def put_text(
            self, obj: str, filepath: str | Path, encoding: str = "utf-8"
        ) -> None:
            write_atomically(filepath, obj.encode(encoding))

    register_backend("local", AtomicLocalBackend, force=True, prefixes="")
