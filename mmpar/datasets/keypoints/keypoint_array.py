"""Body keypoints of all images in one memory-mapped array beside the annotation."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap

from mmpar.structures.keypoints import NUM_KEYPOINTS, check_visibility
from mmpar.utils.array_files import map_array
from mmpar.utils.atomic import move_into_place

_HOW_TO_MAKE = "make it with tools/dataset_converters/add_keypoints.py"


def paths_file(file: Path) -> Path:
    """The list of image paths of a keypoint file, one path per line."""
    return file.with_suffix(".paths.txt")


class KeypointArray:
    """Keypoints of images, read row by row.

    ``keypoints.npy`` is a NumPy array (N, 17, 3) of float32 or float16, in COCO's
    order: x, y in pixels of the original image, continuous (pixel i covers [i, i + 1)),
    and visibility, 1 usable or 0 missing; a missing keypoint is 0, 0, 0.
    ``keypoints.paths.txt`` beside it lists the image of each row.

    A third number above 0 is read as 1: files of earlier versions hold scores there,
    with those below the threshold already set to 0.

    The array is mapped, not read: it takes no memory of its own, all processes share
    it, and a pickled copy opens it again.

    Args:
        file: The ``.npy`` file, on a local disk.

    Raises:
        FileNotFoundError: The file, or its list of paths, does not exist.
        ValueError: The file is another kind of array, or the list does not match.
    """

    def __init__(self, file: str | Path) -> None:
        self.file = Path(file)
        self._rows = _open_array(self.file)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: int) -> np.ndarray:
        """A copy of one row, float32, ``(17, 3)``: x, y, visibility."""
        keypoints = self._rows[row].astype(np.float32)
        keypoints[:, 2] = keypoints[:, 2] > 0
        return keypoints

    def __getstate__(self) -> dict[str, Any]:
        return dict(file=self.file)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["file"])  # type: ignore[misc]

    def paths(self) -> list[str]:
        """The image of each row."""
        listed = paths_file(self.file)
        if not listed.is_file():
            raise FileNotFoundError(
                f"{self.file} lacks its list of images {listed}; copy both, or "
                f"{_HOW_TO_MAKE}"
            )
        text = listed.read_bytes().decode("utf-8", "surrogateescape")
        paths = text.split("\n")[:-1]
        if len(paths) != len(self):
            raise ValueError(
                f"{listed} lists {len(paths)} images, but {self.file} has "
                f"{len(self)} rows; they are not of one run, {_HOW_TO_MAKE}"
            )
        return paths

    def rows_of(self, paths: Iterable[str]) -> np.ndarray:
        """The row of each of these images, int64.

        Raises:
            ValueError: An image has no row, or two.
        """
        own = self.paths()
        row_of = {path: row for row, path in enumerate(own)}
        if len(row_of) < len(own):
            raise ValueError(
                f"{paths_file(self.file)} lists {_first_repeated(own)!r} twice; "
                f"{_HOW_TO_MAKE}"
            )
        wanted = list(paths)
        lacking = [path for path in wanted if path not in row_of]
        if lacking:
            raise ValueError(
                f"{self.file} has no row for {len(lacking)} of {len(wanted)} images, "
                f"first {lacking[0]!r}; it has {len(own)} others such as {own[:1]}. "
                "Run tools/dataset_converters/add_keypoints.py over the whole dataset: "
                "an image in which nobody was found has a row of zeros"
            )
        return np.array([row_of[path] for path in wanted], np.int64)


class KeypointWriter:
    """Writes a :class:`KeypointArray`, in any order of rows; resumable.

    The rows are in a hidden folder beside ``file`` until :meth:`finish`, so that the
    array is complete or absent. An interrupted run continues with the missing rows;
    what another job has left behind is deleted.

    Args:
        file: The ``.npy`` file to be.
        paths: The image of each row.
        job: What the rows are made with; only the same job resumes a run.

    Raises:
        ValueError: ``file`` does not end in ``.npy``, or a path is listed twice or
            contains a line break.
    """

    def __init__(self, file: str | Path, paths: Sequence[str], job: str) -> None:
        self.file = Path(file)
        if self.file.suffix != ".npy":
            raise ValueError(f"a keypoint file ends in .npy, got {str(file)!r}")
        self.folder = self.file.with_name(f".{self.file.name}.unfinished")
        # The format, too: earlier versions left scores behind.
        content = "\n".join(["visibility", job, *paths])
        content_hash = hashlib.sha256(content.encode("utf-8", "surrogateescape"))
        self._begin(content_hash.hexdigest(), paths)
        self._values = open_memmap(self.folder / "values.npy", mode="r+")
        self._done = open_memmap(self.folder / "done.npy", mode="r+")

    def _begin(self, job: str, paths: Sequence[str]) -> None:
        note = self.folder / "job.txt"
        if note.exists() and note.read_text() == job:
            return
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        _write_paths(self.folder / "paths.txt", paths)
        shape = (len(paths), NUM_KEYPOINTS, 3)
        open_memmap(self.folder / "values.npy", "w+", np.float32, shape)
        open_memmap(self.folder / "done.npy", "w+", np.bool_, shape[:1])
        note.write_text(job)  # last, so that a folder with it is complete

    def remaining(self) -> np.ndarray:
        """Rows not written yet, ascending, int64."""
        return np.flatnonzero(~self._done)

    def write(self, rows: np.ndarray, keypoints: np.ndarray) -> None:
        """Write some rows, ``(n, 17, 3)``: x, y, visibility.

        Raises:
            ValueError: A value is not finite, or a visibility is neither 0 nor 1.
        """
        if not np.isfinite(keypoints).all():
            row = int(rows[~np.isfinite(keypoints).all(axis=(1, 2))][0])
            raise ValueError(f"row {row} has a keypoint that is not finite")
        check_visibility(keypoints, str(self.file))
        self._values[rows] = keypoints
        self._values.flush()  # first, so that a row marked as done is there
        self._done[rows] = True

    def num_people(self) -> int:
        """In how many of the rows anything was found."""
        return int((self._values[..., 2] > 0).any(axis=1).sum())

    def finish(self) -> Path:
        """Put the array and its list in place; returns the array's file.

        Raises:
            ValueError: Rows are missing.
        """
        missing = len(self.remaining())
        if missing:
            raise ValueError(f"{missing} rows of {self.file} are not written yet")
        # Never a new array beside an old list: a run stopped here leaves no array.
        self.file.unlink(missing_ok=True)
        move_into_place(self.folder / "paths.txt", paths_file(self.file))
        move_into_place(self.folder / "values.npy", self.file)
        shutil.rmtree(self.folder)
        return self.file


def _open_array(file: Path) -> np.ndarray:
    if not file.is_file():
        raise FileNotFoundError(
            f"no keypoint file {str(file)!r}; keypoints are memory-mapped, so they "
            f"must be on a local disk; {_HOW_TO_MAKE}"
        )
    mapped = map_array(file, _HOW_TO_MAKE)
    shape = (NUM_KEYPOINTS, 3)
    if mapped.shape[1:] != shape or mapped.dtype not in (np.float32, np.float16):
        raise ValueError(
            f"{file} is an array of {mapped.dtype} {mapped.shape}, expected float32 or "
            f"float16 (N, {shape[0]}, {shape[1]}); {_HOW_TO_MAKE}"
        )
    return mapped.view(np.ndarray)  # slicing a memmap object is slower


def _write_paths(file: Path, paths: Sequence[str]) -> None:
    if len(set(paths)) < len(paths):
        raise ValueError(f"{_first_repeated(paths)!r} is listed twice")
    broken = [path for path in paths if "\n" in path]
    if broken:
        raise ValueError(f"the path {broken[0]!r} contains a line break; rename it")
    text = "".join(f"{path}\n" for path in paths)
    file.write_bytes(text.encode("utf-8", "surrogateescape"))


def _first_repeated(paths: Sequence[str]) -> str:
    counts = Counter(paths)
    return next(path for path in paths if counts[path] > 1)
