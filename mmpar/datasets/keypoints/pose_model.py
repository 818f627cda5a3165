"""A top-down pose model in ONNX, run on whole person pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmpar.datasets.keypoints.decoding import decode_heat_maps, decode_simcc
from mmpar.structures import COCO_KEYPOINTS

_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_STD = np.array([58.395, 57.12, 57.375], np.float32)
"""Of ImageNet, RGB, as RTMPose and MMPose's heat-map models are given."""

_ROOM = 1.25
"""MMPose widens the person's box by this much (``GetBBoxCenterScale``)."""


class PoseModel:
    """Finds the 17 keypoints of COCO in pictures of one person each.

    The model takes RGB pictures (B, 3, H, W), normalized as for ImageNet, and gives
    heat maps (B, 17, h, w), or SimCC's two (B, 17, length), along x and along y; they
    are told apart by the names ``simcc_x`` and ``simcc_y`` that MMDeploy gives them, or
    come in this order. The picture is the person's box: it is widened, with black
    around it, until it has the model's shape.

    Args:
        file: The ONNX file.

    Raises:
        ImportError: ``onnxruntime`` is not installed.
        FileNotFoundError: There is no such file.
        ValueError: It is another kind of model.
    """

    def __init__(self, file: str | Path) -> None:
        self.file = Path(file)
        self._session = _opened(self.file)
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
        """Width and height of what the model is given."""
        self._batch = shape[0] if isinstance(shape[0], int) else None
        names = [output.name for output in self._session.get_outputs()]
        self._outputs = sorted(names) if {"simcc_x", "simcc_y"} == {*names} else names

    def __call__(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Keypoints of some pictures.

        Args:
            images: uint8, (H, W, 3) each, BGR, of any size.

        Returns:
            float32, (B, 17, 3): x, y in pixels of the picture, continuous, and score in
            [0, 1]; 0, 0, 0 where the place lies outside the picture.
        """
        warps = [_warp_of(image.shape[:2], self.size) for image in images]
        inputs = np.stack([self._input_of(*pair) for pair in zip(images, warps)])
        points = self._decoded(self._run(inputs))
        for row, (scale, shift), image in zip(points, warps, images):
            row[:, :2] = (row[:, :2] - shift) / scale
            height, width = image.shape[:2]
            inside = (row[:, :2] >= 0).all(1) & (row[:, :2] < (width, height)).all(1)
            row[~inside | (row[:, 2] <= 0)] = 0
        points[..., 2] = np.minimum(points[..., 2], 1)
        return points.astype(np.float32)

    def _input_of(
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
        """All outputs; a model of a fixed batch size is run in such parts."""
        size = self._batch or len(inputs)
        parts = []
        for start in range(0, len(inputs), size):
            part = inputs[start : start + size]
            full = np.concatenate([part, np.repeat(part[-1:], size - len(part), 0)])
            outputs = self._session.run(self._outputs, {self._input: full})
            parts.append([output[: len(part)] for output in outputs])
        return [np.concatenate(outputs) for outputs in zip(*parts)]

    def _decoded(self, outputs: list[np.ndarray]) -> np.ndarray:
        """float64, (B, 17, 3), in pixels of the input."""
        ranks = [output.ndim for output in outputs]
        if all(output.shape[1] == len(COCO_KEYPOINTS) for output in outputs):
            if ranks == [4]:
                return decode_heat_maps(outputs[0], self.size)
            if ranks == [3, 3]:
                return decode_simcc(outputs[0], outputs[1], self.size)
        shapes = dict(zip(self._outputs, [output.shape for output in outputs]))
        raise ValueError(
            f"{self.file} gives {shapes}; expected heat maps (B, 17, h, w), or SimCC's "
            "simcc_x and simcc_y (B, 17, length), exported without post-processing"
        )


def _opened(file: Path) -> Any:
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
        raise ValueError(f"{file} is no ONNX model: {error}") from error


def _warp_of(shape: tuple[int, int], size: tuple[int, int]) -> tuple[float, np.ndarray]:
    """Scale and shift from a picture (height, width) to the middle of an input."""
    extent = np.array([shape[1], shape[0]], np.float64)
    scale = float((np.array(size) / extent).min() / _ROOM)
    return scale, (np.array(size) - scale * extent) / 2
