"""Files whose sizes, as they themselves give them, are not believed."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager


class BoundedFile(io.BufferedReader):
    """A file to read, which allocates no more for a read than the file has bytes.

    Python's own allocates what it is asked for, and a length that a broken file gives
    may be gigabytes.
    """

    def __init__(self, path: str) -> None:
        super().__init__(io.FileIO(path))
        self._size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size if size is None else min(size, self._size))


@contextmanager
def opened_zip(path: str) -> Iterator[zipfile.ZipFile]:
    """A zip archive, open to be read.

    Raises:
        OSError: The file does not exist, or cannot be opened.
        zipfile.BadZipFile: See :func:`read_zip_directory`.
    """
    with BoundedFile(path) as file, read_zip_directory(file) as archive:
        yield archive


def read_zip_directory(file: BoundedFile) -> zipfile.ZipFile:
    """The archive in a file that stays open.

    Raises:
        zipfile.BadZipFile: It is not a zip archive, or its directory is damaged.
    """
    try:
        return zipfile.ZipFile(file)
    except zipfile.BadZipFile:
        raise
    except Exception as error:  # zipfile raises a dozen types on broken bytes
        raise zipfile.BadZipFile(f"{type(error).__name__}: {error}") from error


def damaged_member(archive: zipfile.ZipFile) -> str | None:
    """The first member whose content does not fit its checksum, if there is one.

    Raises:
        zipfile.BadZipFile: A member cannot be read at all.
    """
    try:
        return archive.testzip()
    except Exception as error:  # as above
        raise zipfile.BadZipFile(f"{type(error).__name__}: {error}") from error
