"""File backends that read pictures out of one archive: a zip file or an LMDB."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.fileio import register_backend
from mmengine.fileio.backends import BaseStorageBackend, LmdbBackend

from mmpar.datasets.formats.annotation import PackedStrings
from mmpar.utils.bounded_file import opened_zip
from mmpar.utils.file_kinds import describe_unreadable_file
from mmpar.utils.lmdb_pages import require_sound_pages

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ENCRYPTED = 0x1
_LONGEST_KEY = 511
"""Bytes, of LMDB as it is built everywhere."""
_LARGEST_MEMBER = 2**28
"""Bytes of a deflated image; a directory that gives fewer need not be right."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class PictureArchive(BaseStorageBackend):
    """A backend whose paths are the names of members of one archive."""

    @abstractmethod
    def missing(self, names: Iterable[str]) -> np.ndarray:
        """Positions, ascending int64, of the names that the archive does not have.

        Raises:
            FileNotFoundError: There is no archive.
            ValueError: It is none.
        """

    @abstractmethod
    def names(self) -> Iterator[str]:
        """Names of all members, sorted by their bytes; errors as of ``missing``."""

    def get_text(self, filepath: str | Path, encoding: str = "utf-8") -> str:
        return self.get(filepath).decode(encoding)


# Replaces MMEngine's own, which gives None for a missing picture and knows ASCII only.
@register_backend("lmdb", force=True)
class PictureLmdb(PictureArchive, LmdbBackend):
    """MMEngine's LMDB backend with the errors of a file, and names in UTF-8.

    The database is opened at the first picture. It is read only and without locks, a
    plain memory map, so workers may be forked before or after that.

    Args:
        db_path: Folder of the database.
        kwargs: As for MMEngine's ``LmdbBackend``.

    Raises:
        FileNotFoundError: There is no such database, or no such picture in it.
        ValueError: It is no LMDB.
    """

    _client: Any

    def get(self, filepath: str | Path) -> bytes:
        key = _key(filepath)
        with self._transaction() as transaction:
            content = transaction.get(key) if _is_key(key) else None
        if content is None:
            raise FileNotFoundError(f"LMDB {self.db_path} has no picture {filepath!r}")
        return content

    def missing(self, names: Iterable[str]) -> np.ndarray:
        keys = enumerate(map(_key, names))
        with self._transaction() as transaction, transaction.cursor() as cursor:
            absent = [i for i, k in keys if not (_is_key(k) and cursor.set_key(k))]
        return np.array(absent, np.int64)

    def names(self) -> Iterator[str]:
        with self._transaction() as transaction, transaction.cursor() as cursor:
            for key in cursor.iternext(values=False):
                yield key.decode("utf-8", "surrogateescape")

    def close(self) -> None:
        """Let go of the memory map; the next picture opens it again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        import lmdb

        try:
            with self._opened().begin() as transaction:
                yield transaction
        except lmdb.Error as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> ValueError:
        return _unreadable(self._data_file(), "LMDB", error)

    def _opened(self) -> Any:
        if self._client is None:
            self._client = self._get_client()
        return self._client

    def _get_client(self) -> Any:
        import lmdb

        if not os.path.exists(self.db_path):
            raise FileNotFoundError(
                f"no LMDB {self.db_path!r}; check backend_args['db_path']"
            )
        if os.path.isfile(self._data_file()):
            require_sound_pages(self._data_file())
        try:
            return super()._get_client()
        except lmdb.Error as error:
            raise self._damaged(error) from None

    def _data_file(self) -> str:
        file = os.path.join(self.db_path, "data.mdb")
        return self.db_path if os.path.isfile(self.db_path) else file

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_client": None}


def _unreadable(path: str, kind: str, error: Exception) -> ValueError:
    found = describe_unreadable_file(path)
    if found is None:
        return ValueError(f"{path} is no {kind}: {error}")
    return ValueError(f"{path} {found}, no readable {kind}: {error}")


def _require_inside(members: Iterable[zipfile.ZipInfo], size: int) -> None:
    for member in members:
        if not 0 <= member.header_offset <= size - member.compress_size:
            raise zipfile.BadZipFile(
                f"its directory gives {member.filename!r} {member.compress_size} bytes "
                f"at {member.header_offset}, and the file has {size}"
            )


def _inflated(content: bytes) -> bytes:
    """Deflated bytes, unpacked; ``ValueError`` where they are no image's."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    unpacked = inflater.decompress(content, _LARGEST_MEMBER)
    if inflater.unconsumed_tail:
        raise ValueError(f"it unpacks to over {_LARGEST_MEMBER >> 20} MiB, no image")
    if not inflater.eof:
        raise zlib.error("incomplete or truncated stream")
    return unpacked


