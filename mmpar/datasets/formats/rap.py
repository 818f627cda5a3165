"""The ``RAP_annotation.mat`` of RAPv1 and that of RAPv2."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from mmpar.datasets.formats import matlab
from mmpar.datasets.formats.peta import read_partitions
from mmpar.datasets.formats.release import Release, checked_rows
from mmpar.datasets.formats.table import UNKNOWN_PERSON

RAPV2_LABELS, RAPV2_COLUMNS = 120, 152
_CAMERA = re.compile(r"CAM(\d+)")


def read_rapv1(path: str) -> Release:
    """Read RAPv1's file: one struct ``RAP_annotation``, whose fields go by position.

    Field 0 holds the partitions (5 x 1 cells of structs of two fields, trainval and
    test, of picture numbers from 1), 1 the labels (N x 92), 3 the attribute names, 5
    the picture names (positions as in the Strong Baseline's ``format_rap.py``).

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
    partitions: dict[str, list[np.ndarray]] = {"trainval": [], "test": []}
    for i, cell in enumerate(np.asarray(rap[0]).ravel(order="F"), start=1):
        numbers = list(matlab.struct(cell, f"{where}, field 1{{{i}}}").values())
        for split, found in zip(partitions, numbers):
            place = f"{where}, field 1{{{i}}}, {split}"
            rows = checked_rows(found, len(images), place, first=1)
            partitions[split].append(rows)
    return Release(
        source=path,
        attributes=matlab.strings(rap[3], f"{where}, field 4"),
        images=images,
        labels=np.asarray(rap[1]),
        partitions=partitions,
        columns=camera_column(images),
    )


def read_rapv2(path: str) -> Release:
    """Read RAPv2's file: one struct ``RAP_annotation`` of named fields.

    ``name``, ``attribute`` (152), ``data`` (N x 152) and ``partition_attribute`` (1 x 5
    cells of structs ``train_index``, ``val_index``, ``test_index``, from 1); optional:
    ``person_identity`` (N, or only the first 41,585), which becomes ``person_id``, -1
    where nobody named the person. Of the 152 columns, the last 32 are no labels but the
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
    partitions = read_partitions(
        matlab.field(rap, "partition_attribute", where),
        ("train_index", "val_index", "test_index"),
        len(images),
        f"{where}.partition_attribute",
    )
    return Release(
        source=path,
        attributes=names[:RAPV2_LABELS],
        images=images,
        labels=data[:, :RAPV2_LABELS],
        partitions={name[: -len("_index")]: p for name, p in partitions.items()},
        columns={**camera_column(images), **_person_column(rap, len(images), where)},
    )


def _person_column(rap: dict, count: int, where: str) -> dict[str, np.ndarray]:
    """Persons, which the authors named in the first half of the pictures only.

    Their scripts take -1 for a picture of somebody unnamed.
    """
    if "person_identity" not in rap:
        return {}
    found = np.asarray(rap["person_identity"]).ravel()
    if found.dtype.kind not in "iuf" or len(found) > count:
        raise ValueError(
            f"{where}.person_identity: {len(found)} entries of the type {found.dtype}, "
            f"expected numbers, {count} at most, one for each picture"
        )
    persons = np.full(count, UNKNOWN_PERSON, np.int32)
    persons[: len(found)] = np.where(found > 0, found, UNKNOWN_PERSON)
    return {"person_id": persons}


def _annotation(path: str) -> dict:
    fields = matlab.read_mat(path)
    found = matlab.field(fields, "RAP_annotation", path)
    return matlab.struct(found, f"{path}, RAP_annotation")


def camera_column(images: Sequence[str]) -> dict[str, np.ndarray]:
    """Camera numbers, which RAP's picture names begin with (``CAM01-2014-...``)."""
    found = [_CAMERA.match(name.rsplit("/", 1)[-1]) for name in images]
    if not all(found):
        return {}
    cameras = [int(match.group(1)) for match in found if match]
    return {"camera": np.array(cameras, np.int16)}
