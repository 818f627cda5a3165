"""PETA as its authors' archive unpacks, ten folders, into the release's images."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from mmpar.datasets.formats.files import read_utf8
from mmpar.datasets.peta import SOURCES, read_peta
from mmpar.structures import SCHEMAS
from mmpar.utils.atomic import write_atomically
from mmpar.utils.image_decoding import decode_image

FOLDERS = tuple("i-LID" if name == "i-LIDS" else name for name in SOURCES)
COUNTS = (1012, 1220, 4563, 1275, 477, 888, 1134, 200, 6967, 1264)
"""Images of each folder, as the paper gives them."""

NAMES = SCHEMAS["peta105"].names
_ENDINGS = (".bmp", ".png", ".jpg", ".jpeg")
_RENAMED = {"footwearSneakers": "footwearSneaker"}
_DROPPED = {
    "accessoryFaceMask",
    "accessoryShawl",
    "lowerBodyLogo",
    "lowerBodyThickStripes",
}
"""Attributes of the folders' lists that the release's 105 do not have."""


class PETAFolders(NamedTuple):
    """All N images, in the order of the rows of ``PETA.mat``."""

    files: list[Path]
    numbers: np.ndarray
    """Person as the file's name counts it within its folder, int64, (N,)."""
    domains: np.ndarray
    """Folder, from 1, int64, (N,)."""
    labels: np.ndarray
    """int8, (N, 105), in the order of the schema ``peta105``."""

    def person_ids(self) -> np.ndarray:
        """As column 2 of ``PETA.mat``: persons in the order of folder and number."""
        both = np.stack([self.domains, self.numbers], axis=1)
        return np.unique(both, axis=0, return_inverse=True)[1].ravel() + 1


def read_peta_folders(root: Path, counts: Sequence[int] = COUNTS) -> PETAFolders:
    """Read the folders that the authors' archive unpacks to.

    ::

        root/3DPeS/archive/Label.txt, 100_3_FRAME_26_RGB.bmp, ...
        root/CAVIAR4REID/archive/Label.txt, 0001_001.jpg, ...

    A line of ``Label.txt`` is the number of a person (in CUHK the name of an image),
    then the attributes present. Row i of ``PETA.mat`` is the i-th image when the
    folders are taken in the order of ``FOLDERS`` and the images of each by the bytes
    of their names.

    Args:
        root: The folder, ``PETA dataset``.
        counts: Images that each folder should have; one too many or too few would
            give every later image another's labels.

    Raises:
        FileNotFoundError: A folder or its ``Label.txt`` is missing.
        ValueError: A folder does not have the expected number of images, an image has
            no line, or a line names an unknown attribute.
    """
    files: list[Path] = []
    numbers: list[int] = []
    domains: list[int] = []
    labels: list[np.ndarray] = []
    for domain, (source, count) in enumerate(zip(FOLDERS, counts), start=1):
        folder = _folder(root, source)
        found = _images(folder)
        if len(found) != count:
            raise ValueError(
                f"{folder} has {len(found)} images, expected {count}; unpack it again"
            )
        rows = _label_rows(folder / "Label.txt")
        for file in found:
            number = _number(file.name, str(file))
            if number not in rows:
                raise ValueError(f"{folder / 'Label.txt'} has no line for {file.name}")
            files.append(file)
            numbers.append(number)
            domains.append(domain)
            labels.append(rows[number])
    return PETAFolders(
        files, np.array(numbers), np.array(domains), np.array(labels, np.int8)
    )


