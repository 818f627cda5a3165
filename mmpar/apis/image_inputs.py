"""What an inferencer may be given, as a stream of images with their boxes."""

from __future__ import annotations

import glob
import os
import os.path as osp
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from mmpar.utils.image_decoding import pil_to_rgb

Box = tuple[float, float, float, float]
Pixels = Any  # np.ndarray, PIL.Image.Image or torch.Tensor
Read = Callable[[str], np.ndarray]
"""From the path or URL of an image to uint8, (H, W, 3), BGR."""
Boxes = Union[np.ndarray, Sequence[Sequence[float]]]

IMAGE_ENDINGS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".webp", ".tif"),
    *(".tiff", ".ppm", ".pgm", ".pbm", ".gif", ".jp2"),
)
"""Files of a folder that are taken for images."""


@dataclass(frozen=True)
class ImageInput:
    """An image, and the persons in it.

    Attributes:
        image: Path or URL of a file, or the pixels.
        boxes: Persons, (N, 4), xyxy in pixels; None for one who fills the image.
        keypoints: COCO's 17 of each person, (N, 17, 3), x and y in pixels of the image
            and visibility; None if there are none.
    """

    image: Pixels
    boxes: np.ndarray | None = None
    keypoints: np.ndarray | None = None

    @property
    def img_path(self) -> str | None:
        """The file, None for pixels."""
        return self.image if isinstance(self.image, str) else None

    @property
    def num_persons(self) -> int:
        """How many results it has."""
        return 1 if self.boxes is None else len(self.boxes)


def iterate_images(
    inputs: Any, boxes: Any = None, keypoints: Any = None
) -> Iterator[ImageInput]:
    """Images of whatever was given, one at a time.

    Args:
        inputs: A path or URL of an image, a folder (its images by name, subfolders
            too), a glob pattern, pixels (NumPy (H, W, 3) or (H, W); a PIL image; a
            torch tensor (3, H, W)), or any iterable of these.
        boxes: Persons: (N, 4), xyxy in pixels, for a single image; otherwise an
            iterable with one such array, or None, per image.
        keypoints: Likewise (N, 17, 3), or (17, 3) for one person.

    Raises:
        FileNotFoundError: A folder holds no image, a pattern fits no file.
        OSError: A folder or one of its subfolders cannot be read.
        TypeError: Something given is none of these.
        ValueError: Boxes or keypoints are of another shape, or not one per image.
    """
    if not _is_single(inputs):
        yield from _paired(inputs, boxes, keypoints)
        return
    if _is_path(inputs) and _expanded(inputs) != [os.fspath(inputs)]:
        yield from _paired([inputs], boxes, keypoints)
    else:
        yield _with_persons(inputs, boxes, keypoints)


def _paired(images: Any, boxes: Any, keypoints: Any) -> Iterator[ImageInput]:
    """One entry of boxes and keypoints for each image."""
    try:
        stream = iter(images)
    except TypeError:
        raise TypeError(
            f"cannot read images from {type(images).__name__}; give a path, a folder, "
            "a glob pattern, a NumPy array, a PIL image, a tensor, or an iterable of "
            "these"
        ) from None
    per_image = [
        (name, iter(values))
        for name, values in (("boxes", boxes), ("keypoints", keypoints))
        if values is not None
    ]
    for given in stream:
        if not _is_single(given):
            raise TypeError(
                f"an image was given as {type(given).__name__}; give a path, a NumPy "
                "array, a PIL image or a tensor"
            )
        for image in _expanded(given) if _is_path(given) else [given]:
            found = {name: _next(values, name) for name, values in per_image}
            yield _with_persons(image, found.get("boxes"), found.get("keypoints"))
    for name, values in per_image:
        if next(values, per_image) is not per_image:
            raise ValueError(f"there are more {name} than images")


def _next(values: Iterator[Any], name: str) -> Any:
    try:
        return next(values)
    except StopIteration:
        raise ValueError(
            f"there are fewer {name} than images; give one entry per image, None where "
            "a person fills the image"
        ) from None


def _is_path(given: Any) -> bool:
    return isinstance(given, (str, os.PathLike))


def _is_single(given: Any) -> bool:
    """A path, or pixels: an array of one image, or a PIL image."""
    if hasattr(given, "shape"):
        return len(given.shape) < 4  # four axes are a batch, an iterable of images
    return _is_path(given) or hasattr(given, "getbands")


