"""Loading an image completely or not at all."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import mmcv
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine import fileio
from PIL import Image

from mmpar.datasets.file_backends import check_backend
from mmpar.registry import TRANSFORMS
from mmpar.structures.boxes import cover_pixels
from mmpar.utils.file_kinds import HEAD_BYTES, describe_unreadable
from mmpar.utils.image_headers import is_truncated_jpeg, require_size_within_limit

_IMAGE = ("is a JPEG", "is a PNG", "is a GIF")


@TRANSFORMS.register_module()
class LoadPersonImage(LoadImageFromFile):
    """mmcv's ``LoadImageFromFile`` with errors that name the image.

    It also refuses truncated JPEG files: OpenCV up to 4.10 decodes their first part and
    silently paints the rest grey. OpenCV refuses other truncated formats itself.

    A sample with ``bbox``, ``(4,)``, xyxy in pixels of the image, gets that part
    of the image, with the pixels at the edges of the box whole.

    Args:
        color_type: As in mmcv. ``"color"`` turns the image upright by its EXIF
            orientation; ``"color_ignore_orientation"`` does not, like the official code
            of PAR methods, which reads files with Pillow.
        imdecode_backend: As in mmcv. With ``"pillow"``, 16-bit grey images are decoded
            by OpenCV.
        backend_args: MMEngine file backend of the images.

    Raises:
        FileNotFoundError: The image does not exist.
        ValueError: The file is empty, truncated, too large or not an image, the box
            lies outside it, or ``backend_args`` name MMEngine's own LMDB.
    """

    def __init__(
        self,
        color_type: str = "color",
        imdecode_backend: str = "cv2",
        backend_args: dict[str, Any] | None = None,
    ) -> None:
        check_backend(backend_args)
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
            image = crop_box(image, results["bbox"], path)
        results["img"] = image
        results["img_shape"] = results["ori_shape"] = image.shape[:2]
        return results

    def _decode(self, content: bytes, path: str) -> np.ndarray | None:
        try:
            backend = self.imdecode_backend
            if backend == "pillow" and _has_deep_grey(content):
                backend = "cv2"  # Pillow turns all values above 255 white
            return mmcv.imfrombytes(content, flag=self.color_type, backend=backend)
        except Exception as error:  # each decoder raises types of its own
            raise _unreadable(content, path, error) from error


def _unreadable(content: bytes, path: str, fault: object) -> ValueError:
    found = describe_unreadable(content[:HEAD_BYTES], len(content))
    if found is not None and not found.startswith(_IMAGE):
        fault = f"it {found}"
    elif _has_deep_grey(content):
        fault = (
            "its grey values have 32 bits, which do not say what white is; save it "
            "with 8 or 16"
        )
    return ValueError(f"{path} ({len(content)} bytes) is not a readable image: {fault}")


def _has_deep_grey(content: bytes) -> bool:
    """Whether Pillow finds grey values with more than 8 bits."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.mode.startswith(("I", "F"))
    except Exception:  # whether this is an image is for the decoder to say
        return False


def crop_box(image: np.ndarray, box: Sequence[float], path: str) -> np.ndarray:
    """The part of an image ``(H, W, C)`` in a box, xyxy in pixels.

    The box is clipped to the image, and pixels at its edges are kept whole.

    Raises:
        ValueError: No part of the box is in the image.
    """
    height, width = image.shape[:2]
    pixels = cover_pixels(box, width, height)
    if pixels is None:
        raise ValueError(
            f"the person box {[float(value) for value in box]} (xyxy) lies outside "
            f"{path}, which is {width} x {height} pixels; is it the right image?"
        )
    x1, y1, x2, y2 = pixels
    return np.ascontiguousarray(image[y1:y2, x1:x2])
