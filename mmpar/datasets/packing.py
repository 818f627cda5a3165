"""From a folder of images to one zip file or LMDB, which is complete or absent."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from torchvision.datasets.folder import IMG_EXTENSIONS

from mmpar.datasets.file_backends import MAX_LMDB_KEY
from mmpar.utils.atomic import atomic_path, delete, require_absent

_IMAGES_PER_TRANSACTION = 1_000
_FIRST_MAP_SIZE = 1 << 28

Report = Callable[[int, int], None]
"""Called with the number of images packed, and of all images."""


class FolderContent(NamedTuple):
    """What is below a folder; names are relative to it, with slashes, sorted."""

    names: list[str]
    """Of the images."""
    others: Counter[str]
    """Number of other files by ending."""
    links: list[str]
    """Links that are not followed: to folders, and to files outside."""


def list_images(folder: str | Path) -> FolderContent:
    """Images below a folder, and what else there is.

    Links to folders are not followed, as they may lead anywhere and in circles, nor
    links to files outside, which may not be meant to be shared. The folder itself may
    be a link.

    Raises:
        FileNotFoundError: The folder does not exist, or no image is below it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {str(folder)!r}")
    names, links = [], []
    others: Counter[str] = Counter()
    root = Path(os.path.realpath(folder))
    for where, folders, files in os.walk(folder):
        links += [path for name in folders if (path := Path(where, name)).is_symlink()]
        for file in (Path(where, name) for name in files):
            ending = file.suffix.lower()
            if file.is_symlink() and root not in Path(os.path.realpath(file)).parents:
                links.append(file)
            elif ending in IMG_EXTENSIONS:
                names.append(file.relative_to(folder).as_posix())
            else:
                others[ending] += 1
    left_out = [link.relative_to(folder).as_posix() for link in links]
    if not names:
        raise FileNotFoundError(
            f"{folder} has no images; they end in one of {list(IMG_EXTENSIONS)}, and "
            f"links out of it are not followed ({len(left_out)} found)"
        )
    return FolderContent(sorted(names, key=_utf8), others, sorted(left_out, key=_utf8))


def pack(
    folder: str | Path,
    names: Iterable[str],
    out: str | Path,
    report: Report = lambda done, total: None,
) -> None:
    """Pack images under their names; the archive appears only when it is complete.

    What killed runs with the same ``out`` have left behind is deleted first.

    Args:
        folder: Where the images are.
        names: From :func:`list_images`, sorted.
        out: The archive; its ending, ``.zip`` or ``.lmdb``, says which kind.
        report: Called after each image.

    Raises:
        FileExistsError: ``out`` exists.
        ValueError: The ending is neither, or a name is too long for LMDB.
    """
    out = Path(out)
    if out.suffix not in (".zip", ".lmdb"):
        raise ValueError(f"{str(out)!r} ends in {out.suffix!r}, expected .zip or .lmdb")
    require_absent(out)
    for left_by_killed_run in out.parent.glob(f".{out.name}.*.part"):
        delete(left_by_killed_run)
    contents = _contents(Path(folder), list(names), report)
    with atomic_path(out) as part:
        (_write_zip if out.suffix == ".zip" else _write_lmdb)(part, contents)


Contents = Iterator[tuple[str, bytes]]


def _contents(folder: Path, names: list[str], report: Report) -> Contents:
    for done, name in enumerate(names):
        report(done, len(names))
        yield name, (folder / name).read_bytes()
    report(len(names), len(names))


def _write_zip(out: Path, contents: Contents) -> None:
    """Stored, as images are compressed already."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in contents:
            archive.writestr(zipfile.ZipInfo(name), content)


def _write_lmdb(out: Path, contents: Contents) -> None:
    import lmdb

    with lmdb.open(str(out), map_size=_FIRST_MAP_SIZE, sync=False) as database:
        batch = []
        for name, content in contents:
            batch.append((_lmdb_key(name), content))
            if len(batch) == _IMAGES_PER_TRANSACTION:
                _put(database, batch)
                batch = []
        _put(database, batch)
        database.sync(True)


def _put(database: Any, batch: list[tuple[bytes, bytes]]) -> None:
    """Write a batch, in a larger map if it does not fit."""
    import lmdb

    while True:
        try:
            with database.begin(write=True) as transaction:
                for key, content in batch:
                    transaction.put(key, content, append=True)
            return
        except lmdb.MapFullError:
            database.set_mapsize(2 * database.info()["map_size"])


def _lmdb_key(name: str) -> bytes:
    key = _utf8(name)
    if len(key) > MAX_LMDB_KEY:
        raise ValueError(
            f"the name {name!r} has {len(key)} bytes, LMDB allows "
            f"{MAX_LMDB_KEY}; pack into a .zip, or shorten it"
        )
    return key


def _utf8(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
