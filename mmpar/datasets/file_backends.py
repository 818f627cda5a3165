"""Where images are: folders, and MMEngine file backends for a zip file or an LMDB."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import threading
import zipfile
from abc import abstractmethod
from array import array
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.fileio import get_file_backend, register_backend
from mmengine.fileio.backends import BaseStorageBackend, LmdbBackend, LocalBackend

from mmpar.utils.bounded_file import BoundedFile, read_zip_directory
from mmpar.utils.file_kinds import describe_unreadable_file
from mmpar.utils.lmdb_pages import require_sound_pages

_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MAX_IMAGE_BYTES = 2**28
"""More bytes than any image has, once unpacked."""
MAX_LMDB_KEY = 511
"""Bytes, in LMDB as everybody builds it."""
_NO_SUCH_FOLDER = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


# --- archives -------------------------------------------------------------------------


class ImageArchive(BaseStorageBackend):
    """A file backend whose paths are the names of members of one archive."""

    @abstractmethod
    def missing(self, names: Iterable[str]) -> np.ndarray:
        """Positions, ascending int64, of the names that the archive does not have.

        Raises:
            FileNotFoundError: The archive does not exist.
            ValueError: It is not such an archive, or damaged.
        """

    @abstractmethod
    def names(self) -> Iterator[str]:
        """Names of all members, sorted; raises the errors of :meth:`missing`."""

    def get_text(self, filepath: str | Path, encoding: str = "utf-8") -> str:
        return self.get(filepath).decode(encoding)


@register_backend("zip")
class ZipImageBackend(ImageArchive):
    """Reads members of a zip file, stored or deflated, with :mod:`zipfile`.

    The directory is read at the first image; forked workers share it, and each process
    reads with a file handle of its own.

    Args:
        zip_path: The zip file.

    Raises:
        FileNotFoundError: The file, or the image in it, does not exist.
        ValueError: The file is not a zip archive, or the member is encrypted, damaged,
            too large or compressed by another method.
    """

    def __init__(self, zip_path: str | Path) -> None:
        self.zip_path = str(zip_path)
        self._archive: zipfile.ZipFile | None = None
        self._process: int | None = None
        self._lock = threading.Lock()

    def get(self, filepath: str | Path) -> bytes:
        archive = self._open()
        try:
            member = archive.getinfo(str(filepath))
        except KeyError:
            raise FileNotFoundError(
                f"the zip archive {self.zip_path} has no image {str(filepath)!r}"
            ) from None
        try:
            _check_member(member)
            with self._lock, archive.open(member) as content:
                # Unlike read(member), no more than it says. One more byte than that
                # reaches its end, where the checksum is checked.
                return content.read(member.file_size + 1)
        except ValueError as error:
            raise ValueError(f"{filepath} in {self.zip_path}: {error}") from None
        except Exception as error:  # zipfile raises a dozen types on broken bytes
            raise ValueError(
                f"{filepath} in {self.zip_path} is damaged: {type(error).__name__}: "
                f"{error}; copy or pack the archive again"
            ) from None

    def missing(self, names: Iterable[str]) -> np.ndarray:
        known = self._open().NameToInfo
        return np.array([i for i, n in enumerate(names) if n not in known], np.int64)

    def names(self) -> Iterator[str]:
        names = sorted(self._open().NameToInfo)
        return (name for name in names if not name.endswith("/"))

    def _open(self) -> zipfile.ZipFile:
        """The archive, with a file handle of this process."""
        if self._archive is None or self._process != os.getpid():
            try:
                self._use(BoundedFile(self.zip_path))
            except FileNotFoundError:
                raise FileNotFoundError(
                    f"no zip file {self.zip_path!r}; check backend_args['zip_path']"
                ) from None
            except (zipfile.BadZipFile, IsADirectoryError) as error:
                raise _unreadable(self.zip_path, "zip archive", error) from None
        assert self._archive is not None
        return self._archive

    def _use(self, file: BoundedFile) -> None:
        # Threads may meet here: each file stays open for as long as one reads from it.
        if self._archive is None:
            archive = read_zip_directory(file)
            _require_inside(archive.infolist(), os.path.getsize(self.zip_path))
            self._archive = archive
        else:  # forked: the directory is shared
            self._archive.fp = file
            self._lock = threading.Lock()
        self._process = os.getpid()

    def __del__(self) -> None:
        if self._archive is not None and self._archive.fp is not None:
            self._archive.fp.close()

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return type(self), (self.zip_path,)


def _require_inside(members: Iterable[zipfile.ZipInfo], size: int) -> None:
    for member in members:
        if not 0 <= member.header_offset <= size - member.compress_size:
            raise zipfile.BadZipFile(
                f"its directory gives {member.filename!r} {member.compress_size} bytes "
                f"at {member.header_offset}, and the file has {size}"
            )


def _check_member(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & _ENCRYPTED:
        raise ValueError("it is encrypted; pack the images without a password")
    if member.compress_type not in _METHODS:
        raise ValueError(
            f"it is compressed with method {member.compress_type}; expected 0 (stored) "
            "or 8 (deflated); pack with tools/dataset_converters/pack_images.py"
        )
    if member.file_size > _MAX_IMAGE_BYTES:
        raise ValueError(
            f"it unpacks to over {_MAX_IMAGE_BYTES >> 20} MiB, too much for an image"
        )


@register_backend("mmpar_lmdb")
class LmdbImageBackend(ImageArchive, LmdbBackend):
    """MMEngine's LMDB backend with the errors of a file system, and names in UTF-8.

    MMEngine's own (``backend='lmdb'``) returns None for a missing image and knows ASCII
    names only. The database is opened at the first image, read only and without locks:
    a plain memory map, so workers may be forked before or after that.

    Args:
        db_path: Folder of the database.
        kwargs: As for MMEngine's ``LmdbBackend``.

    Raises:
        FileNotFoundError: The database, or the image in it, does not exist.
        ValueError: It is not an LMDB, or damaged.
    """

    _client: Any

    def get(self, filepath: str | Path) -> bytes:
        key = _to_key(filepath)
        with self._transaction() as transaction:
            content = transaction.get(key) if _is_key(key) else None
        if content is None:
            raise FileNotFoundError(
                f"the LMDB {self.db_path} has no image {str(filepath)!r}"
            )
        return content

    def missing(self, names: Iterable[str]) -> np.ndarray:
        keys = enumerate(map(_to_key, names))
        with self._transaction() as transaction, transaction.cursor() as cursor:
            absent = [i for i, k in keys if not (_is_key(k) and cursor.set_key(k))]
        return np.array(absent, np.int64)

    def names(self) -> Iterator[str]:
        with self._transaction() as transaction, transaction.cursor() as cursor:
            for key in cursor.iternext(values=False):
                yield key.decode("utf-8", "surrogateescape")

    def close(self) -> None:
        """Release the memory map; the next image opens it again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Any]:
        import lmdb

        try:
            if self._client is None:
                self._client = self._get_client()
            with self._client.begin() as transaction:
                yield transaction
        except lmdb.Error as error:
            raise _unreadable(self._data_file(), "LMDB", error) from error

    def _get_client(self) -> Any:
        if not os.path.exists(self.db_path):
            raise FileNotFoundError(
                f"no LMDB {self.db_path!r}; check backend_args['db_path']"
            )
        if os.path.isfile(self._data_file()):
            require_sound_pages(self._data_file())
        return super()._get_client()

    def _data_file(self) -> str:
        file = os.path.join(self.db_path, "data.mdb")
        return self.db_path if os.path.isfile(self.db_path) else file

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_client": None}


