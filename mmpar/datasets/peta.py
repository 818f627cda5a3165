"""PETA and PETAzs: 19,000 images from ten sources."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from mmengine import fileio

from mmpar.datasets.base import PARDataset, Reader
from mmpar.datasets.formats import matlab
from mmpar.datasets.formats.annotation import Annotation, pack_paths
from mmpar.datasets.zero_shot import ZERO_SHOT_FORMATS
from mmpar.registry import DATASETS

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
"""Names of the sub-datasets, for the numbers 1 to 10 of ``data``'s third column.

The file has numbers only; the names follow from the image counts that the paper gives
for each (1012, 1220, 4563, 1275, 477, 888, 1134, 200, 6967, 1264).
"""


def read_peta(path: str) -> Annotation:
    """Read ``PETA.mat``: one struct ``peta``.

    Its fields are ``data`` (N x 109: image number, person, sub-dataset, person
    counted otherwise, then 105 labels), ``attribute`` (105 x 1 cells of names),
    ``selected_attribute`` and ``partion_attribute`` (spelled so: 5 x 1 cells of structs
    ``train``, ``val``, ``test`` of image numbers from 1). Image i is
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
            f"{path}, peta.data has the shape {data.shape}, expected (images, "
            f"{4 + len(attributes)}): four numbers of the image, then a label for "
            f"each of the {len(attributes)} attributes"
        )
    cells = matlab.field(peta, "partion_attribute", path)
    return Annotation(
        source=path,
        attributes=attributes,
        images=pack_paths(f"{number:05}.png" for number in data[:, 0].tolist()),
        labels=data[:, 4:],
        partitions=matlab.read_partitions(
            cells, ("train", "val", "test"), len(data), f"{path}, partion_attribute"
        ),
        columns={
            "person_id": data[:, 1].astype(np.int32),
            "domain": data[:, 2].astype(np.int16),
        },
    )


@DATASETS.register_module()
class PETA(PARDataset):
    """PETA (Deng et al., ACM MM 2014), as its authors release it.

    ::

        data_root/
            PETA.mat
            images/00001.png ...

    Each sample also has ``person_id`` and ``domain``, the sub-dataset from 1 to 10
    (:data:`mmpar.datasets.peta.SOURCES`).

    Args:
        split: ``'train'`` (9,500), ``'val'`` (1,900), ``'test'`` (7,600) or
            ``'trainval'``.
        partition: One of five, from 0; papers use the first.
        schema: ``'peta'``, the 35 evaluated attributes; ``'peta105'`` all, colours
            included; or any of them.
        kwargs: As for :class:`PARDataset`.
    """

    METAINFO = dict(dataset_name="PETA")
    SCHEMA = "peta"
    SPLITS = ("train", "val", "test", "trainval")
    NUM_IMAGES: Mapping[str, int] = dict(
        train=9_500, val=1_900, test=7_600, trainval=11_400
    )
    IDENTITY_OVERLAP = True
    # Counted in the released PETA.mat.
    SEEN_SHARES: Mapping[int, float] = {
        0: 57.70, 1: 58.49, 2: 58.43, 3: 58.67, 4: 58.83,
    }  # fmt: skip
    FORMATS: Mapping[str, Reader] = {**PARDataset.FORMATS, ".mat": read_peta}
    ANN_FILE = "PETA.mat"
    IMAGE_DIRS = ("images",)
    KNOWN_FLAWS: Mapping[str, Collection[str]] = {
        "two ages": ("05180.png", "05287.png", "05309.png", "09947.png"),
        "never present": ("hairBlue", "hairPink"),
        # Found in re-encoded images; whether the released files are equal byte for
        # byte was not seen.
        "copies": (
            *("01474.png", "01475.png"),
            *("08548.png", "08549.png"),
            *("08568.png", "08569.png"),
            *("08572.png", "08573.png", "08574.png"),
        ),
    }

    def _image_dir(self) -> str:
        try:
            return super()._image_dir()
        except FileNotFoundError as error:
            names = ("PETA dataset", "PETA_dataset", "PETA")
            places = [fileio.join_path(self.data_root, name) for name in names]
            unpacked = [place for place in places if fileio.isdir(place)]
            if not unpacked:
                raise
            raise FileNotFoundError(
                f"{error}; images/ is made of {unpacked[0]!r} with "
                "tools/dataset_converters/peta_folders.py"
            ) from None


@DATASETS.register_module()
class PETAzs(PETA):
    """PETA without persons shared by training and test.

    Jia et al., "Rethinking of Pedestrian Attribute Recognition", arXiv 2107.03576: the
    Strong Baseline's ``dataset_zs_run0.pkl`` ... ``dataset_zs_run4.pkl`` beside
    ``images/``.

    Args:
        partition: Which of the five files, from 0.
        ann_file: Another place of it.
        kwargs: As for :class:`PETA`.
    """

    METAINFO = dict(dataset_name="PETAzs")
    NUM_IMAGES = {}
    IDENTITY_OVERLAP = False
    SEEN_SHARES = {}
    FORMATS = ZERO_SHOT_FORMATS
    ANN_FILE = "dataset_zs_run{partition}.pkl"
