"""Image files to pixels with Pillow, as OpenCV decodes them.

Importable without torch, MMEngine and OpenCV.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageOps

from mmpar.utils.image_headers import (
    ORIENTATION,
    open_image,
    require_whole_image,
    unreadable_image,
)


def decode_image(content: bytes, path: str, use_exif: bool = True) -> np.ndarray:
    """Decode an image file to the pixels that OpenCV gives.

    Both use libjpeg-turbo, libpng and libwebp, so JPEG (grey, CMYK and RGB, too), PNG
    of any depth, WebP, BMP and opaque GIF files are equal bit for bit; alpha is
    dropped, and of an animation the first frame is taken. Others are not: TIFF files
    with alpha (which OpenCV multiplies in), 16-bit colours (one level) or YCbCr (one
    level), GIF files with transparency, rotated AVIF files, and JPEG 2000 files that
    are stored as YCbCr.

    Args:
        content: The file's bytes.
        path: The file, for errors.
        use_exif: Turn the image upright by its EXIF orientation.

    Returns:
        uint8, (H, W, 3), BGR.

    Raises:
        ValueError: The file is truncated, too large or not an image.
    """
    require_whole_image(content, path)
    try:
        with open_image(io.BytesIO(content)) as image:
            return np.ascontiguousarray(pil_to_rgb(image, use_exif)[..., ::-1])
    except Exception as error:  # Pillow raises a dozen types on broken bytes
        raise unreadable_image(content, path, error) from error


def pil_to_rgb(image: Image.Image, use_exif: bool = True) -> np.ndarray:
    """Pixels of a PIL image, uint8, (H, W, 3), as OpenCV converts them.

    Alpha is dropped, 16-bit grey keeps its upper byte, and CMYK is mixed by OpenCV's
    arithmetic.

    Args:
        image: Of any mode.
        use_exif: Turn it upright by its EXIF orientation.

    Raises:
        ValueError: Its grey values have 32 bits, which do not say what white is.
    """
    # Pillow before 11 gives a PNG of 16-bit grey this mode.
    deep = image.mode.startswith("I;16") or (image.mode, image.format) == ("I", "PNG")
    if use_exif and image.getexif().get(ORIENTATION, 1) != 1:  # it copies the pixels
        image = ImageOps.exif_transpose(image)
    if deep:
        grey = (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode in ("I", "F"):
        raise ValueError(
            f"the image is a PIL image of mode {image.mode!r}, whose numbers do not "
            "say what white is; convert it to 'L' or 'RGB'"
        )
    if image.mode == "CMYK":
        return _mix_inks(np.asarray(image))
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _mix_inks(inks: np.ndarray) -> np.ndarray:
    """RGB from CMYK, which OpenCV gets inverted: 255 is no ink."""
    paper = 255 - inks.astype(np.int32)
    black = paper[..., 3:]
    mixed = black - ((255 - paper[..., :3]) * black >> 8)
    return mixed.astype(np.uint8)
