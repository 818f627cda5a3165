"""Where a JPEG image ends, by its markers (ITU-T T.81, annex B)."""

from __future__ import annotations

import re

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_MARKER = re.compile(rb"\xff[\xc0-\xfe]")
_AFTER_SCAN = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
"""Stuffed zeros and restart markers (D0 to D7) belong to the scan."""


def is_truncated_jpeg(content: bytes) -> bool:
    """Whether a JPEG file lacks the end of its image; ``False`` for other files.

    Segments are stepped over, with the thumbnails in them, and what follows the end is
    nobody's business: phones append films (motion photos) and whole further images
    (MPF, gain maps), which have markers of their own.
    """
    if not content.startswith(b"\xff\xd8"):
        return False
    place, pattern = 2, _MARKER
    while found := pattern.search(content, place):
        place = found.end()
        marker = content[place - 1]
        if marker == _EOI:
            return False
        if marker == _SOI:
            return True  # of another image: this one broke off
        if not 0xD0 <= marker <= 0xD7:  # all others have a segment of 2 bytes or more
            place += max(2, int.from_bytes(content[place : place + 2], "big"))
        pattern = _AFTER_SCAN if marker == _SOS else _MARKER
    return True
