"""A top-down pose model in ONNX, run on whole images of persons.

Why not ``rtmlib``: it requires ``opencv-contrib-python``, whose files replace those of
the ``opencv-python`` that mmcv decodes and resizes with (another version; without it
after uninstalling either), it runs one image at a time, and it has no decoder for
MMPose's heat maps, only for those of ViTPose.

Heat maps and SimCC were trained with pixel indices as places (``MSRAHeatmap`` and
``SimCCLabel`` of MMPose): cell i is pixel index i times the stride, whose centre is
half a pixel further. MoveNet returns shares of its input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmpar.structures.keypoints import NUM_KEYPOINTS, drop_outside
from mmpar.structures.preprocessing import MAX_SIDE
from mmpar.utils.onnx_session import OnnxSession

_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_STD = np.array([58.395, 57.12, 57.375], np.float32)
"""Of ImageNet, RGB, as RTMPose and MMPose's heat-map models expect."""

_PIXEL_CENTRE = 0.5


@dataclass(frozen=True)
class _InputKind:
    """How an image becomes the input of a model.

    Args:
        axes: Where height, width and colours are in (B, ., ., .).
        padding: The person's box is enlarged by this factor.
        convert: From an image of the input's size, uint8, (H, W, 3), BGR.
    """

    axes: tuple[int, int, int]
    padding: float
    convert: Callable[[np.ndarray], np.ndarray]


def _normalize(image: np.ndarray) -> np.ndarray:
    normal = (image[..., ::-1].astype(np.float32) - _MEAN) / _STD
    return normal.transpose(2, 0, 1)


_NORMALIZED = _InputKind(axes=(2, 3, 1), padding=1.25, convert=_normalize)
"""Of RTMPose and MMPose's heat-map models; the padding is ``GetBBoxCenterScale``'s."""

_WHOLE_NUMBERS = _InputKind(
    axes=(1, 2, 3), padding=1.0, convert=lambda image: image[..., ::-1]
)
"""Of MoveNet, whose documentation pads the image to a square and no further."""

_WHOLE_TYPES = {"tensor(int32)": np.int32, "tensor(uint8)": np.uint8}


