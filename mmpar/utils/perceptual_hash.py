"""Perceptual hashes: images that were stored again, or mirrored, are found by them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_SIDE = 32
_WAVES = 12
_FLAT = 2.0
"""Grey levels; an image that deviates less from its mean shows nothing."""

MAX_DISTANCE = 20
"""Of 143 bits. 500 images of PETA, stored again in seven ways each (JPEG of quality 30
to 90, 0.5 to 1.5 times the size, or both), differ from themselves in up to 12 bits at
the 99th percentile, and one of 3,500 in more than 20. Of all pairs of its 19,000 images
whose persons are labelled as different, 14 differ in up to 20 bits, and all of these
show one scene twice; from 24 bits on there are pairs that do not."""

_BLOCK = 2**24
"""Pairs compared at a time."""


def perceptual_hash(image: np.ndarray) -> bytes:
    """143 bits that survive compression and scaling: signs of the cosine transform.

    The image is shrunk to 32x32 grey pixels; each bit is the sign of one of the 12x12
    lowest frequencies, without the mean. As those of odd horizontal frequency change
    sign in a mirror, the hash of a mirrored image follows from its own. (The package
    imagehash takes 8x8, which confuses different persons long before it misses copies.)

    Args:
        image: (H, W, 3), uint8, BGR.

    Returns:
        18 bytes; none for an image of one colour.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    if small.std() < _FLAT:
        return b""
    waves = cv2.dct(small.astype(np.float32))[:_WAVES, :_WAVES]
    return np.packbits(waves.ravel()[1:] > 0).tobytes()


def group_near_copies(
    hashes: Sequence[bytes], max_distance: int = MAX_DISTANCE
) -> list[np.ndarray]:
    """Groups of images that are the same but for how they are stored, or mirrored.

    Every pair is compared, by matrix products: 20,000 images take seconds, 100,000
    about a minute.

    Args:
        hashes: Of :func:`perceptual_hash`; empty ones are in no group.
        max_distance: Bits in which two of a group may differ; in larger groups each is
            as close to another one.

    Returns:
        Positions of each group, ascending, int64, groups by their first.
    """
    rows = np.flatnonzero([bool(code) for code in hashes])
    if len(rows) < 2:
        return []
    packed = np.frombuffer(b"".join(hashes), np.uint8).reshape(len(rows), -1)
    # Equal hashes are one, so that thousands of copies are not millions of pairs.
    packed, number = np.unique(packed, axis=0, return_inverse=True)
    bits = np.unpackbits(packed, axis=1)[:, : _WAVES * _WAVES - 1]
    one, other = _close_pairs(2.0 * bits - 1, max_distance)
    size = (len(packed), len(packed))
    links = coo_array((np.ones(len(one), bool), (one, other)), size)
    _, group = connected_components(links, directed=False)
    group = group[number.ravel()]  # flat or not by the version of NumPy
    order = np.argsort(group, kind="stable")
    parts = np.split(rows[order], np.flatnonzero(np.diff(group[order])) + 1)
    return sorted((part for part in parts if len(part) > 1), key=lambda part: part[0])


def _close_pairs(signs: np.ndarray, max_distance: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of -1 and 1 that differ from each other, or mirrored, in few places."""
    signs = signs.astype(np.float32)
    odd = np.arange(1, _WAVES * _WAVES) % _WAVES % 2
    mirror = (1 - 2 * odd).astype(np.float32)
    least = signs.shape[1] - 2 * max_distance - 0.5
    step = max(1, _BLOCK // len(signs))
    found = []
    for start in range(0, len(signs), step):
        block, rest = signs[start : start + step], signs[start:].T
        close = (block @ rest >= least) | ((block * mirror) @ rest >= least)
        found.append(np.argwhere(close) + start)
    one, other = np.concatenate(found).T
    return one[one < other], other[one < other]
