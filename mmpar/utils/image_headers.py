"""What the bytes of an image file say before they are decoded: its size, its end.

Importable without torch and MMEngine: the torch-free inferencer reads images with it.

Markers of JPEG files: ITU-T T.81, annex B.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from PIL import Image

from mmpar.utils.bounded_file import BoundedFile
from mmpar.utils.file_kinds import HEAD_BYTES, describe_unreadable

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE = struct.Struct(">II")
_JPEG = b"\xff\xd8"
_SOI, _EOI = 0xD8, 0xD9
_RESTARTS = range(0xD0, 0xD8)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Frame headers (SOF); the three others of that range are tables."""
_MARKER = re.compile(rb"\xff[\xc0-\xfe]")
"""Not the stuffed zeros of scans."""
ORIENTATION = 0x0112
_FORMATS = (
    *("JPEG", "PNG", "BMP", "DIB", "GIF", "TIFF", "PPM", "WEBP", "AVIF"),
    *("JPEG2000", "MPO"),
)
_IMAGE = ("is a JPEG", "is a PNG", "is a GIF")
_FIRST_ROTATED = 5
"""EXIF orientations from here on swap width and height."""


def open_image(file: IO[bytes]) -> Image.Image:
    """Open a file with Pillow, of a format that cameras and detectors write.

    Pillow knows forty more, and has Ghostscript run those of one, EPS.

    Raises:
        PIL.UnidentifiedImageError: It is of another format.
        OSError, SyntaxError, ...: Whatever Pillow raises on broken bytes.
    """
    Image.init()
    return Image.open(file, formats=[name for name in _FORMATS if name in Image.OPEN])


def require_whole_image(content: bytes, path: str) -> None:
    """Refuse a file that a decoder must not be given, or would paint grey in part.

    Args:
        content: The file's bytes.
        path: The file, for the error.

    Raises:
        ValueError: The file is a truncated JPEG, has too many pixels, or nothing of it
            says that it is an image.
    """
    if is_truncated_jpeg(content):
        raise ValueError(f"{path} ({len(content)} bytes) is a truncated JPEG file")
    if not all(require_size_within_limit(content, path)):
        raise unreadable_image(content, path)


def unreadable_image(
    content: bytes, path: str, fault: object = "nothing could be decoded"
) -> ValueError:
    """The error for a file that no decoder has read, with what it is instead."""
    found = describe_unreadable(content[:HEAD_BYTES], len(content))
    if found is not None and not found.startswith(_IMAGE):
        fault = f"it {found}"
    elif has_deep_grey(content):
        fault = (
            "its grey values have 32 bits, which do not say what white is; save it "
            "with 8 or 16"
        )
    return ValueError(f"{path} ({len(content)} bytes) is not a readable image: {fault}")


def has_deep_grey(content: bytes) -> bool:
    """Whether Pillow finds grey values with more than 8 bits."""
    try:
        with open_image(io.BytesIO(content)) as image:
            return image.mode.startswith(("I", "F"))
    except Exception:  # whether this is an image is for the decoder to say
        return False


def require_size_within_limit(content: bytes, path: str) -> tuple[int, int]:
    """Refuse an image with more pixels than Pillow would read without a warning.

    OpenCV decodes up to 2**30 pixels: a PNG of 1 MB takes gigabytes. The limit is
    Pillow's own, ``PIL.Image.MAX_IMAGE_PIXELS`` (89 million); raise it, or set it to
    None, for larger images. JPEG and PNG headers take a few microseconds.

    Args:
        content: The file's bytes.
        path: The file, for the error.

    Returns:
        Width and height; zeros if none are found, and then the file must not be
        decoded: OpenCV reads formats that Pillow does not know, such as Radiance's.

    Raises:
        ValueError: The image has more pixels.
    """
    limit = Image.MAX_IMAGE_PIXELS
    try:
        width, height = image_size(content)
        size = f"{width} x {height}"
    except Image.DecompressionBombError:  # twice the limit, in other formats
        size, width, height = "too many", limit or 0, 2
    if limit is not None and width * height > limit:
        raise ValueError(
            f"{path} ({len(content)} bytes) has {size} pixels; at most {limit:,} are "
            "decoded, as a small file could take all memory. Set "
            "PIL.Image.MAX_IMAGE_PIXELS to read it"
        )
    return width, height


def image_size(content: bytes) -> tuple[int, int]:
    """Width and height as stored, before EXIF rotation; zeros if none are found."""
    if content.startswith(_PNG):
        found = content[16:24]
        return _PNG_SIZE.unpack(found) if len(found) == _PNG_SIZE.size else (0, 0)
    if content.startswith(_JPEG):
        return _jpeg_size(content)
    try:
        with open_image(io.BytesIO(content)) as image:
            return image.size
    except Image.DecompressionBombError:
        raise
    except Exception:  # Pillow raises a dozen types on broken bytes
        return 0, 0


def upright_size(file: str | Path) -> tuple[int, int]:
    """Width and height of an image file as it is loaded, after EXIF rotation.

    Decodes nothing.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is not an image.
    """
    try:
        with BoundedFile(str(file)) as content, open_image(content) as image:
            size = image.size
            if image.format == "PNG" and not _has_png_exif(content):
                return size  # Pillow would decode the image to look behind it
            rotated = image.getexif().get(ORIENTATION, 1) >= _FIRST_ROTATED
            return size[::-1] if rotated else size
    except FileNotFoundError:
        raise
    except Exception as error:  # as above
        raise ValueError(f"{file} is not a readable image: {error}") from error


def _has_png_exif(file: IO[bytes]) -> bool:
    """Whether a PNG file may say how it is turned: in a chunk, or in a text."""
    file.seek(0)
    content = file.read()
    return b"eXIf" in content or b"Raw profile type" in content


def is_truncated_jpeg(content: bytes) -> bool:
    """Whether a JPEG file lacks the end of its image; False for other files.

    Segments are skipped, with the thumbnails in them, and what follows the end does not
    matter: phones append films (motion photos) and whole further images (MPF, gain
    maps), which have markers of their own.
    """
    if not content.startswith(_JPEG):
        return False
    for marker, _ in _jpeg_markers(content):
        if marker in (_SOI, _EOI):
            return marker == _SOI  # of another image: this one broke off
    return True


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Width and height in the first frame header; zeros without one."""
    for marker, start in _jpeg_markers(content):
        if marker in _FRAMES and start + 7 <= len(content):
            # Two bytes of length and one of precision come first.
            height = int.from_bytes(content[start + 3 : start + 5], "big")
            return int.from_bytes(content[start + 5 : start + 7], "big"), height
    return 0, 0


def _jpeg_markers(content: bytes) -> Iterator[tuple[int, int]]:
    """Each marker after the first, and the start of the segment that follows it."""
    place = len(_JPEG)
    while found := _MARKER.search(content, place):
        place = found.end()
        marker = content[place - 1]
        yield marker, place
        # All but these have a segment, of two bytes or more.
        if marker not in (_SOI, _EOI) and marker not in _RESTARTS:
            place += max(2, int.from_bytes(content[place : place + 2], "big"))