class PoseModel:
    """Finds the 17 keypoints of COCO in images of one person each.

    The model takes RGB images in one of two ways, and returns one of three things:

    - (B, 3, H, W), float32, normalized as for ImageNet, or (B, H, W, 3), int32 or
      uint8, from 0 to 255, as MoveNet does;
    - heat maps (B, 17, h, w); SimCC's two vectors (B, 17, length), along x and along y,
      recognized by the names ``simcc_x`` and ``simcc_y`` that MMDeploy gives them, or
      else in this order; or MoveNet's rows (B, 1, 17, 3) of y, x and score.

    The image is the person's box: it is padded with black until it has the model's
    aspect ratio.

    Args:
        file: The ONNX file.

    Raises:
        ImportError: ``onnxruntime`` is not installed.
        FileNotFoundError: The file does not exist.
        ValueError: The file is no model that ONNX Runtime runs, or of another kind.
    """

    def __init__(self, file: str | Path) -> None:
        self.file = Path(file)
        if not self.file.is_file():
            raise FileNotFoundError(f"no pose model {str(file)!r}")
        self._session = OnnxSession(self.file)
        given, *more = self._session.inputs
        whole = given.type in _WHOLE_TYPES
        self._kind = _WHOLE_NUMBERS if whole else _NORMALIZED
        self._dtype = _WHOLE_TYPES.get(given.type, np.float32)
        shape = given.shape
        height = width = colours = 0
        if len(shape) == 4 and not more:
            height, width, colours = (shape[axis] for axis in self._kind.axes)
        if colours != 3 or not (_is_length(height) and _is_length(width)):
            raise ValueError(
                f"{file} takes {given.name} {given.type} {shape} and {len(more)} more; "
                "expected one input of fixed height and width, float (B, 3, H, W) or "
                f"int32 (B, H, W, 3), of 1 to {MAX_SIDE} pixels each"
            )
        self._input = given.name
        self.size: tuple[int, int] = (width, height)
        """Width and height of the model's input."""
        self._batch = shape[0] if isinstance(shape[0], int) else None
        if self._batch is not None and not _is_length(self._batch):
            raise ValueError(
                f"{file} takes {self._batch} images at a time, expected 1 to {MAX_SIDE}"
            )
        names = [output.name for output in self._session.outputs]
        self._outputs = sorted(names) if {"simcc_x", "simcc_y"} == {*names} else names

    def __call__(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Keypoints of some images.

        Args:
            images: uint8, (H, W, 3) each, BGR, of any size.

        Returns:
            float32, (B, 17, 3): x, y in pixels of the image, continuous, and score in
            [0, 1]; 0, 0, 0 for places outside the image.
        """
        padding = self._kind.padding
        warps = [fit_to_input(image.shape[:2], self.size, padding) for image in images]
        framed = [frame(image, *warp, self.size) for image, warp in zip(images, warps)]
        inputs = np.stack([self._kind.convert(image) for image in framed])
        points = self._decode(self._run(inputs.astype(self._dtype)))
        for row, (scale, shift), image in zip(points, warps, images):
            row[:, :2] = (row[:, :2] - shift) / scale
            row[row[:, 2] <= 0] = 0
            drop_outside(row, width=image.shape[1], height=image.shape[0])
        points[..., 2] = np.minimum(points[..., 2], 1)
        return points.astype(np.float32)

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
        if ranks == [4] and outputs[0].shape[1:] == (1, NUM_KEYPOINTS, 3):
            return decode_rows(outputs[0][:, 0], self.size)
        shapes = dict(zip(self._outputs, [output.shape for output in outputs]))
        raise ValueError(
            f"{self.file} returns {shapes}; expected heat maps (B, 17, h, w), "
            "SimCC's simcc_x and simcc_y (B, 17, length), exported without "
            "post-processing, or rows (B, 1, 17, 3) of a MoveNet for one person"
        )


def _is_length(found: Any) -> bool:
    """Whether it is fixed, else ONNX has a name or nothing, and fits into memory."""
    return isinstance(found, int) and 1 <= found <= MAX_SIDE


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


def decode_rows(rows: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Rows of y, x and score, as MoveNet returns them.

    Source: the model card of MoveNet.SinglePose: y and x are shares of the input's
    height and width.

    Args:
        rows: (B, K, 3).
        size: Width and height of the model's input.

    Returns:
        As :func:`decode_heat_maps`.
    """
    y, x, score = np.moveaxis(rows.astype(np.float64), -1, 0)
    return np.stack([x * size[0], y * size[1], score], axis=-1)


def _cells_to_pixels(
    points: np.ndarray, size: tuple[int, int], cells: tuple[int, int]
) -> np.ndarray:
    points[..., :2] *= np.array(size) / np.array(cells)
    points[..., :2] += _PIXEL_CENTRE
    return points


def fit_to_input(
    shape: tuple[int, int], size: tuple[int, int], padding: float
) -> tuple[float, np.ndarray]:
    """Scale and shift (x, y) from an image to the middle of an input.

    Args:
        shape: Height and width of the image.
        size: Width and height of the input.
        padding: The image, enlarged by this factor, just fits in.
    """
    extent = np.array([shape[1], shape[0]], np.float64)
    scale = float((np.array(size) / extent).min() / padding)
    return scale, (np.array(size) - scale * extent) / 2


def frame(
    image: np.ndarray, scale: float, shift: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """An image (H, W, 3) scaled and moved into one of ``size``, black around it."""
    # OpenCV counts pixels, whose centres are half a pixel further.
    moved = shift + 0.5 * scale - 0.5
    matrix = np.array([[scale, 0, moved[0]], [0, scale, moved[1]]])
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR)
