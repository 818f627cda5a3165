"""Features of images in a memory-mapped file, which is written once and resumable.

A folder holds

- ``cache.json``: the fingerprint, what the features are of: the tower's config, the
  hash of its weights and how images are prepared, besides the number of images and the
  shape of one image's features;
- ``features.npy``: float16, (N, ...), its rows in the order of
- ``keys.bin``: 16 bytes for each row that is done, see :func:`sample_key`. It grows
  after the rows themselves are on the disk, so a killed writing goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mmpar.structures.plain_data import parse_json, require_fields, require_type
from mmpar.utils.array_files import map_array
from mmpar.utils.atomic import write_atomically

KEY_BYTES = 16
_IDENTITY = ("img_path", "bbox", "seed", "person", "image_size")
"""What says which pixels a sample shows; the last three of SyntheticPAR."""
_REMEDY = "cache the features again, with tools/cache_features.py"


def sample_key(sample: Mapping[str, Any]) -> bytes:
    """Which image a sample is: its path, the bytes of its file, the person's box.

    The size of the file is known of local files only.

    Args:
        sample: What a dataset hands to its pipeline.
    """
    found = {name: sample[name] for name in _IDENTITY if name in sample}
    path = str(sample["img_path"])
    size = os.path.getsize(path) if os.path.isfile(path) else None
    text = json.dumps([found, size], default=_as_list, sort_keys=True)
    return hashlib.sha256(text.encode()).digest()[:KEY_BYTES]


def _as_list(value: Any) -> Any:
    return np.asarray(value).tolist()


class FeatureCache:
    """A complete cache, open for reading.

    Args:
        folder: Where it is.
        fingerprint: What the features must be of: any of the entries that
            ``cache.json`` has under this name. Others are not compared.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It is not complete, damaged, or of something else.
    """

    def __init__(self, folder: str | Path, fingerprint: Mapping[str, Any]) -> None:
        self.folder = Path(folder)
        note = _read_note(self.folder)
        _require_same(self.folder, note["fingerprint"], fingerprint)
        keys = _read_keys(self.folder)
        if len(keys) != note["num_images"]:
            raise ValueError(
                f"the cache {folder} holds {len(keys)} of {note['num_images']} images; "
                "run tools/cache_features.py again, which goes on where it was"
            )
        self._rows = {key: row for row, key in enumerate(keys)}
        self._features = _map_features(self.folder, "r")
        if len(self._features) != note["num_images"] or len(self._rows) < len(keys):
            raise ValueError(
                f"{folder} has the features of {len(self._features)} images and keys "
                f"of {len(self._rows)}, expected {note['num_images']}; {_REMEDY}"
            )

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: bytes) -> np.ndarray:
        """Features of an image, float16.

        Raises:
            KeyError: It is not in the cache, or its file has changed.
        """
        if key not in self._rows:
            raise KeyError(
                f"the cache {self.folder} has no features of this image, or of its "
                f"file as it is now; {_REMEDY}"
            )
        return self._features[self._rows[key]]


class FeatureCacheWriter:
    """Writes a cache row by row, from where an earlier writing stopped.

    Args:
        folder: Where it is, or will be.
        fingerprint: Plain data that say what the features are of.
        keys: Of all images, each once, in order.

    Raises:
        ValueError: The folder holds features of something else, or of other images.
    """

    def __init__(
        self, folder: str | Path, fingerprint: Mapping[str, Any], keys: Sequence[bytes]
    ) -> None:
        self.folder = Path(folder)
        self._fingerprint, self._keys = dict(fingerprint), list(keys)
        self.num_done = 0
        if (self.folder / "cache.json").exists():
            self._resume()

    def _resume(self) -> None:
        note = _read_note(self.folder)
        _require_same(self.folder, note["fingerprint"], self._fingerprint)
        done = _read_keys(self.folder)
        if note["num_images"] != len(self._keys) or done != self._keys[: len(done)]:
            raise ValueError(
                f"the cache {self.folder} was begun with {note['num_images']} images, "
                f"which are not the {len(self._keys)} of now, or their files have "
                "changed since; delete the folder to begin anew"
            )
        self.num_done = len(done)

    def append(self, features: np.ndarray) -> None:
        """Write the next rows, and have them on the disk.

        Args:
            features: ``(n, ...)`` of the next n images.

        Raises:
            ValueError: They have another shape than those before, or are not finite in
                half precision.
        """
        half = features.astype(np.float16)
        end = self.num_done + len(half)
        if not np.isfinite(half).all():
            raise ValueError(
                f"features of the images {self.num_done} to {end - 1} are not finite "
                "in half precision; are the weights those of this tower?"
            )
        rows = self._open(half.shape[1:])
        rows[self.num_done : end] = half
        rows.flush()
        with (self.folder / "keys.bin").open("r+b") as file:
            file.seek(self.num_done * KEY_BYTES)
            file.truncate()  # of a key that a killed writing left torn
            file.write(b"".join(self._keys[self.num_done : end]))
            file.flush()
            os.fsync(file.fileno())
        self.num_done = end

    def _open(self, shape: tuple[int, ...]) -> np.memmap:
        path = self.folder / "features.npy"
        if not (self.folder / "cache.json").exists():
            self._begin(path, shape)
        rows = _map_features(self.folder, "r+")
        if rows.shape != (len(self._keys), *shape):
            raise ValueError(
                f"features of an image have the shape {shape}, but the cache "
                f"{self.folder} has rows of {rows.shape[1:]}; {_REMEDY}"
            )
        return rows

    def _begin(self, path: Path, shape: tuple[int, ...]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        whole = (len(self._keys), *shape)
        size, free = 2 * math.prod(whole), shutil.disk_usage(self.folder).free
        if size > free:  # a mapped file that the disk cannot hold ends the process
            raise OSError(
                f"{self.folder} needs {size / 1e9:.1f} GB, and {free / 1e9:.1f} are "
                "free; name a folder on another disk as cache"
            )
        np.lib.format.open_memmap(path, "w+", np.float16, whole).flush()
        (self.folder / "keys.bin").write_bytes(b"")
        note = dict(fingerprint=self._fingerprint, num_images=len(self._keys))
        write_atomically(self.folder / "cache.json", json.dumps(note, indent=2))


def read_fingerprint(folder: str | Path) -> dict[str, Any]:
    """What the features of a cache are of.

    Raises:
        FileNotFoundError: There is no cache.
        ValueError: Its note is damaged.
    """
    return _read_note(Path(folder))["fingerprint"]


def _read_note(folder: Path) -> dict[str, Any]:
    file = folder / "cache.json"
    try:
        note = parse_json(file.read_text(encoding="utf-8"), str(file))
        require_fields(note, ("fingerprint", "num_images"), str(file))
        require_type(note["fingerprint"], dict, f"fingerprint in {file}")
        require_type(note["num_images"], int, f"num_images in {file}")
    except FileNotFoundError:
        raise FileNotFoundError(
            f"there are no cached features in {folder}; {_REMEDY}"
        ) from None
    except ValueError as error:
        raise ValueError(
            f"the note of the cache {folder}: {error}; {_REMEDY}"
        ) from error
    return note


def _map_features(folder: Path, mode: Literal["r", "r+"]) -> np.memmap:
    file = folder / "features.npy"
    if not file.is_file():
        raise FileNotFoundError(f"the cache {folder} lacks {file.name}; {_REMEDY}")
    features = map_array(file, _REMEDY, mode)
    if features.dtype != np.float16 or features.ndim < 2:
        raise ValueError(
            f"{file} is an array of {features.dtype} {features.shape}, expected "
            f"float16 (N, ...); {_REMEDY}"
        )
    return features


def _read_keys(folder: Path) -> list[bytes]:
    content = (folder / "keys.bin").read_bytes()
    whole = len(content) - len(content) % KEY_BYTES
    return [content[i : i + KEY_BYTES] for i in range(0, whole, KEY_BYTES)]


def _require_same(
    folder: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    differ = [
        f"{name} {found.get(name)!r}, now {value!r}"
        for name, value in wanted.items()
        if found.get(name) != value
    ]
    if differ:
        raise ValueError(
            f"the features in {folder} are of another tower: {'; '.join(differ)}. "
            "Delete the folder and cache them again, or name another one"
        )
