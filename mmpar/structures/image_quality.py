"""Whether a crop shows enough to answer: its size and its sharpness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

MIN_WIDTH, MIN_HEIGHT = 12, 32
"""Pixels below which a crop is too small."""

MIN_SHARPNESS = 0.27
"""Sharpness below which a crop is too blurred."""

_MEASURED_AT = (64, 128)  # (W, H)
_BLUR = 9  # pixels


@dataclass(frozen=True)
class ImageQuality:
    """Measures of a crop that bear on the answer.

    The limits are from real crops of PETA, on which an attribute model made for street
    cameras keeps less than 80 % of what it knows beyond chance (AUC - 0.5) below them;
    docs/decisions.md has the figures.

    Attributes:
        width: Of the crop in pixels, before it is resized for a model.
        height: Likewise.
        sharpness: See :func:`measure_image_quality`.
    """

    width: int
    height: int
    sharpness: float

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the crop, in words; empty if nothing is.

        >>> ImageQuality(20, 24, 0.35).problems
        ('the image is too small: 20 x 24 pixels, at least 12 x 32 are needed',)
        """
        found = []
        if self.width < MIN_WIDTH or self.height < MIN_HEIGHT:
            found.append(
                f"the image is too small: {self.width} x {self.height} pixels, at "
                f"least {MIN_WIDTH} x {MIN_HEIGHT} are needed"
            )
        if self.sharpness < MIN_SHARPNESS:
            found.append(
                f"the image is too blurred: sharpness {self.sharpness:.2f}, at least "
                f"{MIN_SHARPNESS:g} is needed"
            )
        return tuple(found)


def measure_image_quality(image: np.ndarray) -> ImageQuality:
    """Measure a crop.

    Sharpness is the share of the differences between neighbors that blurring takes
    away, along the rows or along the columns, whichever is less: what is blurred
    already loses little by it (Crete et al., "The blur effect", 2007). It is in [0, 1],
    measured on the grey crop at 64 x 128 pixels, and does not depend on contrast.

    Args:
        image: uint8, ``(H, W, 3)``, RGB or BGR.
    """
    height, width = image.shape[:2]
    # Plane by plane: the mean over an axis of three takes ten times as long.
    first, second, third = image.transpose(2, 0, 1)
    total = first.astype(np.float32) + second + third
    grey = Image.fromarray(total / np.float32(3))
    x = np.asarray(grey.resize(_MEASURED_AT, Image.Resampling.BILINEAR), np.float64)
    return ImageQuality(width, height, min(_lost_by_blur(x), _lost_by_blur(x.T)))


def _lost_by_blur(x: np.ndarray) -> float:
    """Share of the differences along the rows that a box of 9 pixels takes away."""
    padded = np.pad(x, ((0, 0), (_BLUR // 2 + 1, _BLUR // 2)), mode="edge")
    sums = padded.cumsum(axis=1)
    blurred = (sums[:, _BLUR:] - sums[:, :-_BLUR]) / _BLUR
    before, after = (np.abs(np.diff(one, axis=1)) for one in (x, blurred))
    total = float(before.sum())
    # A crop of one color has no differences, and nothing to see.
    return float((before - after).clip(min=0).sum() / total) if total > 1e-3 else 0.0
