"""Loading an image completely or not at all."""

from __future__ import annotations

from typing import Any

import mmcv
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine import fileio

from mmpar.datasets.file_backends import check_backend
from mmpar.registry import TRANSFORMS
from mmpar.structures.boxes import crop_box
from mmpar.utils.image_headers import (
    has_deep_grey,
    require_whole_image,
    unreadable_image,
)
from mmpar.utils.patient_reading import read_patiently


@TRANSFORMS.register_module()
class LoadPersonImage(LoadImageFromFile):
    """mmcv's ``LoadImageFromFile`` with errors that name the image.

    It also refuses truncated JPEG files: OpenCV up to 4.10 decodes their first part and
    silently paints the rest grey. OpenCV refuses other truncated formats itself.

    If a folder of images vanishes for a while, it waits for it.

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
        content = read_patiently(
            path, lambda: fileio.get(path, backend_args=self.backend_args)
        )
        require_whole_image(content, path)
        image = self._decode(content, path)
        if image is None:
            raise unreadable_image(content, path)
        if "bbox" in results:
            image = crop_box(image, results["bbox"], path)
        results["img"] = image
        results["img_shape"] = results["ori_shape"] = image.shape[:2]
        return results

    def _decode(self, content: bytes, path: str) -> np.ndarray | None:
        try:
            backend = self.imdecode_backend
            if backend == "pillow" and has_deep_grey(content):
                backend = "cv2"  # Pillow turns all values above 255 white
            return mmcv.imfrombytes(content, flag=self.color_type, backend=backend)
        except Exception as error:  # each decoder raises types of its own
            raise unreadable_image(content, path, error) from error