def _to_key(name: str | Path) -> bytes:
    return str(name).encode("utf-8", "surrogateescape")


def _is_key(key: bytes) -> bool:
    return 0 < len(key) <= MAX_LMDB_KEY


def _unreadable(path: str, kind: str, error: Exception) -> ValueError:
    found = describe_unreadable_file(path)
    if found is None:
        return ValueError(f"{path} is not a {kind}: {error}")
    return ValueError(f"{path} {found}, not a readable {kind}: {error}")


def check_backend(backend_args: dict[str, Any] | None) -> None:
    """Raise ``ValueError`` for MMEngine's own LMDB, which earlier configs name."""
    if backend_args and backend_args.get("backend") == "lmdb":
        raise ValueError(
            "backend='lmdb' is MMEngine's own, which returns None for a missing image "
            "and cannot read names beyond ASCII; write backend='mmpar_lmdb' in "
            "backend_args, of the dataset and of the loading transform"
        )


def archive_of(backend_args: dict[str, Any] | None) -> ImageArchive | None:
    """The zip file or LMDB that holds the images, if any; it is not read yet.

    It is the one that ``mmengine.fileio.get`` uses: workers share what it has read.

    Raises:
        ValueError: See :func:`check_backend`.
    """
    check_backend(backend_args)
    if not backend_args or "backend" not in backend_args:
        return None
    backend = get_file_backend("", backend_args=backend_args, enable_singleton=True)
    return backend if isinstance(backend, ImageArchive) else None


# --- folders --------------------------------------------------------------------------


def is_local(folder: str, backend_args: dict[str, Any] | None) -> bool:
    """Whether MMEngine would read the images of ``folder`` from the file system."""
    backend = get_file_backend(folder, backend_args=backend_args)
    return isinstance(backend, LocalBackend)


def missing_files(paths: Iterable[str]) -> np.ndarray:
    """Positions, ascending int64, of the paths that do not exist.

    Lists each folder once instead of one system call per file: 100,000 images in one
    folder take a tenth of a second.
    """
    folders: dict[str, set[str]] = {}
    missing = array("q")
    for i, path in enumerate(paths):
        folder, name = os.path.split(path)
        if folder not in folders:
            folders[folder] = _list_folder(folder)
        if name not in folders[folder]:
            missing.append(i)
    return np.array(missing, np.int64)


def _list_folder(folder: str) -> set[str]:
    with _absent_is_empty():
        return set(os.listdir(folder or "."))
    return set()


@contextlib.contextmanager
def _absent_is_empty() -> Iterator[None]:
    """Pass over a folder that does not exist, or that no folder can be called."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SUCH_FOLDER:
            raise


def paths_outside(folder: str, paths: Iterable[str], local: bool) -> np.ndarray:
    """Positions, ascending int64, of the paths that lead out of a folder.

    Locally it counts where the folder of a file, and the file, really are: ``..``,
    absolute paths and links may lead out, or stay inside. Each folder among the paths
    is looked at once, its links one by one, so this takes about as long as
    :func:`missing_files`. Elsewhere there are no links, and the name decides.

    Args:
        folder: The folder; it may itself be a link.
        paths: Whole paths, not relative to the folder.
        local: Whether they are in the file system.
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
        with _absent_is_empty(), os.scandir(parent or ".") as entries:
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
