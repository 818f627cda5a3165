"""Plain lines, ``path 0 1 ...`` or ``path 0,1,...``, read by the hundred thousand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_NEWLINE, _TAB, _BLANK, _HASH, _COMMA, _ZERO = b"\n\t #,0"
_BACKSLASH, _DELETE = b"\\\x7f"
_ENDS = np.frombuffer(b",;|:", np.uint8)
"""What a path does not end in; see ``TextList``."""


class PlainLines(NamedTuple):
    """Rows of a block of lines."""

    paths: np.ndarray
    """All paths after one another, uint8."""
    ends: np.ndarray
    """Where each ends, int64, shape (N,)."""
    labels: np.ndarray
    """int8, shape (N, A)."""


def plain_lines(
    block: bytes, num_attributes: int, shortest_path: int
) -> PlainLines | None:
    """The rows of whole lines, if all are plain; ``None`` says that one is not.

    A plain line is a path of visible ASCII without backslashes, then labels that are 0
    or 1, one blank or tab before each; or a comma before each but the first, in all
    lines of the block, and none in the paths. It does not begin with ``#`` or ``./#``.

    Args:
        block: Lines, not empty.
        num_attributes: Labels of a line.
        shortest_path: Shorter paths, in bytes, are not plain.
    """
    data = np.frombuffer(block, np.uint8)
    stops = np.flatnonzero(data == _NEWLINE)
    if data[-1] != _NEWLINE:
        stops = np.append(stops, len(data))
    starts = np.concatenate(([0], stops[:-1] + 1))
    path_stops = stops - 2 * num_attributes
    lengths = path_stops - starts
    if (lengths < shortest_path).any() or (data[starts] == _HASH).any():
        return None
    if block.startswith(b"./#") or b"\n./#" in block:
        return None
    tails = data[path_stops[:, None] + np.arange(2 * num_attributes)]
    gaps, words = tails[:, 0::2], tails[:, 1::2]
    labels = words - _ZERO  # wraps around below 0
    blank = (gaps == _BLANK) | (gaps == _TAB)
    by_commas = bool((gaps[:, 1:] == _COMMA).all()) and num_attributes > 1
    if (labels > 1).any() or not (blank[:, 0] if by_commas else blank).all():
        return None
    borders = np.zeros(len(data) + 1, np.int8)
    borders[starts] = 1
    borders[path_stops] = -1
    paths = data[np.cumsum(borders[:-1], dtype=np.int8).view(bool)]
    special = (paths <= _BLANK) | (paths >= _DELETE) | (paths == _BACKSLASH)
    if special.any() or (by_commas and (paths == _COMMA).any()):
        return None
    if np.isin(data[path_stops - 1], _ENDS).any():
        return None
    return PlainLines(paths, np.cumsum(lengths), labels.astype(np.int8))
