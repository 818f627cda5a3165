"""UPAR: one labelling, of 40 attributes, for the images of four datasets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mmpar.datasets.base import PARDataset
from mmpar.datasets.formats.annotation import Annotation
from mmpar.datasets.formats.lists import read_csv
from mmpar.registry import DATASETS


def read_challenge_csv(path: str) -> Annotation:
    """Read a CSV list; ``domain`` is the first folder of each path, unless given."""
    annotation = read_csv(path)
    if "domain" in annotation.columns:
        return annotation
    domains = np.array([image.split("/", 1)[0] for image in annotation.images])
    return replace(annotation, columns={**annotation.columns, "domain": domains})


@DATASETS.register_module()
class UPAR(PARDataset):
    """UPAR (Specker et al., WACV 2023), as its authors release it.

    ::

        data_root/
            UPAR/dataset_all.pkl     (or phase1/train/train.csv of the challenge)
            PA100k/...  PETA/...  RAP2/...  Market1501/...

    Image paths begin with the folder of their source dataset, below ``data_root``.
    Each sample has ``domain``, the source dataset: in the pickle the number that the
    release gives, in the challenge's CSV the first folder of the path. ``PARMetric``
    reports results for each, and their mean.

    Args:
        split: ``'train'``, ``'val'``, ``'test'`` or ``'trainval'``. A CSV file holds
            one split and nothing of the others.
        partition: 0 is all; 1, 3, 5, 7 cross-validation; 2, 4, 6, 8 leave one source
            out for testing.
        kwargs: As for :class:`PARDataset`.
    """

    METAINFO = dict(dataset_name="UPAR")
    SCHEMA = "upar"
    SPLITS = ("train", "val", "test", "trainval")
    FORMATS = {**PARDataset.FORMATS, ".csv": read_challenge_csv}
    ANN_FILE = "UPAR/dataset_all.pkl"
    IMAGE_DIRS = ("",)
