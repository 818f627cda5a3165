"""A keypoint array while it is made: resumable, and whole or not there."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from mmpar.datasets.formats.keypoint_array import paths_file, write_paths
from mmpar.structures import COCO_KEYPOINTS


class UnfinishedKeypoints:
    """Rows of a ``KeypointArray``, written in any order.

    They lie in a hidden folder beside ``file`` until :meth:`finish`. A run that was
    stopped goes on with the rows it lacks; what another job has left is thrown away.

    Args:
        file: The ``.npy`` file to be.
        paths: The picture of each row.
        job: What the rows are made with; a run resumes only the same job.

    Raises:
        ValueError: ``file`` does not end in ``.npy``, or see ``write_paths``.
    """

    def __init__(self, file: str | Path, paths: Sequence[str], job: str) -> None:
        self.file = Path(file)
        if self.file.suffix != ".npy":
            raise ValueError(f"a keypoint file ends in .npy, got {str(file)!r}")
        self.folder = self.file.with_name(f".{self.file.name}.unfinished")
        content = "\n".join([job, *paths]).encode("utf-8", "surrogateescape")
        self._begin(hashlib.sha256(content).hexdigest(), paths)
        self._values = open_memmap(self.folder / "values.npy", mode="r+")
        self._done = open_memmap(self.folder / "done.npy", mode="r+")

    def _begin(self, job: str, paths: Sequence[str]) -> None:
        note = self.folder / "job.txt"
        if note.exists() and note.read_text() == job:
            return
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        shape = (len(paths), len(COCO_KEYPOINTS), 3)
        write_paths(self.folder / "paths.txt", paths)
        open_memmap(self.folder / "values.npy", "w+", np.float32, shape)
        open_memmap(self.folder / "done.npy", "w+", np.bool_, shape[:1])
        note.write_text(job)  # last, so that a folder with it is complete

    def remaining(self) -> np.ndarray:
        """Rows not written yet, ascending, int64."""
        return np.flatnonzero(~self._done)

    def write(self, rows: np.ndarray, values: np.ndarray) -> None:
        """Write some rows, ``values`` of shape (n, 17, 3).

        Raises:
            ValueError: A value is not finite.
        """
        if not np.isfinite(values).all():
            row = int(rows[~np.isfinite(values).all(axis=(1, 2))][0])
            raise ValueError(f"row {row} has a keypoint that is not finite")
        self._values[rows] = values
        self._values.flush()  # first, so that a row marked as done is there
        self._done[rows] = True

    def drop_below(self, score: float) -> int:
        """Zero the keypoints of lower scores in all rows; returns how many."""
        unsure = (self._values[..., 2] > 0) & (self._values[..., 2] < score)
        self._values[unsure] = 0
        self._values.flush()
        return int(unsure.sum())

    def people(self) -> int:
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
        os.replace(self.folder / "paths.txt", paths_file(self.file))
        os.replace(self.folder / "values.npy", self.file)
        shutil.rmtree(self.folder)
        return self.file
