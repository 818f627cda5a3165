"""Body keypoints of all pictures in one memory-mapped array beside the annotation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmpar.structures import COCO_KEYPOINTS
from mmpar.utils.file_kinds import describe_unreadable_file

_MAKE = "make it with tools/dataset_converters/add_keypoints.py"


def paths_file(file: Path) -> Path:
    """Where the picture paths of a keypoint file are listed, one a line."""
    return file.with_suffix(".paths.txt")


def write_paths(file: Path, paths: Sequence[str]) -> None:
    """List picture paths in ``file``, one a line.

    Raises:
        ValueError: A path stands twice, or contains a line break.
    """
    if len(set(paths)) < len(paths):
        raise ValueError(f"{_first_double(paths)!r} is listed twice")
    broken = [path for path in paths if "\n" in path]
    if broken:
        raise ValueError(f"the path {broken[0]!r} contains a line break; rename it")
    text = "".join(f"{path}\n" for path in paths)
    file.write_bytes(text.encode("utf-8", "surrogateescape"))


class KeypointArray:
    """Keypoints of pictures, read a row at a time.

    ``keypoints.npy`` is a NumPy array (N, 17, 3) of float32 or float16, in COCO's
    order: x, y in pixels of the original picture, continuous (pixel i covers
    [i, i + 1)), and the visibility or score in [0, 1]. A missing keypoint is 0, 0, 0.
    ``keypoints.paths.txt`` beside it lists the picture of each row.

    The array is mapped, not read: it takes no memory of its own, all processes share
    it, and a pickled copy opens it anew.

    Args:
        file: The ``.npy`` file, on a local disk.

    Raises:
        FileNotFoundError: It, or its list of paths, does not exist.
        ValueError: It is another kind of array, or the list does not fit.
    """

    def __init__(self, file: str | Path) -> None:
        self.file = Path(file)
        self._rows = _opened(self.file)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: int) -> np.ndarray:
        """A copy of one row, float32, shape (17, 3)."""
        return self._rows[row].astype(np.float32)

    def __getstate__(self) -> dict[str, Any]:
        return dict(file=self.file)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["file"])  # type: ignore[misc]

    def paths(self) -> list[str]:
        """The picture of each row."""
        listed = paths_file(self.file)
        if not listed.is_file():
            raise FileNotFoundError(
                f"{self.file} lacks its list of pictures {listed}; copy both or {_MAKE}"
            )
        text = listed.read_bytes().decode("utf-8", "surrogateescape")
        paths = text.split("\n")[:-1]
        if len(paths) != len(self):
            raise ValueError(
                f"{listed} lists {len(paths)} pictures, but {self.file} has "
                f"{len(self)} rows; they are not of one run, {_MAKE}"
            )
        return paths

    def rows_of(self, paths: Iterable[str]) -> np.ndarray:
        """Which rows belong to these pictures, int64.

        Raises:
            ValueError: A picture has no row, or two.
        """
        own = self.paths()
        row_of = {path: row for row, path in enumerate(own)}
        if len(row_of) < len(own):
            raise ValueError(
                f"{paths_file(self.file)} lists {_first_double(own)!r} twice; {_MAKE}"
            )
        wanted = list(paths)
        lacking = [path for path in wanted if path not in row_of]
        if lacking:
            raise ValueError(
                f"{self.file} has no row for {len(lacking)} of {len(wanted)} pictures, "
                f"first {lacking[0]!r}; it has {len(own)} others such as {own[:1]}. "
                "Run tools/dataset_converters/add_keypoints.py over all of this data "
                "set: a picture in which nobody was found has a row of zeros"
            )
        return np.array([row_of[path] for path in wanted], np.int64)


def _opened(file: Path) -> np.ndarray:
    if not file.is_file():
        raise FileNotFoundError(
            f"no keypoint file {str(file)!r}; keypoints are memory-mapped, so they are "
            f"on a local disk; {_MAKE}"
        )
    try:
        mapped = np.load(file, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy raises a dozen types on broken bytes
        found = describe_unreadable_file(str(file)) or "cannot be read"
        raise ValueError(
            f"{file} {found}, no whole NumPy array: {error}; {_MAKE}"
        ) from error
    shape = (len(COCO_KEYPOINTS), 3)
    if not isinstance(mapped, np.ndarray):
        raise ValueError(f"{file} is an archive, not a NumPy array; {_MAKE}")
    if mapped.shape[1:] != shape or mapped.dtype not in (np.float32, np.float16):
        raise ValueError(
            f"{file} is an array of {mapped.dtype} {mapped.shape}, expected float32 or "
            f"float16 (N, {shape[0]}, {shape[1]}); {_MAKE}"
        )
    return mapped.view(np.ndarray)  # slicing a memmap object is slower


def _first_double(paths: Sequence[str]) -> str:
    counts = Counter(paths)
    return next(path for path in paths if counts[path] > 1)