def _key(name: str | Path) -> bytes:
    return str(name).encode("utf-8", "surrogateescape")


def _is_key(key: bytes) -> bool:
    return 0 < len(key) <= _LONGEST_KEY


@register_backend("zip")
class PictureZip(PictureArchive):
    """Reads members of a zip file, stored or deflated.

    The central directory is read at the first picture, once, into a few arrays. Every
    member is read at its own offset, so threads and forked workers may share all.

    Args:
        zip_path: The zip file.

    Raises:
        FileNotFoundError: There is no such file, or no such picture in it.
        ValueError: It is no zip file, or the member is encrypted, damaged, or
            compressed otherwise.
    """

    def __init__(self, zip_path: str | Path) -> None:
        self.zip_path = str(zip_path)
        self._file: int | None = None

    def get(self, filepath: str | Path) -> bytes:
        self._open()
        i = bisect_right(self._names, str(filepath)) - 1
        if i < 0 or self._names[i] != str(filepath):
            raise FileNotFoundError(
                f"zip file {self.zip_path} has no picture {str(filepath)!r}"
            )
        try:
            return self._read(*self._entries[i].tolist())
        except (ValueError, zlib.error, struct.error) as error:
            raise ValueError(f"{filepath} in {self.zip_path}: {error}") from None

    def missing(self, names: Iterable[str]) -> np.ndarray:
        self._open()
        there = set(self._names)
        absent = [i for i, name in enumerate(names) if name not in there]
        return np.array(absent, np.int64)

    def names(self) -> Iterator[str]:
        self._open()
        yield from self._names

    def _read(self, start: int, size: int, flags: int, method: int, crc: int) -> bytes:
        if flags & _ENCRYPTED:
            raise ValueError("it is encrypted; pack the pictures without a password")
        if method not in _METHODS:
            raise ValueError(
                f"it is compressed with method {method}; expected 0 (stored) or 8 "
                "(deflated); pack with tools/dataset_converters/pack_images.py"
            )
        assert self._file is not None
        header = os.pread(self._file, _LOCAL_HEADER.size, start)
        signature, name_size, extra_size = _LOCAL_HEADER.unpack(header)
        start += _LOCAL_HEADER.size + name_size + extra_size
        content = os.pread(self._file, size, start)
        if signature == b"PK\3\4" and method == zipfile.ZIP_DEFLATED:
            content = _inflated(content)
        if signature != b"PK\3\4" or zlib.crc32(content) != crc:
            raise ValueError("its checksum is wrong, the zip file is damaged")
        return content

    def _open(self) -> None:
        if self._file is not None:
            return
        try:
            with opened_zip(self.zip_path) as archive:
                found = archive.infolist()
            members = [m for m in found if not m.filename.endswith("/")]
            _require_inside(members, os.path.getsize(self.zip_path))
        except FileNotFoundError:
            raise FileNotFoundError(
                f"no zip file {self.zip_path!r}; check backend_args['zip_path']"
            ) from None
        except (zipfile.BadZipFile, IsADirectoryError) as error:
            raise _unreadable(self.zip_path, "zip file", error) from None
        members.sort(key=lambda member: member.filename)
        self._names = PackedStrings.pack(member.filename for member in members)
        self._entries = np.array(
            [
                (m.header_offset, m.compress_size, m.flag_bits, m.compress_type, m.CRC)
                for m in members
            ],
            np.int64,
        ).reshape(-1, 5)
        self._file = os.open(self.zip_path, os.O_RDONLY)

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return type(self), (self.zip_path,)

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            os.close(self._file)  # type: ignore[arg-type]