def _expanded(given: str | os.PathLike[Any]) -> Iterable[str]:
    """The files that a path, folder, pattern or URL names."""
    path = os.fspath(given)
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if osp.isdir(path):
        return _files_of_folder(path)
    if "://" not in path and not osp.lexists(path) and glob.has_magic(path):
        found = sorted(glob.glob(path, recursive=True))
        if not found:
            raise FileNotFoundError(f"no file fits the pattern {path}")
        return found
    return [path]


def _files_of_folder(folder: str) -> Iterator[str]:
    """Images below a folder by name; a warning counts what has another ending.

    Links to folders are followed, and each folder is read once, as links may lead back.
    """
    found, others = False, 0
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        if osp.realpath(parent) in seen:
            folders.clear()
            continue
        seen.add(osp.realpath(parent))
        folders.sort()
        for name in sorted(names):
            if name.lower().endswith(IMAGE_ENDINGS):
                found = True
                yield osp.join(parent, name)
            else:
                others += 1
    if not found:
        raise FileNotFoundError(
            f"{folder} holds no image ({others} files with other endings); images end "
            f"in {', '.join(IMAGE_ENDINGS)}"
        )
    if others:
        warnings.warn(
            f"{others} files in {folder} are left out, as their names do not end like "
            "an image's",
            stacklevel=2,
        )


def _refuse(error: OSError) -> None:
    """A subfolder that cannot be read is not left out in silence."""
    raise error


def _with_persons(image: Any, boxes: Any, keypoints: Any) -> ImageInput:
    image = os.fspath(image) if _is_path(image) else image
    name = image if isinstance(image, str) else "the image"
    found = None if boxes is None else _rows(boxes, (4,), f"boxes of {name}")
    points = None
    if keypoints is not None:
        points = _rows(keypoints, (17, 3), f"keypoints of {name}")
        persons = 1 if found is None else len(found)
        if len(points) != persons:
            raise ValueError(
                f"{name} has {persons} persons, but keypoints of {len(points)}"
            )
    return ImageInput(image, found, points)


def _rows(values: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the {name} are no array of numbers: {error}") from error
    if array.size == 0:
        return array.reshape(0, *shape)
    if array.shape == shape:
        array = array[None]
    if array.shape[1:] != shape:
        raise ValueError(
            f"the {name} have the shape {array.shape}; expected (N, "
            f"{', '.join(map(str, shape))})"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"the {name} are not all finite numbers: {array.tolist()}")
    return array


def load_pixels(image: Pixels, read: Read, rgb: bool = False) -> np.ndarray:
    """An image as uint8, (H, W, 3), BGR: a file by ``read``, pixels by :func:`as_bgr`.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not an image, or the pixels are of another type or shape.
    """
    return read(image) if isinstance(image, str) else as_bgr(image, rgb)


def as_bgr(image: Pixels, rgb: bool = False) -> np.ndarray:
    """Pixels as OpenMMLab has them.

    Args:
        image: NumPy (H, W, 3), (H, W, 1) or (H, W); torch (3, H, W) or (1, H, W); or a
            PIL image, which is turned upright by its EXIF orientation. uint8; PIL
            images of 16-bit grey, too.
        rgb: Whether arrays and tensors are RGB, not BGR. PIL images know it themselves.

    Returns:
        uint8, (H, W, 3), BGR.

    Raises:
        ValueError: It is of another type or shape, or has no pixels.
    """
    if hasattr(image, "getbands"):
        return pil_to_rgb(image)[..., ::-1]
    channels_first = not isinstance(image, np.ndarray)
    pixels = image.cpu().numpy() if hasattr(image, "cpu") else np.asarray(image)
    if pixels.ndim == 3 and channels_first:
        pixels = pixels.transpose(1, 2, 0)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.dtype != np.uint8 or pixels.shape[2:] not in ((1,), (3,)):
        order = "(3, H, W) or (1, H, W)" if channels_first else "(H, W, 3) or (H, W)"
        raise ValueError(
            f"the image is {pixels.dtype} of the shape {tuple(image.shape)}; expected "
            f"uint8, {order}, values from 0 to 255"
        )
    if pixels.size == 0:
        raise ValueError(f"the image has no pixels: its shape is {tuple(image.shape)}")
    if pixels.shape[2] == 1:
        return pixels.repeat(3, axis=2)
    return pixels[..., ::-1] if rgb else pixels
