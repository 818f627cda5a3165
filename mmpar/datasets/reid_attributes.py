"""Market-1501-attribute and DukeMTMC-attribute: labels of persons, given to boxes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from mmengine import fileio

from mmpar.datasets.base import PARDataset
from mmpar.datasets.file_backends import ImageArchive, archive_of, is_local
from mmpar.datasets.formats import matlab
from mmpar.datasets.formats.annotation import UNKNOWN, Annotation, LabelMap, pack_paths
from mmpar.registry import DATASETS
from mmpar.structures import build_schema

_LABEL_MAP: LabelMap = {0.0: UNKNOWN, 1.0: 0, 2.0: 1}
_IMAGE = re.compile(r".*\.(?:jpe?g|png|bmp)$", re.IGNORECASE)
_BOX = re.compile(r"(-1|\d+)_c(\d+)")
_NO_PERSON = ("-1", "0000")
"""Junk boxes and distractors of the galleries."""


def read_reid_attributes(
    path: str,
    variable: str,
    part: str,
    multi_class: Mapping[str, Sequence[str]] | None = None,
) -> Annotation:
    """Read the labels of the identities of ``'train'`` or ``'test'``.

    The file is a struct of the structs ``train`` and ``test``, each with one 1 x I row
    per field and the identities as ``image_index``. The two name their fields in
    different orders, so fields are taken by name. A value is 1 (no) or 2 (yes); 0,
    which is once in Duke's ``top``, is unknown. A multi-class field counts its classes
    from 1.

    Args:
        path: The ``.mat`` file.
        variable: Name of the outer struct.
        part: ``'train'`` or ``'test'``.
        multi_class: Field to the names of the columns that its classes become.

    Returns:
        One row per identity, which is in place of the image, e.g. ``'0002'``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A field is missing or is not as the release has it.
    """
    fields = matlab.read_mat(path)
    both = matlab.struct(matlab.field(fields, variable, path), f"{path}, {variable}")
    where = f"{path}, {variable}.{part}"
    struct = matlab.struct(matlab.field(both, part, f"{path}, {variable}"), where)
    index = matlab.field(struct, "image_index", where)
    identities = matlab.strings(index, f"{where}.image_index")
    columns: dict[str, np.ndarray] = {}
    for name, classes in (multi_class or {}).items():
        values = _row(struct, name, where, len(identities))
        wrong = np.flatnonzero(~np.isin(values, range(1, len(classes) + 1)))
        if len(wrong):
            raise ValueError(
                f"{where}.{name}: identity {identities[wrong[0]]} has the value "
                f"{values[wrong[0]]}; expected a class from 1 to {len(classes)}"
            )
        columns.update({c: 1 + (values == i) for i, c in enumerate(classes, start=1)})
    for name in struct:
        if name not in ("image_index", *(multi_class or ())):
            columns[name] = _row(struct, name, where, len(identities))
    return Annotation(
        source=where,
        attributes=list(columns),
        images=pack_paths(identities),
        labels=np.stack(list(columns.values()), axis=1),
        label_map=_LABEL_MAP,
    )


def _row(struct: dict, name: str, where: str, count: int) -> np.ndarray:
    values = np.asarray(matlab.field(struct, name, where)).ravel()
    if len(values) != count:
        raise ValueError(
            f"{where}.{name} has {len(values)} values and image_index {count}; they "
            "should agree"
        )
    return values


class ReIDAttributeDataset(PARDataset):
    """Base of the datasets that label persons, in the folders of re-identification.

    ::

        data_root/
            attribute/market_attribute.mat    (or market_attribute.mat)
            bounding_box_train/0002_c1s1_000451_03.jpg ...
            bounding_box_test/ ...
            query/ ...

    Attributes and boxes may be where they are unpacked, in the folders ``ANN_DIRS``
    and ``IMAGE_ROOTS`` below ``data_root``.

    A box has the labels of its person, and ``person_id`` and ``camera`` from its name.
    Junk and distractor boxes of the gallery (persons -1 and 0000), which have no
    labels, are dropped; ``dropped`` counts them.

    Args:
        split: ``'train'``, ``'test'`` (the gallery) or ``'query'``. There is no
            published validation split; ``'trainval'`` is another name of ``'train'``.
        kwargs: As for :class:`PARDataset`; there are no partitions.
    """

    SPLITS = ("train", "trainval", "test", "query")
    TRAINVAL = ("train",)
    ANN_DIRS: tuple[str, ...] = ("attribute",)
    IMAGE_DIRS = ("",)
    IMAGE_ROOTS: tuple[str, ...] = ()
    """Folders that the archive of the boxes unpacks to."""
    SCHEMA: str
    VARIABLE = ""
    MULTI_CLASS: Mapping[str, Sequence[str]] = {}
    FOLDERS = dict(
        train="bounding_box_train",
        trainval="bounding_box_train",
        test="bounding_box_test",
        query="query",
    )

    dropped: int = 0

    @classmethod
    def _choices(cls, ann_file: str) -> list[dict[str, Any]]:
        if (ann_file or cls.ANN_FILE).lower().endswith(".mat"):
            return [dict(split=split) for split in cls.FOLDERS]
        return super()._choices(ann_file)

    def _image_dir(self) -> str:
        """``data_root``, or the one of ``IMAGE_ROOTS`` that has the split's folder."""
        if archive_of(self.backend_args) is not None:
            return ""
        folder = self.FOLDERS.get(self.split, "")
        roots = (fileio.join_path(self.data_root, root) for root in self.IMAGE_ROOTS)
        if is_local(self.data_root, self.backend_args):
            for root in (self.data_root, *roots):
                if fileio.isdir(fileio.join_path(root, folder)):
                    return root
        return self.data_root

    def read_annotation(self) -> Annotation:
        if not self.ann_file.lower().endswith(".mat"):
            return super().read_annotation()
        if self.split not in self.FOLDERS:
            raise ValueError(
                f"{type(self).__name__} has the splits {list(self.SPLITS)}, got "
                f"split={self.split!r}"
            )
        part = "train" if self.split in ("train", "trainval") else "test"
        found = read_reid_attributes(
            self.ann_file, self.VARIABLE, part, self.MULTI_CLASS
        )
        folder = self.FOLDERS[self.split]
        boxes = self._boxes(folder)
        row_of = {name: row for row, name in enumerate(found.images)}
        unknown = sorted({person for _, person, _ in boxes if person not in row_of})
        if unknown:
            raise ValueError(
                f"{self.ann_file} ({part}) has no labels for {len(unknown)} persons "
                f"of {folder}, first {unknown[:3]}; are both of one release?"
            )
        names = build_schema(self.SCHEMA).names
        rows = [row_of[person] for _, person, _ in boxes]
        return replace(
            found,
            attributes=names,
            images=pack_paths(f"{folder}/{name}" for name, _, _ in boxes),
            labels=found.labels[rows][:, found.positions(names)],
            partitions={self.split: {0: np.arange(len(boxes))}},
            columns={
                "person_id": np.array([int(person) for _, person, _ in boxes], int),
                "camera": np.array([camera for _, _, camera in boxes], np.int16),
            },
        )

    def _boxes(self, folder: str) -> list[tuple[str, str, int]]:
        """File name, person and camera of each box, sorted; others are an error."""
        boxes = []
        self.dropped = 0
        for name in sorted(self._file_names(folder)):
            if not _IMAGE.match(name):
                continue  # Market-1501's Thumbs.db
            match = _BOX.match(name)
            if match is None:
                raise ValueError(
                    f"{folder}/{name}: expected a name as 0002_c1s1_000451_03.jpg, "
                    "the person first, then the camera"
                )
            if match.group(1) in _NO_PERSON:
                self.dropped += 1
            else:
                boxes.append((name, match.group(1), int(match.group(2))))
        return boxes

    def _file_names(self, folder: str) -> Iterable[str]:
        archive = archive_of(self.backend_args)
        if archive is not None:
            return _names_in(archive, self.full_path(folder))
        root = self._image_dir() if self._find_images else self.img_prefix
        more = dict(backend_args=self.backend_args)
        path = fileio.join_path(root, folder, **more)
        names = []
        if fileio.isdir(path, **more):
            names = list(fileio.list_dir_or_file(path, list_dir=False, **more))
        if not names:
            raise FileNotFoundError(
                f"no image folder {path!r}; check data_root and data_prefix"
            )
        return names

    def extra_repr(self) -> list[str]:
        return [*super().extra_repr(), f"Distractor boxes dropped: \t{self.dropped}"]


