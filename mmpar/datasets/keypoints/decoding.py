"""From what pose models give to places and scores.

Both kinds were trained with pixel numbers as places (``MSRAHeatmap`` and ``SimCCLabel``
of MMPose): cell i is pixel number i times the stride, whose centre lies half a pixel
further.
"""

from __future__ import annotations

import numpy as np

_PIXEL_CENTRE = 0.5


def decode_heat_maps(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Maxima of heat maps, moved a quarter of a cell to their higher neighbour.

    As in Xiao et al., "Simple Baselines for Human Pose Estimation and Tracking", 2018.

    Args:
        maps: (B, K, h, w).
        size: Width and height of the model's input.

    Returns:
        float64, (B, K, 3): x, y in pixels of the input, continuous, and the maximum.
    """
    count, keypoints, height, width = maps.shape
    best = maps.reshape(count, keypoints, -1).argmax(axis=-1)
    y, x = np.divmod(best, width)
    b, k = np.ogrid[:count, :keypoints]
    padded = np.pad(maps, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    along_x = padded[b, k, y + 1, x + 2] - padded[b, k, y + 1, x]
    along_y = padded[b, k, y + 2, x + 1] - padded[b, k, y, x + 1]
    points = np.stack([x, y, maps[b, k, y, x]], axis=-1).astype(np.float64)
    points[..., 0] += 0.25 * np.sign(along_x) * ((x > 0) & (x < width - 1))
    points[..., 1] += 0.25 * np.sign(along_y) * ((y > 0) & (y < height - 1))
    return _to_pixels(points, size, (width, height))


def decode_simcc(
    along_x: np.ndarray, along_y: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Maxima of SimCC's two vectors; the score is the lower one of the two maxima.

    As MMPose does for RTMPose, whose vectors have two cells a pixel (the length of the
    vectors says how many).

    Args:
        along_x: (B, K, length).
        along_y: (B, K, length).
        size: Width and height of the model's input.

    Returns:
        As :func:`decode_heat_maps`.
    """
    score = np.minimum(along_x.max(axis=-1), along_y.max(axis=-1))
    places = (along_x.argmax(axis=-1), along_y.argmax(axis=-1), score)
    points = np.stack(places, axis=-1).astype(np.float64)
    return _to_pixels(points, size, (along_x.shape[-1], along_y.shape[-1]))


def _to_pixels(
    points: np.ndarray, size: tuple[int, int], cells: tuple[int, int]
) -> np.ndarray:
    points[..., :2] *= np.array(size) / np.array(cells)
    points[..., :2] += _PIXEL_CENTRE
    return points
