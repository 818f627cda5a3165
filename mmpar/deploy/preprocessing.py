"""From an image to the input of a model with NumPy and Pillow alone.

Bit for bit what ``LoadPersonImage``, ``Resize`` and ``ClsDataPreprocessor`` give.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from mmpar.structures.preprocessing import Preprocessing
from mmpar.utils.image_decoding import decode_image
from mmpar.utils.patient_reading import read_patiently

_WEIGHT_BITS = 11
"""Of OpenCV's weights. It drops 4 bits after the columns, 16 and 2 after the rows."""


def read_image(path: str, use_exif: bool = True) -> np.ndarray:
    """Read a local image file, see :func:`mmpar.utils.image_decoding.decode_image`."""
    content = read_patiently(path, lambda: Path(path).read_bytes())
    return decode_image(content, path, use_exif)


def check_supported(preprocessing: Preprocessing) -> None:
    """Refuse the one kind of resizing that is not written here.

    Raises:
        ValueError: It resizes by OpenCV with a filter other than bilinear.
    """
    if (preprocessing.resize, preprocessing.interpolation) == ("cv2", "bilinear"):
        return
    if preprocessing.resize == "cv2":
        raise ValueError(
            "the model's images are resized by OpenCV with the filter "
            f"{preprocessing.interpolation!r}; without OpenCV there is 'bilinear' "
            "only. Train and publish with Resize(backend='antialias') or 'pillow'"
        )


def resize_image(image: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """Resize an image, uint8, (H, W, 3), to a model's input size."""
    size = (preprocessing.width, preprocessing.height)
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    enlarged = size[0] >= width and size[1] >= height
    if preprocessing.resize == "cv2" or (
        preprocessing.resize == "antialias" and enlarged
    ):
        return resize_bilinear(image, size)
    kind = Image.Resampling[preprocessing.interpolation.upper()]
    pixels = np.ascontiguousarray(image)
    return np.asarray(Image.fromarray(pixels).resize(size, kind))


def resize_bilinear(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """OpenCV's ``resize(image, size)``, in its fixed-point arithmetic.

    Args:
        image: uint8, (H, W, C).
        size: (W, H) of the result.

    >>> step = np.array([[[0], [255]]], np.uint8)
    >>> resize_bilinear(step, (4, 1))[0, :, 0]
    array([  0,  64, 191, 255], dtype=uint8)
    """
    height, width = image.shape[:2]
    left, right = _taps(width, size[0])
    above, below = _taps(height, size[1], hold_edges=False)
    total = np.full((size[1], size[0], image.shape[2]), 2, np.int32)
    for rows, row_weights in (above, below):
        source = image[rows]
        line = source[:, left[0]] * left[1][:, None]
        line += source[:, right[0]] * right[1][:, None]
        total += (line >> 4) * row_weights[:, None, None] >> 16
    return (total >> 2).astype(np.uint8)


def _taps(
    source: int, target: int, hold_edges: bool = True
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The two pixels that each target pixel lies between, and their weights, int32.

    Args:
        source: Pixels of the axis.
        target: Pixels of the result.
        hold_edges: Give a place beyond the edge the one pixel there at full weight, as
            OpenCV does along rows; else that pixel counts twice, by rounded weights.
    """
    scale = 1 / (target / source)
    places = ((np.arange(target) + 0.5) * scale - 0.5).astype(np.float32)
    first = np.floor(places).astype(np.int64)
    share = places - first.astype(np.float32)
    if hold_edges:
        share[(first < 0) | (first >= source - 1)] = 0
    near, far = (
        np.rint(weight * np.float32(1 << _WEIGHT_BITS)).astype(np.int32)
        for weight in (np.float32(1) - share, share)
    )
    last = source - 1
    return (first.clip(0, last), near), ((first + 1).clip(0, last), far)


def normalize(images: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """Resized images, uint8, (B, H, W, 3), BGR, as the model gets them.

    Returns:
        float32, (B, 3, H, W), in the model's order of channels.
    """
    if preprocessing.to_rgb:
        images = images[..., ::-1]
    # Planes first: along an inner axis of three, arithmetic is ten times slower.
    values = images.transpose(0, 3, 1, 2).astype(np.float32, order="C")
    values -= np.asarray(preprocessing.mean, np.float32)[:, None, None]
    values /= np.asarray(preprocessing.std, np.float32)[:, None, None]
    return values