def _names_in(archive: ImageArchive, folder: str) -> list[str]:
    start = f"{folder}/"
    names = [n[len(start) :] for n in archive.names() if n.startswith(start)]
    if not names:
        raise FileNotFoundError(
            f"the archive has no image below {start!r}; check data_prefix and "
            "backend_args, or pack the release from its data_root"
        )
    return names


@DATASETS.register_module()
class Market1501Attribute(ReIDAttributeDataset):
    """Market-1501-attribute (Lin et al., Pattern Recognition 2019).

    751 persons in 12,936 training boxes, 750 in the gallery of 19,732 boxes (junk and
    distractors included) and 3,368 queries. The 27 attributes become 30 columns, as
    age has four values.

    Args:
        kwargs: As for :class:`ReIDAttributeDataset`.
    """

    METAINFO = dict(dataset_name="Market-1501-attribute")
    SCHEMA = "market1501"
    VARIABLE = "market_attribute"
    NUM_IMAGES = dict(train=12_936, trainval=12_936, query=3_368)
    ANN_FILE = "market_attribute.mat"
    KNOWN_FLAWS = {"never present": ("downpurple",)}  # none of the test persons
    ANN_DIRS = (
        "attribute",
        "Market-1501_Attribute",
        "Market-1501_Attribute-master",
    )
    IMAGE_ROOTS = ("Market-1501-v15.09.15", "Market-1501")
    MULTI_CLASS = {"age": ("age-young", "age-teenager", "age-adult", "age-old")}


@DATASETS.register_module()
class DukeMTMCAttribute(ReIDAttributeDataset):
    """DukeMTMC-attribute (Lin et al., Pattern Recognition 2019), 23 attributes.

    702 persons in 16,522 training boxes, 1,110 in the gallery of 17,661 boxes and
    2,228 queries.

    Args:
        kwargs: As for :class:`ReIDAttributeDataset`.
    """

    METAINFO = dict(dataset_name="DukeMTMC-attribute")
    SCHEMA = "dukemtmc"
    VARIABLE = "duke_attribute"
    NUM_IMAGES = dict(train=16_522, trainval=16_522, test=17_661, query=2_228)
    ANN_FILE = "duke_attribute.mat"
    ANN_DIRS = ("attribute", "DukeMTMC-attribute", "DukeMTMC-attribute-master")
    IMAGE_ROOTS = ("DukeMTMC-reID",)
