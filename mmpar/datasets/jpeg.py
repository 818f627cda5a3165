"""The markers of JPEG files: where an image ends, how large it is (ITU-T T.81)."""

from __future__ import annotations

import re
from collections.abc import Iterator

SOI = b"\xff\xd8"
"""How every JPEG file begins."""
_SOI, _EOI = 0xD8, 0xD9
_RESTARTS = range(0xD0, 0xD8)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Headers of a frame (SOF); the others of that row are tables."""
_MARKER = re.compile(rb"\xff[\xc0-\xfe]")
"""Not the zeros that scans are stuffed with."""


def is_truncated_jpeg(content: bytes) -> bool:
    """Whether a JPEG file lacks the end of its image; ``False`` for other files.

    Segments are stepped over, with the thumbnails in them, and what follows the end is
    nobody's business: phones append films (motion photos) and whole further images
    (MPF, gain maps), which have markers of their own.
    """
    if not content.startswith(SOI):
        return False
    for marker, _ in _markers(content):
        if marker in (_SOI, _EOI):
            return marker == _SOI  # of another image: this one broke off
    return True


def jpeg_size(content: bytes) -> tuple[int, int]:
    """Width and height in the first header of a frame; zeros where there is none."""
    for marker, place in _markers(content):
        if marker in _FRAMES and place + 7 <= len(content):
            # Two bytes of length and one of precision come first.
            height = int.from_bytes(content[place + 3 : place + 5], "big")
            return int.from_bytes(content[place + 5 : place + 7], "big"), height
    return 0, 0


def _markers(content: bytes) -> Iterator[tuple[int, int]]:
    """Each marker after the first, and the place of the segment that follows it."""
    place = len(SOI)
    while found := _MARKER.search(content, place):
        place = found.end()
        marker = content[place - 1]
        yield marker, place
        # All but these have a segment, of two bytes or more.
        if marker not in (_SOI, _EOI) and marker not in _RESTARTS:
            place += max(2, int.from_bytes(content[place : place + 2], "big"))
