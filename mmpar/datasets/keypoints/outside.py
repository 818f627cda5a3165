"""Keypoints that do not lie in their picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from mmpar.utils.bounded_file import BoundedFile

_ORIENTATION = 0x0112
_FIRST_TURNED = 5
"""EXIF orientations from here on swap width and height; OpenCV turns the picture."""


def drop_outside(values: np.ndarray, sizes: np.ndarray) -> int:
    """Zero, in place, what was found outside the picture; returns how many.

    Transforms would put such a keypoint on the border and keep its score.

    Args:
        values: ``(N, 17, 3)``, see ``KeypointArray``.
        sizes: Width and height of the pictures, ``(N, 2)``.
    """
    places = values[..., :2]
    inside = ((places >= 0) & (places < sizes[:, None])).all(axis=-1)
    outside = ~inside & (values[..., 2] > 0)
    values[outside] = 0
    return int(outside.sum())


def picture_size(file: str | Path) -> tuple[int, int]:
    """Width and height as the picture is loaded, from its header.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no picture.
    """
    try:
        with BoundedFile(str(file)) as content, Image.open(content) as image:
            turned = image.getexif().get(_ORIENTATION, 1) >= _FIRST_TURNED
            return image.size[::-1] if turned else image.size
    except FileNotFoundError:
        raise
    except Exception as error:  # Pillow raises a dozen types on broken bytes
        raise ValueError(f"{file} is no readable picture: {error}") from error
