"""A top-down pose model in ONNX, run on whole images of persons.

Why not ``rtmlib``: it requires ``opencv-contrib-python``, whose files replace those of
the ``opencv-python`` that mmcv decodes and resizes with (another version; without it
after uninstalling either), it runs one image at a time, and it has no decoder for
MMPose's heat maps, only for those of ViTPose.

Both kinds of models were trained with pixel indices as places (``MSRAHeatmap`` and
``SimCCLabel`` of MMPose): cell i is pixel index i times the stride, whose centre is
half a pixel further.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmpar.structures.keypoints import NUM_KEYPOINTS, drop_outside

_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_STD = np.array([58.395, 57.12, 57.375], np.float32)
"""Of ImageNet, RGB, as RTMPose and MMPose's heat-map models expect."""

_BBOX_PADDING = 1.25
"""MMPose enlarges the person's box by this factor (``GetBBoxCenterScale``)."""

_PIXEL_CENTRE = 0.5


class PoseModel:
    """Finds the 17 keypoints of COCO in images of one person each.

    The model takes RGB images (B, 3, H, W), normalized as for ImageNet, and returns
    heat maps (B, 17, h, w), or SimCC's two vectors (B, 17, length), along x and along
    y, recognized by the names ``simcc_x`` and ``simcc_y`` that MMDeploy gives them, or
    else in this order. The image is the person's box: it is padded with black until it
    has the model's aspect ratio.

    Args:
        file: The ONNX file.

    Raises:
        ImportError: ``onnxruntime`` is not installed.
        FileNotFoundError: The file does not exist.
        ValueError: The file is another kind of model.
    """

    def __init__(self, file: str | Path) -> None:
        self.file = Path(file)
        self._session = _open_session(self.file)
        (given, *more) = self._session.get_inputs()
        shape = given.shape
        fits = len(shape) == 4 and shape[1] == 3 and isinstance(shape[2], int)
        if more or not fits or not isinstance(shape[3], int):
            raise ValueError(
                f"{file} takes {given.name} {shape} and {len(more)} more; expected one "
                "input (B, 3, H, W) of fixed height and width"
            )
        self._input = given.name
        self.size: tuple[int, int] = (shape[3], shape[2])
        """Width and height of the model's input."""
        self._batch = shape[0] if isinstance(shape[0], int) else None
        names = [output.name for output in self._session.get_outputs()]
        self._outputs = sorted(names) if {"simcc_x", "simcc_y"} == {*names} else names

    def __call__(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Keypoints of some images.

        Args:
            images: uint8, (H, W, 3) each, BGR, of any size.

        Returns:
            float32, (B, 17, 3): x, y in pixels of the image, continuous, and score in
            [0, 1]; 0, 0, 0 for places outside the image.
        """
        warps = [_fit_to_input(image.shape[:2], self.size) for image in images]
        inputs = np.stack([self._preprocess(*pair) for pair in zip(images, warps)])
        points = self._decode(self._run(inputs))
        for row, (scale, shift), image in zip(points, warps, images):
            row[:, :2] = (row[:, :2] - shift) / scale
            row[row[:, 2] <= 0] = 0
            drop_outside(row, width=image.shape[1], height=image.shape[0])
        points[..., 2] = np.minimum(points[..., 2], 1)
        return points.astype(np.float32)

    def _preprocess(
        self, image: np.ndarray, warp: tuple[float, np.ndarray]
    ) -> np.ndarray:
        scale, shift = warp
        # OpenCV counts pixels, whose centres are half a pixel further.
        moved = shift + 0.5 * scale - 0.5
        matrix = np.array([[scale, 0, moved[0]], [0, scale, moved[1]]])
        framed = cv2.warpAffine(image, matrix, self.size, flags=cv2.INTER_LINEAR)
        normal = (framed[..., ::-1].astype(np.float32) - _MEAN) / _STD
        return normal.transpose(2, 0, 1)

    def _run(self, inputs: np.ndarray) -> list[np.ndarray]:
        """All outputs; a model of a fixed batch size is run in batches of it."""
        size = self._batch or len(inputs)
        parts = []
        for start in range(0, len(inputs), size):
            part = inputs[start : start + size]
            full = np.concatenate([part, np.repeat(part[-1:], size - len(part), 0)])
            outputs = self._session.run(self._outputs, {self._input: full})
            parts.append([output[: len(part)] for output in outputs])
        return [np.concatenate(outputs) for outputs in zip(*parts)]

    def _decode(self, outputs: list[np.ndarray]) -> np.ndarray:
        """float64, (B, 17, 3), in pixels of the input."""
        ranks = [output.ndim for output in outputs]
        if all(output.shape[1] == NUM_KEYPOINTS for output in outputs):
            if ranks == [4]:
                return decode_heat_maps(outputs[0], self.size)
            if ranks == [3, 3]:
                return decode_simcc(outputs[0], outputs[1], self.size)
        shapes = dict(zip(self._outputs, [output.shape for output in outputs]))
        raise ValueError(
            f"{self.file} returns {shapes}; expected heat maps (B, 17, h, w), or "
            "SimCC's simcc_x and simcc_y (B, 17, length), exported without "
            "post-processing"
        )


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
    return _cells_to_pixels(points, size, (width, height))


def decode_simcc(
    along_x: np.ndarray, along_y: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Maxima of SimCC's two vectors; the score is the lower of the two maxima.

    As in MMPose for RTMPose, whose vectors have two cells per pixel (the length of the
    vectors tells).

    Args:
        along_x: (B, K, length).
        along_y: (B, K, length).
        size: Width and height of the model's input.

    Returns:
        As :func:`decode_heat_maps`.
    """
    score = np.minimum(along_x.max(axis=-1), along_y.max(axis=-1))
    cells = (along_x.argmax(axis=-1), along_y.argmax(axis=-1), score)
    points = np.stack(cells, axis=-1).astype(np.float64)
    return _cells_to_pixels(points, size, (along_x.shape[-1], along_y.shape[-1]))


def _cells_to_pixels(
    points: np.ndarray, size: tuple[int, int], cells: tuple[int, int]
) -> np.ndarray:
    points[..., :2] *= np.array(size) / np.array(cells)
    points[..., :2] += _PIXEL_CENTRE
    return points


def _open_session(file: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError("pose models need onnxruntime: pip install it") from error
    if not file.is_file():
        raise FileNotFoundError(f"no pose model {str(file)!r}")
    try:
        return onnxruntime.InferenceSession(
            str(file), providers=onnxruntime.get_available_providers()
        )
    except Exception as error:  # onnxruntime has no common class of errors
        raise ValueError(f"{file} is not an ONNX model: {error}") from error


def _fit_to_input(
    shape: tuple[int, int], size: tuple[int, int]
) -> tuple[float, np.ndarray]:
    """Scale and shift from an image (height, width) to the middle of an input."""
    extent = np.array([shape[1], shape[0]], np.float64)
    scale = float((np.array(size) / extent).min() / _BBOX_PADDING)
    return scale, (np.array(size) - scale * extent) / 2
