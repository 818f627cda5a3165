"""MSP60K: 60,122 pictures of eight scenes."""

from __future__ import annotations

from mmpar.datasets.release import ReleaseDataset
from mmpar.registry import DATASETS


@DATASETS.register_module()
class MSP60K(ReleaseDataset):
    """MSP60K (Jin et al., AAAI 2025), from the authors' pickles.

    ::

        data_root/
            dataset_ms_split_1.pkl    (give another as ann_file)
            images/...

    The layout is that which the authors' scripts read (github.com/Event-AHU/OpenPAR,
    ``AttackPAR/dataset/preprocess/mspar.py``): the common pickled form.

    Args:
        kwargs: As for :class:`ReleaseDataset`.
    """

    METAINFO = dict(dataset_name="MSP60K")
    SCHEMA = "msp60k"
    SPLITS = ("train", "val", "test", "trainval")
    ANN_FILE = "dataset_ms_split_1.pkl"
    PICTURE_FOLDERS = ("images",)
