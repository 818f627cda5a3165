"""``market_attribute.mat`` and ``duke_attribute.mat``: attributes of identities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from mmengine import fileio

from mmpar.datasets.file_backends import ImageArchive, archive_of, is_local
from mmpar.datasets.formats import AnnotationTable, matlab
from mmpar.datasets.formats.annotation import UNKNOWN, LabelMap
from mmpar.datasets.release import ReleaseDataset
from mmpar.registry import DATASETS
from mmpar.structures import AttributeSchema

_CODING: LabelMap = {0.0: UNKNOWN, 1.0: 0, 2.0: 1}


class IdentityAttributes(NamedTuple):
    """Labels of I identities."""

    identities: list[str]
    """As in the picture names, e.g. ``'0002'``."""
    labels: np.ndarray
    """int8, shape (I, A)."""


def read_identity_attributes(
    path: str,
    variable: str,
    part: str,
    names: Sequence[str],
    multi_class: Mapping[str, Sequence[str]] | None = None,
    label_map: LabelMap | None = None,
) -> IdentityAttributes:
    """Read the labels of ``'train'`` or ``'test'``.

    The file is a struct of the structs ``train`` and ``test``, each with one 1 x I row
    a field and the identities as ``image_index``. The two name their fields in
    different orders, so fields are taken by name. A value is 1 (no) or 2 (yes); 0,
    which stands once in Duke's ``top``, is unknown. A multi-class field counts its
    classes from 1.

    Args:
        path: The ``.mat`` file.
        variable: Name of the outer struct.
        part: ``'train'`` or ``'test'``.
        names: The columns wanted.
        multi_class: Field to the names of the columns that its classes become.
        label_map: What means something else in the other fields.

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
    coding = {
        value: label
        for value, label in {**_CODING, **(label_map or {})}.items()
        if isinstance(value, float)
    }
    for name, classes in (multi_class or {}).items():
        values = _row(struct, name, where, len(identities))
        _check(values, range(1, len(classes) + 1), name, where, identities)
        columns.update({c: values == i for i, c in enumerate(classes, start=1)})
    for name in names:
        if name not in columns:
            values = _row(struct, name, where, len(identities))
            _check(values, coding, name, where, identities)
            columns[name] = np.vectorize(coding.get)(values)
    labels = np.stack([columns[name] for name in names], axis=1).astype(np.int8)
    return IdentityAttributes(identities, labels)


def _row(struct: dict, name: str, where: str, count: int) -> np.ndarray:
    values = np.asarray(matlab.field(struct, name, where)).ravel()
    if len(values) != count:
        raise ValueError(
            f"{where}.{name} has {len(values)} values and image_index {count}; they "
            "should agree"
        )
    return values


def _check(
    values: np.ndarray,
    allowed: Mapping | range,
    name: str,
    where: str,
    identities: Sequence[str],
) -> None:
    wrong = np.flatnonzero(~np.isin(values, list(allowed)))
    if len(wrong):
        raise ValueError(
            f"{where}.{name}: identity {identities[wrong[0]]} has the value "
            f"{values[wrong[0]]}; expected one of {list(allowed)}"
        )


_PICTURE = re.compile(r".*\.(?:jpe?g|png|bmp)$", re.IGNORECASE)
_BOX = re.compile(r"(-1|\d+)_c(\d+)")
_NO_PERSON = ("-1", "0000")
"""Junk boxes and distractors of the galleries."""


