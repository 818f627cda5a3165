"""The one way to write a file or folder that is complete or absent, even if killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path


def require_absent(path: Path) -> None:
    """Raise ``FileExistsError`` before work is done for a file that is there."""
    if path.exists():
        raise FileExistsError(f"{path} exists; delete it first, or give another name")


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path to write to, which is renamed to ``path`` when all is written.

    The block writes a file, or makes a folder of files, which replaces no other. If the
    block raises, what it wrote is deleted and a file of this name is as it was. Parent
    folders are made. The temporary name ends in ``.part``: a writer that chooses the
    format by the ending must be given the open file instead.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name for each writer: every process of a distributed test writes its metrics.
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        move_into_place(part, path)
    finally:
        delete(part)


def move_into_place(part: Path, path: Path) -> None:
    """Rename a complete file or folder of files once it is on the disk."""
    for written in part.iterdir() if part.is_dir() else [part]:
        with written.open("rb+") as file:
            os.fsync(file.fileno())
    os.replace(part, path)
    _sync_folder(path.parent)


def delete_parts(folder: Path, pattern: str) -> None:
    """Delete what killed processes had begun to write to names like this, in a folder.

    Nothing else may be writing such a file.
    """
    for part in folder.glob(f".{pattern}.{'[0-9a-f]' * 8}.part"):
        delete(part)


def delete(path: Path) -> None:
    """Delete a file, a folder and all in it, or nothing if there is neither."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


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
