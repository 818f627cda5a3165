"""Checks of image files: missing, empty, truncated, unreadable, twice the same."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import mmcv
from mmengine import fileio

from mmpar.datasets.base import PARDataset
from mmpar.datasets.doctor.issue import SO_RELEASED, Issue, Severity
from mmpar.datasets.doctor.published import Published
from mmpar.utils.image_headers import is_truncated_jpeg, require_size_within_limit
from mmpar.utils.perceptual_hash import perceptual_hash

FAULTS = ("missing", "zero bytes", "truncated", "too large", "unreadable")
_PNG = b"\x89PNG\r\n\x1a\n"


class ImageFile(NamedTuple):
    """What reading a file showed."""

    path: str
    fault: str
    """One of ``FAULTS``, or empty."""
    digest: bytes
    """SHA-1 of the content; empty where there is none."""
    size: tuple[int, int]
    """Width and height in pixels; zeros where it has a fault."""
    hash: bytes = b""
    """See :func:`perceptual_hash`; empty where it has a fault or one colour."""


def inspect(path: str, backend_args: dict[str, Any] | None = None) -> ImageFile:
    """Read an image whole."""
    try:
        content = fileio.get(path, backend_args=backend_args)
    except (OSError, KeyError):
        return ImageFile(path, "missing", b"", (0, 0))
    except ValueError:  # a damaged member of an archive
        return ImageFile(path, "unreadable", b"", (0, 0))
    if not content:
        return ImageFile(path, "zero bytes", b"", (0, 0))
    digest = hashlib.sha1(content).digest()
    if is_truncated_jpeg(content) or _is_truncated_png(content):
        return ImageFile(path, "truncated", digest, (0, 0))
    try:
        size = require_size_within_limit(content, path)
    except ValueError:
        return ImageFile(path, "too large", digest, (0, 0))
    if not all(size):
        return ImageFile(path, "unreadable", digest, (0, 0))
    try:
        decoded = mmcv.imfrombytes(content)
        height, width = decoded.shape[:2]
    except Exception:  # None, or whatever the decoder raises
        return ImageFile(path, "unreadable", digest, (0, 0))
    return ImageFile(path, "", digest, (width, height), perceptual_hash(decoded))


def _is_truncated_png(content: bytes) -> bool:
    """Whether no ``IEND`` chunk is reached; bytes may trail it."""
    if not content.startswith(_PNG):
        return False
    position = len(_PNG)
    while position + 12 <= len(content):  # length, type and checksum of a chunk
        if content[position + 4 : position + 8] == b"IEND":
            return False
        position += 12 + int.from_bytes(content[position : position + 4], "big")
    return True


def inspect_all(
    paths: Iterable[str],
    backend_args: dict[str, Any] | None,
    workers: int,
    report: Callable[[int], None],
) -> dict[str, ImageFile]:
    """Read each image once, several at a time; ``report`` gets the number done."""
    found = {}
    with ThreadPoolExecutor(workers) as pool:
        results = pool.map(lambda path: inspect(path, backend_args), paths)
        for done, image in enumerate(results, start=1):
            found[image.path] = image
            report(done)
    return found


def faults(
    splits: Mapping[str, PARDataset], images: Mapping[str, ImageFile]
) -> Iterator[Issue]:
    """Images that cannot be used, by split and fault."""
    for name, dataset in splits.items():
        by_fault = defaultdict(list)
        for path in full_paths(dataset):
            by_fault[images[path].fault].append(path)
        for fault in FAULTS:
            if by_fault[fault]:
                message = f"{len(by_fault[fault])} images"
                yield Issue(fault, name, message, by_fault[fault])


def duplicate_images(
    splits: Mapping[str, PARDataset],
    images: Mapping[str, ImageFile],
    published: Published,
) -> Iterator[Issue]:
    """Different files of one content, inside a split or in several."""
    copies: dict[bytes, dict[str, str]] = defaultdict(dict)
    for name, dataset in splits.items():
        for path in full_paths(dataset):
            if images[path].digest:
                copies[images[path].digest].setdefault(path, name)
    grouped: dict[tuple[bool, tuple[str, ...]], list[str]] = defaultdict(list)
    for alike in copies.values():
        if len(alike) > 1:
            known = all(published.has_flaw("copies", path) for path in alike)
            grouped[known, tuple(sorted(set(alike.values())))].extend(alike)
    for (known, where), files in sorted(grouped.items()):
        check = "copies in a split" if len(where) == 1 else "copies across splits"
        severity: Severity = "warning" if len(where) == 1 else "error"
        if known:
            severity = "note"
        message = f"{len(files)} files{SO_RELEASED if known else ''}"
        yield Issue(check, ", ".join(where), message, files, severity)


def full_paths(dataset: PARDataset) -> Iterator[str]:
    """Where the images of a dataset are."""
    return (dataset.full_path(path) for path in dataset.table.paths)