class IdentityAttributeDataset(ReleaseDataset):
    """Base of the data sets that label persons, in the folders of re-identification.

    ::

        data_root/
            attribute/market_attribute.mat    (or market_attribute.mat)
            bounding_box_train/0002_c1s1_000451_03.jpg ...
            bounding_box_test/ ...
            query/ ...

    Attributes and boxes may lie as they are unpacked, in the folders ``ANN_FOLDERS``
    and ``PICTURE_ROOTS`` below ``data_root``.

    A box has the labels of its person, and ``person_id`` and ``camera`` from its name.
    Junk and distractor boxes of the gallery (persons -1 and 0000), which nobody has
    labelled, are left out; ``dropped`` counts them.

    Args:
        split: ``'train'``, ``'test'`` (the gallery) or ``'query'``. There is no
            published validation split; ``'trainval'`` is another name of ``'train'``.
        kwargs: As for :class:`ReleaseDataset`; there are no partitions.
    """

    SPLITS = ("train", "trainval", "test", "query")
    TRAINVAL = ("train",)
    ANN_FOLDERS: tuple[str, ...] = ("attribute",)
    PICTURE_ROOTS: tuple[str, ...] = ()
    """Folders that the archive of the boxes unpacks to."""
    VARIABLE = ""
    MULTI_CLASS: Mapping[str, Sequence[str]] = {}
    FOLDERS = dict(
        train="bounding_box_train",
        trainval="bounding_box_train",
        test="bounding_box_test",
        query="query",
    )

    dropped: int = 0

    def _start_prefix_at_root(self) -> None:
        super()._start_prefix_at_root()
        if self._find_pictures and is_local(self.img_prefix, self.backend_args):
            roots = (fileio.join_path(self.img_prefix, r) for r in self.PICTURE_ROOTS)
            folder = self.FOLDERS.get(self.split, "")
            if not fileio.isdir(fileio.join_path(self.img_prefix, folder)):
                there = (r for r in roots if fileio.isdir(fileio.join_path(r, folder)))
                self.data_prefix["img_path"] = next(there, self.img_prefix)

    def _splits_in_file(self) -> dict[str, list[int]]:
        if self._ending() != ".mat":
            return super()._splits_in_file()
        matlab.read_mat(self.ann_file)  # a faulty one is an error
        self._start_prefix_at_root()
        return {split: [0] for split in self.FOLDERS if self._has_boxes_of(split)}

    def _has_boxes_of(self, split: str) -> bool:
        try:
            return bool(self._file_names(self.FOLDERS[split]))
        except FileNotFoundError:
            return False

    def _all(self) -> AttributeSchema:
        if self._ending() != ".mat":
            return super()._all()
        return self.resolve_schema(self.SCHEMA)  # the release has no others

    def load_annotations(self) -> AnnotationTable:
        self._start_prefix_at_root()
        if self._ending() != ".mat":
            return super().load_annotations()
        if self.partition:
            raise ValueError(
                f"{type(self).__name__} has one partition, got {self.partition}"
            )
        if self.split not in self.FOLDERS:
            raise ValueError(
                f"{type(self).__name__} has the splits {list(self.SPLITS)}, got "
                f"split={self.split!r}"
            )
        part = "train" if self.split in ("train", "trainval") else "test"
        found = read_identity_attributes(
            self.ann_file,
            self.VARIABLE,
            part,
            self.schema.names,
            self.MULTI_CLASS,
            self.label_map,
        )
        folder = self.FOLDERS[self.split]
        boxes = self._boxes(folder)
        row_of = {name: row for row, name in enumerate(found.identities)}
        unknown = sorted({person for _, person, _ in boxes if person not in row_of})
        if unknown:
            raise ValueError(
                f"{self.ann_file} ({part}) has no labels for {len(unknown)} persons "
                f"of {folder}, first {unknown[:3]}; are both of one release?"
            )
        return AnnotationTable.of(
            [f"{folder}/{name}" for name, _, _ in boxes],
            found.labels[[row_of[person] for _, person, _ in boxes]],
            {
                "person_id": np.array([int(person) for _, person, _ in boxes], int),
                "camera": np.array([camera for _, _, camera in boxes], np.int16),
            },
        )

    def _boxes(self, folder: str) -> list[tuple[str, str, int]]:
        """File name, person and camera of each box, sorted; others are an error."""
        boxes = []
        self.dropped = 0
        for name in sorted(self._file_names(folder)):
            if not _PICTURE.match(name):
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
            return _names_in(archive, self._full_path(folder))
        path = fileio.join_path(self.img_prefix, folder, backend_args=self.backend_args)
        if not fileio.isdir(path, backend_args=self.backend_args):
            raise FileNotFoundError(
                f"no picture folder {path!r}; check data_root and data_prefix"
            )
        return fileio.list_dir_or_file(
            path, list_dir=False, backend_args=self.backend_args
        )

    def extra_repr(self) -> list[str]:
        return [*super().extra_repr(), f"Boxes of nobody left out: \t{self.dropped}"]


def _names_in(archive: ImageArchive, folder: str) -> list[str]:
    start = f"{folder}/"
    names = [n[len(start) :] for n in archive.names() if n.startswith(start)]
    if not names:
        raise FileNotFoundError(
            f"the archive has no picture below {start!r}; check data_prefix and "
            "backend_args, or pack the release from its data_root"
        )
    return names


@DATASETS.register_module()
class Market1501Attribute(IdentityAttributeDataset):
    """Market-1501-attribute (Lin et al., Pattern Recognition 2019).

    751 persons in 12,936 training boxes, 750 in the gallery of 19,732 boxes (junk and
    distractors included) and 3,368 queries. The 27 attributes become 30 columns, as
    age has four values.

    Args:
        kwargs: As for :class:`IdentityAttributeDataset`.
    """

    METAINFO = dict(dataset_name="Market-1501-attribute")
    SCHEMA = "market1501"
    VARIABLE = "market_attribute"
    SIZES = dict(train=12_936, trainval=12_936, query=3_368)
    ANN_FILE = "market_attribute.mat"
    KNOWN_FLAWS = {"never present": ("downpurple",)}  # nobody of the test persons
    ANN_FOLDERS = (
        "attribute",
        "Market-1501_Attribute",
        "Market-1501_Attribute-master",
    )
    PICTURE_ROOTS = ("Market-1501-v15.09.15", "Market-1501")
    MULTI_CLASS = {"age": ("age-young", "age-teenager", "age-adult", "age-old")}


@DATASETS.register_module()
class DukeMTMCAttribute(IdentityAttributeDataset):
    """DukeMTMC-attribute (Lin et al., Pattern Recognition 2019), 23 attributes.

    702 persons in 16,522 training boxes, 1,110 in the gallery of 17,661 boxes and
    2,228 queries.

    Args:
        kwargs: As for :class:`IdentityAttributeDataset`.
    """

    METAINFO = dict(dataset_name="DukeMTMC-attribute")
    SCHEMA = "dukemtmc"
    VARIABLE = "duke_attribute"
    SIZES = dict(train=16_522, trainval=16_522, test=17_661, query=2_228)
    ANN_FILE = "duke_attribute.mat"
    ANN_FOLDERS = ("attribute", "DukeMTMC-attribute", "DukeMTMC-attribute-master")
    PICTURE_ROOTS = ("DukeMTMC-reID",)
