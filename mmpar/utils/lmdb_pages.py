"""Whether the pages of an LMDB lie where it says, before LMDB follows them.

LMDB maps its file and trusts what is in it: a page number or an offset that points
outside ends the process. Layout: ``MDB_meta``, ``MDB_page`` and ``MDB_node`` in LMDB's
``mdb.c``, data format 1, of 64 bits.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

_META = np.dtype(
    {
        "names": ["flags", "magic", "version", "page_size"]
        + ["kind", "root", "last", "transaction"],
        "formats": ["u2", "u4", "u4", "u4", "u2", "u8", "u8", "u8"],
        "offsets": [10, 16, 20, 40, 92, 128, 136, 144],
    }
)
_MAGIC, _VERSION, _IS_META = 0xBEEFC0DE, 1, 0x08
_PAGE_SIZES = [2**n for n in range(8, 17)]
_HEADER = 16
_NODE = 8
_BRANCH, _LEAF = 0x01, 0x02
_BIG = 0x01
"""Flag of a node whose value is on pages of its own."""
_NO_PAGE = 2**64 - 1


class _Tree(NamedTuple):
    data: np.ndarray
    page_size: int
    last: int
    root: int


def require_sound_pages(file: str | Path) -> None:
    """Go through all pages of keys, without the values; a few microseconds a page.

    Args:
        file: ``data.mdb``. What is no LMDB at all is left to LMDB to refuse.

    Raises:
        ValueError: It lacks pages, or one points outside the file or to another kind.
    """
    try:
        tree = _tree(file)
        if tree is None or tree.root == _NO_PAGE:
            return
        pending = [tree.root]
        seen = set(pending)
        while pending:
            below = _pages_below(tree, pending.pop())
            if not seen.isdisjoint(below) or len(set(below)) < len(below):
                raise ValueError("a page is in its tree twice")
            seen.update(below)
            pending += below
    except ValueError as error:
        raise ValueError(f"{file} is damaged: {error}; copy or pack it again") from None


def _tree(file: str | Path) -> _Tree | None:
    size = Path(file).stat().st_size
    if size < _META.itemsize:
        return None
    data = np.memmap(file, np.uint8, "r")
    first = _meta(data, 0)
    if (first["magic"], first["version"]) != (_MAGIC, _VERSION):
        return None
    page_size = int(first["page_size"])
    if page_size not in _PAGE_SIZES or size < 2 * page_size:
        raise ValueError(f"it has {size} bytes, and pages of {page_size}")
    metas = first, _meta(data, page_size)
    for meta in metas:
        found = meta["magic"], meta["version"], meta["page_size"]
        if found != (_MAGIC, _VERSION, page_size) or not meta["flags"] & _IS_META:
            raise ValueError("one of the two pages that describe the rest is none")
    # Of the two, the one of the later transaction counts.
    meta = metas[int(metas[1]["transaction"] > metas[0]["transaction"])]
    last = int(meta["last"])
    end = (last + 1) * page_size
    if end > size or size % page_size:
        raise ValueError(
            f"it is not whole, it has {size} bytes, and its last page of {page_size} "
            f"ends at {end}"
        )
    if meta["kind"]:
        raise ValueError(f"its keys are of the kind {meta['kind']}, expected 0")
    return _Tree(data, page_size, last, int(meta["root"]))


def _meta(data: np.ndarray, start: int) -> np.void:
    return data[start : start + _META.itemsize].view(_META)[0]


def _pages_below(tree: _Tree, number: int) -> list[int]:
    """Pages that a page of the tree points to, if it is sound; none below a leaf."""
    if number > tree.last:
        raise ValueError(f"it points to page {number}, the last is {tree.last}")
    start = number * tree.page_size
    page = np.asarray(tree.data[start : start + tree.page_size])
    kind, lower = (int(value) for value in page[10:14].view("u2"))
    if kind not in (_BRANCH, _LEAF) or not _HEADER <= lower <= tree.page_size:
        raise ValueError(f"page {number} is of the kind {kind} and filled to {lower}")
    nodes = page[_HEADER : lower - lower % 2].view("u2").astype(np.int64)
    _require_within(number, nodes + _NODE, tree.page_size)
    low, high, flags, key_size = _values(page, nodes, "u2").astype(np.int64).T
    values = nodes + _NODE + key_size
    if kind == _BRANCH:
        _require_within(number, values, tree.page_size)
        if len(nodes) < 2:
            raise ValueError(f"page {number} points to {len(nodes)} pages")
        return (low | high << 16 | flags << 32).tolist()
    if (flags & ~_BIG).any():
        raise ValueError(f"page {number} has values of the kind {flags.max()}")
    sizes = low | high << 16
    big = flags == _BIG
    _require_within(number, values + np.where(big, 8, sizes), tree.page_size)
    _require_values(tree, _values(page, values[big], "u8")[:, 0], sizes[big])
    return []


def _values(page: np.ndarray, starts: np.ndarray, kind: str) -> np.ndarray:
    """Eight bytes from each place, as numbers, a row each."""
    return page[starts[:, None] + np.arange(8)].view(kind)


def _require_within(number: int, ends: np.ndarray, page_size: int) -> None:
    if (ends > page_size).any():
        raise ValueError(f"page {number} of {page_size} bytes points to {ends.max()}")


def _require_values(tree: _Tree, pages: np.ndarray, sizes: np.ndarray) -> None:
    for number, size in zip(pages.tolist(), sizes.tolist()):
        if number * tree.page_size + _HEADER + size > (tree.last + 1) * tree.page_size:
            raise ValueError(
                f"a value of {size} bytes is on page {number}, the last is {tree.last}"
            )
