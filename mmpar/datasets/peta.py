"""PETA and PETAzs: 19,000 pictures from ten sources."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mmengine import fileio

from mmpar.datasets.formats.peta import read_peta
from mmpar.datasets.formats.release import Release
from mmpar.datasets.release import ReleaseDataset, ZeroShotFiles
from mmpar.registry import DATASETS


@DATASETS.register_module()
class PETA(ReleaseDataset):
    """PETA (Deng et al., ACM MM 2014), as its authors release it.

    ::

        data_root/
            PETA.mat
            images/00001.png ...

    Each sample also has ``person_id`` and ``domain``, the sub-data-set from 1 to 10
    (:data:`mmpar.datasets.formats.peta.SOURCES`).

    Args:
        split: ``'train'`` (9,500), ``'val'`` (1,900), ``'test'`` (7,600) or
            ``'trainval'``.
        partition: One of five, from 0; papers use the first.
        schema: ``'peta'``, the 35 evaluated attributes; ``'peta105'`` all, colours
            included; or any of them.
        kwargs: As for :class:`ReleaseDataset`.
    """

    METAINFO = dict(dataset_name="PETA")
    SCHEMA = "peta"
    SPLITS = ("train", "val", "test", "trainval")
    SIZES: Mapping[str, int] = dict(train=9_500, val=1_900, test=7_600, trainval=11_400)
    PERSONS_SHARED = True
    ANN_FILE = "PETA.mat"
    PICTURE_FOLDERS = ("images",)
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

    def read_release(self) -> Release:
        return read_peta(self.ann_file)

    def _picture_folder(self) -> str:
        try:
            return super()._picture_folder()
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
class PETAzs(ZeroShotFiles, PETA):
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
    SIZES = {}
    PERSONS_SHARED = False
    ANN_FILE = ""
