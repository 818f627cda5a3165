"""What a surveillance camera makes of a picture: light, blur, few pixels, noise."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter


def degrade(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Degrade a picture moderately.

    Args:
        picture: float32, (H, W, 3), 0..255.
        rng: Source of the faults; the number of draws depends on the size only.

    Returns:
        uint8, (H, W, 3).
    """
    height, width = picture.shape[:2]
    gain, contrast, cast, soft, small, noisy = rng.random(6).tolist()
    tint = 1 + 0.07 * (2 * rng.random(3, dtype=np.float32) - 1)
    grain = rng.random((height, width, 3), dtype=np.float32)
    grain += rng.random((height, width, 3), dtype=np.float32)

    shown = (picture - 128) * (0.78 + 0.34 * contrast) + 128
    shown = shown * (0.72 + 0.50 * gain) * (tint if cast < 0.6 else 1)
    image = Image.fromarray(np.clip(shown + 0.5, 0, 255).astype(np.uint8))
    if small < 0.4:
        share = 0.55 + small
        few = (max(8, round(width * share)), max(16, round(height * share)))
        image = image.resize(few, Image.Resampling.BILINEAR)
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    elif soft < 0.4:
        radius = (0.25 + 1.2 * soft) * height / 192
        image = image.filter(ImageFilter.GaussianBlur(radius))
    result = np.asarray(image, np.float32) + (grain - 1) * (4 + 12 * noisy * noisy)
    return np.clip(result + 0.5, 0, 255).astype(np.uint8)
