"""RAPv1, RAPv2 and RAPzs: richly annotated indoor surveillance images."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmpar.datasets.base import PARDataset, Reader
from mmpar.datasets.formats import matlab
from mmpar.datasets.formats.annotation import (
    UNKNOWN,
    Annotation,
    checked_label_map,
    checked_rows,
    pack_paths,
)
from mmpar.datasets.zero_shot import ZERO_SHOT_FORMATS
from mmpar.registry import DATASETS
from mmpar.structures.persons import UNKNOWN_PERSON

RAPV2_LABELS, RAPV2_COLUMNS = 120, 152
_CAMERA = re.compile(r"CAM(\d+)")


def read_rapv1(path: str) -> Annotation:
    """Read RAPv1's file: one struct ``RAP_annotation``, whose fields go by position.

    Field 0 holds the partitions (5 x 1 cells of structs of two fields, trainval and
    test, of image numbers from 1), 1 the labels (N x 92), 3 the attribute names, 5
    the image names (positions as in the Strong Baseline's ``format_rap.py``).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A field is missing or is not as the release has it.
    """
    fields = _annotation(path)
    if len(fields) < 6 or "partition_attribute" in fields:
        raise ValueError(
            f"{path}: RAP_annotation has the fields {list(fields)}, RAPv1's has six or "
            "more of other names; is it RAPv2's?"
        )
    rap = list(fields.values())
    where = f"{path}, RAP_annotation"
    images = matlab.strings(rap[5], f"{where}, field 6")
    partitions: dict[str, dict[int, np.ndarray]] = {"trainval": {}, "test": {}}
    for i, cell in enumerate(np.asarray(rap[0]).ravel(order="F")):
        numbers = list(matlab.struct(cell, f"{where}, field 1{{{i + 1}}}").values())
        for split, found in zip(partitions, numbers):
            place = f"{where}, field 1{{{i + 1}}}, {split}"
            rows = checked_rows(found, len(images), place, first=1)
            partitions[split][i] = rows
    return Annotation(
        source=path,
        attributes=matlab.strings(rap[3], f"{where}, field 4"),
        images=pack_paths(images),
        labels=np.asarray(rap[1]),
        partitions=partitions,
        columns=camera_column(images),
    )


def read_rapv2(path: str) -> Annotation:
    """Read RAPv2's file: one struct ``RAP_annotation`` of named fields.

    ``name``, ``attribute`` (152), ``data`` (N x 152) and ``partition_attribute`` (1 x 5
    cells of structs ``train_index``, ``val_index``, ``test_index``, from 1); optional:
    ``person_identity`` (N, or only the first 41,585), which becomes ``person_id``, -1
    where the person is unknown. Of the 152 columns, the last 32 are not labels but the
    boxes (x, y, width, height) of the person and of its parts, as the authors'
    ``rap2_part_extraction.m`` uses them; they are not read, nor is
    ``selected_attribute``, the evaluated 54, which the schema names.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A field is missing or is not as the release has it.
    """
    rap = _annotation(path)
    where = f"{path}, RAP_annotation"
    if "partition_attribute" not in rap and len(rap) >= 6:
        raise ValueError(
            f"{where} has the fields {list(rap)}, RAPv2's has name, attribute, data "
            "and partition_attribute; is it RAPv1's?"
        )
    images = matlab.strings(matlab.field(rap, "name", where), f"{where}.name")
    names = matlab.strings(matlab.field(rap, "attribute", where), f"{where}.attribute")
    data = np.asarray(matlab.field(rap, "data", where))
    if len(names) != RAPV2_COLUMNS or data.shape != (len(images), RAPV2_COLUMNS):
        raise ValueError(
            f"{where}: {len(names)} attributes and data of the shape {data.shape}, "
            f"expected {RAPV2_COLUMNS} and {(len(images), RAPV2_COLUMNS)}: "
            f"{RAPV2_LABELS} labels, then the numbers of boxes"
        )
    partitions = matlab.read_partitions(
        matlab.field(rap, "partition_attribute", where),
        ("train_index", "val_index", "test_index"),
        len(images),
        f"{where}.partition_attribute",
    )
    return Annotation(
        source=path,
        attributes=names[:RAPV2_LABELS],
        images=pack_paths(images),
        labels=data[:, :RAPV2_LABELS],
        partitions={name[: -len("_index")]: p for name, p in partitions.items()},
        columns={**camera_column(images), **_person_column(rap, len(images), where)},
    )


def _person_column(rap: dict, count: int, where: str) -> dict[str, np.ndarray]:
    """Persons, known in the first half of the images only; elsewhere -1."""
    if "person_identity" not in rap:
        return {}
    found = np.asarray(rap["person_identity"]).ravel()
    if found.dtype.kind not in "iuf" or len(found) > count:
        raise ValueError(
            f"{where}.person_identity: {len(found)} entries of the type {found.dtype}, "
            f"expected numbers, {count} at most, one for each image"
        )
    persons = np.full(count, UNKNOWN_PERSON, np.int32)
    persons[: len(found)] = np.where(found > 0, found, UNKNOWN_PERSON)
    return {"person_id": persons}


def _annotation(path: str) -> dict:
    fields = matlab.read_mat(path)
    found = matlab.field(fields, "RAP_annotation", path)
    return matlab.struct(found, f"{path}, RAP_annotation")


def camera_column(images: Sequence[str]) -> dict[str, np.ndarray]:
    """Camera numbers, which RAP's image names begin with (``CAM01-2014-...``)."""
    found = [_CAMERA.match(name.rsplit("/", 1)[-1]) for name in images]
    if not all(found):
        return {}
    cameras = [int(match.group(1)) for match in found if match]
    return {"camera": np.array(cameras, np.int16)}


@DATASETS.register_module()
class RAPv1(PARDataset):
    """RAPv1 (Li et al., arXiv 1603.07054), as its authors release it.

    ::

        data_root/
            RAP_annotation/RAP_annotation.mat
            RAP_dataset/CAM01-...png ...      (or RAP_datasets/)

    Each sample also has ``camera``, from its image's name.

    Args:
        split: ``'trainval'`` (33,268) or ``'test'`` (8,317).
        partition: One of five, from 0; papers use the first.
        schema: ``'rapv1'``, the 51 evaluated attributes; ``'rapv1_92'`` all, views and
            colours included; or any of them.
        uncertain: What a label 2 is: ``'unknown'``, or ``'absent'`` as the Strong
            Baseline counts it.
        kwargs: As for :class:`PARDataset`.
    """

    METAINFO = dict(dataset_name="RAPv1")
    SCHEMA = "rapv1"
    SPLITS: tuple[str, ...] = ("trainval", "test")
    NUM_IMAGES: Mapping[str, int] = dict(trainval=33_268, test=8_317)
    IDENTITY_OVERLAP = True
    FORMATS: Mapping[str, Reader] = {**PARDataset.FORMATS, ".mat": read_rapv1}
    ANN_FILE = "RAP_annotation/RAP_annotation.mat"
    IMAGE_DIRS = ("RAP_dataset", "RAP_datasets")

    def __init__(
        self,
        *,
        uncertain: str = "unknown",
        label_map: Mapping[Any, int] | None = None,
        **kwargs: Any,
    ) -> None:
        labels = {"unknown": UNKNOWN, "absent": 0}
        if uncertain not in labels:
            raise ValueError(f"uncertain is 'unknown' or 'absent', got {uncertain!r}")
        # A prepared file has it as unknown.
        written = {2.0: labels[uncertain], -1.0: labels[uncertain]}
        super().__init__(
            label_map={**written, **checked_label_map(label_map)}, **kwargs
        )


@DATASETS.register_module()
class RAPv2(RAPv1):
    """RAPv2 (Li et al., IEEE TIP 2019), as its authors release it.

    Files are placed as for :class:`RAPv1`. Each sample also has ``camera`` and, where
    the file names persons, ``person_id``, -1 where the person is not known. The boxes
    of parts, the file's last 32 columns, are not read.

    Args:
        split: ``'train'`` (50,957), ``'val'`` (16,986), ``'test'`` (16,985) or
            ``'trainval'``.
        partition: One of five, from 0; papers use the first.
        schema: ``'rapv2'``, the 54 evaluated attributes; ``'all'`` the file's 120;
            or any of them.
        uncertain: As for :class:`RAPv1`.
        kwargs: As for :class:`PARDataset`.
    """

    METAINFO = dict(dataset_name="RAPv2")
    SCHEMA = "rapv2"
    SPLITS = ("train", "val", "test", "trainval")
    NUM_IMAGES: Mapping[str, int] = dict(
        train=50_957, val=16_986, test=16_985, trainval=67_943
    )
    FORMATS = {**PARDataset.FORMATS, ".mat": read_rapv2}


@DATASETS.register_module()
class RAPzs(RAPv2):
    """RAPv2 without persons shared by training and test, 53 attributes.

    Jia et al., "Rethinking of Pedestrian Attribute Recognition", arXiv 2107.03576: the
    Strong Baseline's ``dataset_zs_run0.pkl`` ... ``dataset_zs_run4.pkl`` beside
    ``RAP_dataset/``.

    Args:
        partition: Which of the five files, from 0.
        ann_file: Another place of it.
        kwargs: As for :class:`RAPv2`.
    """

    METAINFO = dict(dataset_name="RAPzs")
    SCHEMA = "rapzs"
    NUM_IMAGES = {}
    IDENTITY_OVERLAP = False
    FORMATS = ZERO_SHOT_FORMATS
    ANN_FILE = "dataset_zs_run{partition}.pkl"
