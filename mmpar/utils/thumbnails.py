"""Small images inside a report, so that it needs no other file."""

from __future__ import annotations

import base64

import mmpar.registry  # noqa: F401  checks the installation before MMEngine is imported

# isort: split
import cv2
import mmcv
from mmengine import fileio

from mmpar.utils.image_headers import require_size_within_limit

_HEIGHT = 128


def jpeg_thumbnail(path: str) -> str:
    """The image, small, as JPEG in base64; empty where it cannot be read."""
    try:
        content = fileio.get(path)
        if not all(require_size_within_limit(content, path)):
            return ""
        image = mmcv.imfrombytes(content)
        width = max(1, round(image.shape[1] * _HEIGHT / image.shape[0]))
        small = cv2.imencode(".jpg", cv2.resize(image, (width, _HEIGHT)))[1]
    except Exception:  # broken ones are in reports, too
        return ""
    return base64.b64encode(small.tobytes()).decode()
