"""Drawn people kept for the next time: in memory, or as PNG files."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mmpar.datasets.drawing.person import DrawnPerson, draw_person

_PLACES = ("labels", "attribute_boxes", "keypoints", "person_box")
_KEY = "mmpar"
_MOST_PIXELS = 1 << 24
"""Of a drawn person; more are those of a damaged header."""
_DAMAGED = (
    *(OSError, SyntaxError, LookupError, TypeError, ValueError, RecursionError),
    *(struct.error, Image.DecompressionBombError),
)
"""What Pillow, JSON and NumPy raise of a file that is not as it was written."""


class PersonSource:
    """People of one seed and size, by number.

    Args:
        seed: As for :func:`draw_person`.
        size: Width and height in pixels.
        cache: ``None`` draws each time; ``'memory'`` keeps all in the memory of the
            process (each data loader worker has its own); else a folder for PNG files
            that processes may share. A folder holds versions by the drawing code: what
            another version drew is never taken.
    """

    def __init__(
        self, seed: int, size: tuple[int, int], cache: str | None = None
    ) -> None:
        self.seed = seed
        self.size = size
        self._memory: dict[int, DrawnPerson] | None = None
        self._folder: Path | None = None
        if cache == "memory":
            self._memory = {}
        elif cache is not None:
            width, height = size
            name = f"{drawing_version()}_seed{seed}_{width}x{height}"
            self._folder = Path(cache).expanduser() / name

    def __call__(self, index: int) -> DrawnPerson:
        """The person with this number."""
        if self._memory is not None:
            if index not in self._memory:
                self._memory[index] = draw_person(self.seed, index, self.size)
            return self._memory[index]
        if self._folder is None:
            return draw_person(self.seed, index, self.size)
        path = self._folder / f"{index // 1000}" / f"{index}.png"
        person = read_person(path)
        if person is None:
            person = draw_person(self.seed, index, self.size)
            write_person(path, person)
        return person


def write_person(path: Path, person: DrawnPerson) -> None:
    """Write a picture with labels and places in it, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    notes = PngInfo()
    places = {name: getattr(person, name) for name in _PLACES}
    lists = {name: _without_nan(places[name].tolist()) for name in _PLACES}
    notes.add_text(_KEY, json.dumps(lists))
    handle, unfinished = tempfile.mkstemp(suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            image = Image.fromarray(person.image)
            image.save(file, "PNG", pnginfo=notes, compress_level=1)
        os.replace(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise


def read_person(path: Path) -> DrawnPerson | None:
    """Read what :func:`write_person` wrote; ``None`` if absent or damaged.

    A damaged file needs no error: the caller draws the same picture again.
    """
    try:
        with Image.open(path) as image:
            if image.width * image.height > _MOST_PIXELS:
                return None
            pixels = np.array(image.convert("RGB"))
            places = json.loads(image.info[_KEY])
        return DrawnPerson(
            image=pixels,
            labels=np.array(places["labels"], np.int8),
            **{name: np.array(places[name], np.float32) for name in _PLACES[1:]},
        )
    except _DAMAGED:
        return None


@lru_cache(maxsize=1)
def drawing_version() -> str:
    """Short digest of the drawing code."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _without_nan(value):
    """Nested lists with ``None`` in place of NaN, which JSON lacks."""
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if value != value else value
