"""What an image file says of its size, before a decoder takes the memory for it."""

from __future__ import annotations

import io
import struct

from PIL import Image

from mmpar.datasets.jpeg import SOI, jpeg_size

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE = struct.Struct(">II")


def require_size_within_limit(content: bytes, path: str) -> tuple[int, int]:
    """Refuse an image of more pixels than Pillow would read without a warning.

    OpenCV decodes up to 2**30 pixels: a PNG of 1 MB takes gigabytes. The limit is
    Pillow's own, ``PIL.Image.MAX_IMAGE_PIXELS`` (89 million); set it higher, or to
    None, for larger images. JPEG and PNG headers take some microseconds.

    Args:
        content: The file's bytes.
        path: The file, for the error.

    Returns:
        Width and height; zeros where none are found, which is not to be decoded:
        OpenCV reads formats that Pillow does not know, such as Radiance's.

    Raises:
        ValueError: It has more pixels.
    """
    limit = Image.MAX_IMAGE_PIXELS
    try:
        width, height = image_size(content)
        size = f"{width} x {height}"
    except Image.DecompressionBombError:  # twice the limit, in other formats
        size, width, height = "too many", limit or 0, 2
    if limit is not None and width * height > limit:
        raise ValueError(
            f"{path} ({len(content)} bytes) is {size} pixels; at most {limit:,} are "
            "decoded, as a small file could take all memory. Set "
            "PIL.Image.MAX_IMAGE_PIXELS if it is to be read"
        )
    return width, height


def image_size(content: bytes) -> tuple[int, int]:
    """Width and height as stored, without EXIF's turn; zeros where none are found."""
    if content.startswith(_PNG):
        found = content[16:24]
        return _PNG_SIZE.unpack(found) if len(found) == _PNG_SIZE.size else (0, 0)
    if content.startswith(SOI):
        return jpeg_size(content)
    return _size_by_pillow(content)


def _size_by_pillow(content: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.size
    except Image.DecompressionBombError:
        raise
    except Exception:  # Pillow raises a dozen types on broken bytes
        return 0, 0
