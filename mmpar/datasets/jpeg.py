"""Where a JPEG image ends, by its markers (ITU-T T.81, annex B)."""

from __future__ import annotations

import re

_SOI, _EOI = 0xD8, 0xD9
_MARKER = re.compile(rb"\xff[\xc0-\xfe]")
"""Not the zeros that scans are stuffed with."""


def is_truncated_jpeg(content: bytes) -> bool:
    """Whether a JPEG file lacks the end of its image; ``False`` for other files.

    Segments are stepped over, with the thumbnails in them, and what follows the end is
    nobody's business: phones append films (motion photos) and whole further images
    (MPF, gain maps), which have markers of their own.
    """
    if not content.startswith(b"\xff\xd8"):
        return False
    place = 2
    while found := _MARKER.search(content, place):
        place = found.end()
        marker = content[place - 1]
        if marker == _EOI:
            return False
        if marker == _SOI:
            return True  # of another image: this one broke off
        if not 0xD0 <= marker <= 0xD7:  # all others have a segment of 2 bytes or more
            place += max(2, int.from_bytes(content[place : place + 2], "big"))
    return True
