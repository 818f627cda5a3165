"""Reading a person picture whole or not at all."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import mmcv
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine import fileio
from PIL import Image

from mmpar.datasets.image_headers import require_size_within_limit
from mmpar.datasets.jpeg import is_truncated_jpeg
from mmpar.registry import TRANSFORMS
from mmpar.utils.file_kinds import HEAD_BYTES, describe_unreadable

_IMAGE = ("is a JPEG", "is a PNG", "is a GIF")


@TRANSFORMS.register_module()
class LoadPersonImage(LoadImageFromFile):
    """mmcv's ``LoadImageFromFile`` that names the picture it cannot read.

    It also refuses truncated JPEG files: OpenCV up to 4.10 decodes their first part and
    paints the rest grey without a word. Other truncated formats OpenCV refuses itself.

    A sample with ``bbox``, (4,), xyxy in pixels of the picture, gets that part of
    it, as far as the box lies inside and with the pixels at its edge whole.

    Args:
        color_type: As in mmcv. ``"color"`` turns the image upright as its EXIF
            orientation says; ``"color_ignore_orientation"`` does not, as the official
            codes of PAR methods, which read files by Pillow.
        imdecode_backend: As in mmcv. With ``"pillow"``, grey images of 16 bits are
            decoded by OpenCV.
        backend_args: MMEngine file backend of the pictures.

    Raises:
        FileNotFoundError: There is no such picture.
        ValueError: It is empty, truncated, too large or no picture, or the box lies
            outside.
    """

    def __init__(
        self,
        color_type: str = "color",
        imdecode_backend: str = "cv2",
        backend_args: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            color_type=color_type,
            imdecode_backend=imdecode_backend,
            backend_args=backend_args,
        )

    def transform(self, results: dict) -> dict:
        path = results["img_path"]
        content = fileio.get(path, backend_args=self.backend_args)
        if is_truncated_jpeg(content):
            raise ValueError(f"{path} ({len(content)} bytes) is a truncated JPEG file")
        size = require_size_within_limit(content, path)
        image = self._decode(content, path) if all(size) else None
        if image is None:
            raise _unreadable(content, path, "nothing could be decoded")
        if "bbox" in results:
            image = cut_out(image, results["bbox"], path)
        results["img"] = image
        results["img_shape"] = results["ori_shape"] = image.shape[:2]
        return results

    def _decode(self, content: bytes, path: str) -> np.ndarray | None:
        try:
            backend = self.imdecode_backend
            if backend == "pillow" and _has_deep_grey(content):
                backend = "cv2"  # Pillow makes all above 255 white
            return mmcv.imfrombytes(content, flag=self.color_type, backend=backend)
        except Exception as error:  # each decoder raises types of its own
            raise _unreadable(content, path, error) from error


def _unreadable(content: bytes, path: str, fault: object) -> ValueError:
    found = describe_unreadable(content[:HEAD_BYTES], len(content))
    if found is not None and not found.startswith(_IMAGE):
        fault = f"it {found}"
    elif _has_deep_grey(content):
        fault = (
            "its grey values have 32 bits, and no file says what white is; save it "
            "with 8 or 16"
        )
    return ValueError(f"{path} ({len(content)} bytes) is no readable picture: {fault}")


def _has_deep_grey(content: bytes) -> bool:
    """Whether Pillow finds grey values of more than 8 bits."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.mode.startswith(("I", "F"))
    except Exception:  # what is no image is for the decoder to say
        return False


def cut_out(image: np.ndarray, box: Sequence[float], called: str) -> np.ndarray:
    """The part of a picture, (H, W, C), in a box, xyxy in pixels, clipped to it.

    Raises:
        ValueError: Nothing of the box lies in the picture.
    """
    height, width = image.shape[:2]
    x0, y0 = (max(0, math.floor(value)) for value in box[:2])
    x1, y1 = min(width, math.ceil(box[2])), min(height, math.ceil(box[3]))
    if x0 >= x1 or y0 >= y1:
        raise ValueError(
            f"the person box {[float(value) for value in box]} (xyxy) lies outside "
            f"{called}, which is {width} x {height} pixels; is it the right picture?"
        )
    return np.ascontiguousarray(image[y0:y1, x0:x1])
