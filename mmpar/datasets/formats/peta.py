"""PETA's own ``PETA.mat``."""

from __future__ import annotations

import numpy as np

from mmpar.datasets.formats import matlab
from mmpar.datasets.formats.release import Release, checked_rows

SOURCES = (
    "3DPeS",
    "CAVIAR4REID",
    "CUHK",
    "GRID",
    "i-LIDS",
    "MIT",
    "PRID",
    "SARC3D",
    "TownCentre",
    "VIPeR",
)
"""Names of the sub-data-sets, for the numbers 1 to 10 of ``data``'s third column.

The file has numbers only; the names follow from the picture counts that the paper gives
for each (1012, 1220, 4563, 1275, 477, 888, 1134, 200, 6967, 1264).
"""


def read_peta(path: str) -> Release:
    """Read ``PETA.mat``: one struct ``peta``.

    Its fields are ``data`` (N x 109: picture number, person, sub-data-set, person
    counted otherwise, then 105 labels), ``attribute`` (105 x 1 cells of names),
    ``selected_attribute`` and ``partion_attribute`` (spelled so: 5 x 1 cells of structs
    ``train``, ``val``, ``test`` of picture numbers from 1). Picture i is
    ``images/{i:05}.png``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A field is missing or is not as the release has it.
    """
    fields = matlab.read_mat(path)
    peta = matlab.struct(matlab.field(fields, "peta", path), f"{path}, peta")
    names = matlab.field(peta, "attribute", path)
    attributes = matlab.strings(names, f"{path}, peta.attribute")
    data = np.asarray(matlab.field(peta, "data", path))
    if data.ndim != 2 or data.shape[1] != 4 + len(attributes):
        raise ValueError(
            f"{path}, peta.data has the shape {data.shape}, expected (pictures, "
            f"{4 + len(attributes)}): four numbers of the picture, then a label for "
            f"each of the {len(attributes)} attributes"
        )
    cells = matlab.field(peta, "partion_attribute", path)
    return Release(
        source=path,
        attributes=attributes,
        images=[f"{number:05}.png" for number in data[:, 0].tolist()],
        labels=data[:, 4:],
        partitions=read_partitions(
            cells, ("train", "val", "test"), len(data), f"{path}, partion_attribute"
        ),
        columns={
            "person_id": data[:, 1].astype(np.int32),
            "domain": data[:, 2].astype(np.int16),
        },
    )


def read_partitions(
    cells: np.ndarray, fields: tuple[str, ...], count: int, source: str
) -> dict[str, list[np.ndarray]]:
    """Cells of structs of picture numbers from 1: field to one array a partition."""
    partitions: dict[str, list[np.ndarray]] = {name: [] for name in fields}
    for i, cell in enumerate(np.asarray(cells).ravel(order="F"), start=1):
        where = f"{source}{{{i}}}"
        struct = matlab.struct(cell, where)
        for name in fields:
            numbers = matlab.field(struct, name, where)
            rows = checked_rows(numbers, count, f"{where}.{name}", first=1)
            partitions[name].append(rows)
    return partitions