def convert(
    root: Path,
    out: Path,
    mat: Path | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> PETAFolders:
    """Write the release's ``images/00001.png`` ... and ``labels.csv`` to ``out``.

    An existing image is left alone, so an interrupted run continues.

    Args:
        root: As for :func:`read_peta_folders`.
        out: Folder to write to, the ``data_root`` of :class:`PETA`.
        mat: ``PETA.mat``, against which persons and labels are checked; by default
            that of ``out``, if there is one.
        report: Called with the number of images written, and in all.

    Raises:
        FileNotFoundError, ValueError: As :func:`read_peta_folders`, or the folders
            differ from ``PETA.mat``.
    """
    own = out / "PETA.mat"
    mat = mat or (own if own.exists() else None)
    release = read_peta(str(mat)) if mat else None
    counts: Sequence[int] = COUNTS
    if release is not None:
        domains = np.asarray(release.columns["domain"])
        counts = np.bincount(domains, minlength=len(FOLDERS) + 1)[1:].tolist()
    found = read_peta_folders(root, counts)
    if release is not None:
        labels = np.asarray(release.labels)[:, release.positions(NAMES)]
        _check(found, labels, np.asarray(release.columns["person_id"]), str(mat))
    (out / "images").mkdir(parents=True, exist_ok=True)
    for i, file in enumerate(found.files, start=1):
        _write_png(file, out / "images" / f"{i:05}.png")
        report(i, len(found.files))
    _write_labels(found, out / "labels.csv")
    return found


def _folder(root: Path, source: str) -> Path:
    places = [root / source / "archive", root / f"{source}S" / "archive", root / source]
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f"no folder {places[0]}; give the folder that holds {list(FOLDERS)}"
    )


def _images(folder: Path) -> list[Path]:
    names = [n for n in os.listdir(folder) if n.lower().endswith(_ENDINGS)]
    return [folder / name for name in sorted(names, key=os.fsencode)]


def _number(name: str, where: str) -> int:
    """The person's number, with which an image's name begins."""
    match = re.match(r"\d{1,9}(?=[_.]|$)", name)
    if match is None:
        raise ValueError(f"{where}: {name!r} does not begin with a person's number")
    return int(match.group())


def _label_rows(path: Path) -> Mapping[int, np.ndarray]:
    position = {name: i for i, name in enumerate(NAMES)}
    rows: dict[int, np.ndarray] = {}
    for line_number, line in enumerate(read_utf8(str(path)).splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {line_number}"
        first, *words = line.split()
        names = [_RENAMED.get(word, word) for word in words if word not in _DROPPED]
        unknown = [name for name in names if name not in position]
        if unknown:
            raise ValueError(f"{where}: {unknown} are not attributes of PETA")
        row = np.zeros(len(position), np.int8)
        row[[position[name] for name in names]] = 1
        number = _number(first, where)
        if not np.array_equal(rows.setdefault(number, row), row):
            raise ValueError(
                f"{where}: {first} has different labels in an earlier line"
            )
    return rows


def _check(
    found: PETAFolders, labels: np.ndarray, persons: np.ndarray, mat: str
) -> None:
    """Raise unless both say the same of each image."""
    others = np.flatnonzero(found.person_ids() != persons)
    if len(others):
        i = int(others[0])
        raise ValueError(
            f"{found.files[i]} is of person {found.person_ids()[i]}, but row {i + 1} "
            f"of {mat} of {persons[i]}; {len(others)} images differ. Are both complete?"
        )
    differing = np.argwhere(found.labels != labels)
    if len(differing):
        i, k = (int(n) for n in differing[0])
        raise ValueError(
            f"{found.files[i].parent / 'Label.txt'} says {NAMES[k]}="
            f"{found.labels[i, k]} of {found.files[i].name}, but row {i + 1} of {mat} "
            f"{labels[i, k]}; {len(differing)} labels differ"
        )


def _write_png(source: Path, target: Path) -> None:
    if target.exists():
        return
    pixels = decode_image(source.read_bytes(), str(source), use_exif=False)
    png = io.BytesIO()
    Image.fromarray(pixels[..., ::-1]).save(png, "PNG")
    write_atomically(target, png.getvalue())


def _write_labels(found: PETAFolders, path: Path) -> None:
    paths = [f"{i:05}.png" for i in range(1, 1 + len(found.files))]
    about = dict(path=paths, person_id=found.person_ids(), domain=found.domains)
    labels = pd.DataFrame(found.labels, columns=list(NAMES))
    table = pd.concat([pd.DataFrame(about), labels], axis=1)
    write_atomically(path, table.to_csv(index=False))
