"""MSP60K: 60,122 images of eight scenes."""

from __future__ import annotations

from mmpar.datasets.base import PARDataset
from mmpar.registry import DATASETS


@DATASETS.register_module()
class MSP60K(PARDataset):
    """MSP60K (Jin et al., AAAI 2025), from the authors' pickles.

    ::

        data_root/
            dataset_random.pkl        (or dataset_ms_split_1.pkl, ... as ann_file)
            images/...

    ``dataset_random.pkl`` has train, val and test of all scenes;
    ``dataset_ms_split_1.pkl`` to ``_3.pkl`` have trainval and test, of other scenes
    each. Layout from the authors' scripts (github.com/Event-AHU/OpenPAR,
    ``AttackPAR/dataset/preprocess/mspar.py`` and ``LLM-PAR/PAR_Template_Scripts/
    msp.py``): the common pickled form, with the names in ``attributes``.

    Args:
        split: ``'train'``, ``'val'``, ``'test'`` or ``'trainval'``, as the file has.
        data_prefix: Folder of the images, such as that of the degraded ones.
        kwargs: As for :class:`PARDataset`.
    """

    METAINFO = dict(dataset_name="MSP60K")
    SCHEMA = "msp60k"
    SPLITS = ("train", "val", "test", "trainval")
    ANN_FILE = "dataset_random.pkl"
    IMAGE_DIRS = ("images",)
