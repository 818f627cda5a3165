"""From a response map to a box and a point."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from mmpar.structures.boxes import bound_mask

DEFAULT_THRESHOLD = 0.2
"""Share of the maximum, see :func:`map_to_box`."""

_ROUNDING = 1e-5


def map_to_box(
    response: np.ndarray, threshold: float = DEFAULT_THRESHOLD
) -> np.ndarray:
    """The box around the largest connected part of a map that responds strongly.

    Args:
        response: ``(H, W)``, not negative.
        threshold: Share of the map's maximum, in (0, 1], from which on a pixel belongs
            to the response. By default 0.2, as for CAM (Zhou et al., "Learning Deep
            Features for Discriminative Localization", CVPR 2016).

    Returns:
        float32, (x1, y1, x2, y2) in pixels, edges of the outermost ones, so that the
        whole map is (0, 0, W, H). NaN if the map is zero. Pixels are connected by their
        sides; of equally large parts the one that begins first in reading order.

    Raises:
        ValueError: The threshold is out of range.
    """
    check_threshold(threshold)
    peak = response.max()
    if not peak > 0:
        return np.full(4, np.nan, np.float32)
    labels, _ = ndimage.label(response >= threshold * peak)
    largest = np.bincount(labels.ravel())[1:].argmax() + 1
    part = labels == largest
    return bound_mask(columns=part.any(axis=0), rows=part.any(axis=1))


def map_peak(response: np.ndarray) -> np.ndarray:
    """Where a map ``(H, W)`` is largest: (x, y), a pixel's centre; NaN if it is zero.

    Of pixels that are equal up to rounding the one nearest to the middle of the map:
    bilinear upsampling continues the outermost cells of a coarse map from their centres
    to the border, and the centre of a cell is its innermost pixel there.
    """
    peak = response.max()
    if not peak > 0:
        return np.full(2, np.nan, np.float32)
    places = np.argwhere(response >= peak * (1 - _ROUNDING)) + 0.5
    middle = np.array(response.shape) / 2
    row, column = places[np.square(places - middle).sum(axis=1).argmin()]
    return np.array((column, row), np.float32)


def check_threshold(threshold: float) -> None:
    """Raise ``ValueError`` unless it is in (0, 1]."""
    if not 0 < threshold <= 1:
        raise ValueError(
            f"the threshold is a share of the map's maximum in (0, 1], got {threshold}"
        )
