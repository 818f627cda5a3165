"""UPAR: one labelling, of 40 attributes, for the pictures of four data sets."""

from __future__ import annotations

import numpy as np

from mmpar.datasets.formats import AnnotationTable
from mmpar.datasets.release import ReleaseDataset
from mmpar.registry import DATASETS


@DATASETS.register_module()
class UPAR(ReleaseDataset):
    """UPAR (Specker et al., WACV 2023), as its authors release it.

    ::

        data_root/
            UPAR/dataset_all.pkl     (or phase1/train/train.csv of the challenge)
            PA100k/...  PETA/...  RAP2/...  Market1501/...

    Picture paths begin with the folder of their source data set, below ``data_root``.
    Each sample has ``domain``, the source data set: in the pickle the number that the
    release gives, in the challenge's CSV the first folder of the path. ``PARMetric``
    reports results for each, and their mean.

    Args:
        split: ``'train'``, ``'val'``, ``'test'`` or ``'trainval'``. A CSV file holds
            one split and nothing of the others.
        partition: 0 is all; 1, 3, 5, 7 cross-validation; 2, 4, 6, 8 leave one source
            out for testing.
        kwargs: As for :class:`ReleaseDataset`.
    """

    METAINFO = dict(dataset_name="UPAR")
    SCHEMA = "upar"
    SPLITS = ("train", "val", "test", "trainval")
    ANN_FILE = "UPAR/dataset_all.pkl"

    def load_annotations(self) -> AnnotationTable:
        self._start_prefix_at_root()
        return super().load_annotations()

    def _read_table(self) -> AnnotationTable:
        table = super()._read_table()
        if self._ending() != ".csv" or "domain" in table.columns:
            return table
        domains = np.array([path.split("/", 1)[0] for path in table.paths])
        return table.with_column("domain", domains)
