"""RAPv1, RAPv2 and RAPzs: richly annotated indoor surveillance pictures."""

from __future__ import annotations

from collections.abc import Mapping

from mmpar.datasets.formats.rap import read_rapv1, read_rapv2
from mmpar.datasets.formats.release import Release
from mmpar.datasets.release import UncertainLabels, ZeroShotFiles
from mmpar.registry import DATASETS


@DATASETS.register_module()
class RAPv1(UncertainLabels):
    """RAPv1 (Li et al., arXiv 1603.07054), as its authors release it.

    ::

        data_root/
            RAP_annotation/RAP_annotation.mat
            RAP_dataset/CAM01-...png ...      (or RAP_datasets/)

    Each sample also has ``camera``, from its picture's name.

    Args:
        split: ``'trainval'`` (33,268) or ``'test'`` (8,317).
        partition: One of five, from 0; papers use the first.
        schema: ``'rapv1'``, the 51 evaluated attributes; ``'all'`` 92 as in the file;
            or any of them.
        uncertain: What a label 2 is: ``'unknown'``, or ``'absent'`` as the Strong
            Baseline counts it.
        kwargs: As for :class:`ReleaseDataset`.
    """

    METAINFO = dict(dataset_name="RAPv1")
    SCHEMA = "rapv1"
    SPLITS = ("trainval", "test")
    SIZES = dict(trainval=33_268, test=8_317)
    PERSONS_SHARED = True
    ANN_FILE = "RAP_annotation/RAP_annotation.mat"
    PICTURE_FOLDERS = ("RAP_dataset", "RAP_datasets")

    def read_release(self) -> Release:
        return read_rapv1(self.ann_file)


@DATASETS.register_module()
class RAPv2(UncertainLabels):
    """RAPv2 (Li et al., IEEE TIP 2019), as its authors release it.

    Files lie as for :class:`RAPv1`. Each sample also has ``camera`` and, where the file
    names persons, ``person_id``, -1 where that of the picture is not known. The boxes
    of parts, the file's last 32 columns, are not read.

    Args:
        split: ``'train'`` (50,957), ``'val'`` (16,986), ``'test'`` (16,985) or
            ``'trainval'``.
        partition: One of five, from 0; papers use the first.
        schema: ``'rapv2'``, the 54 evaluated attributes; ``'all'`` the file's 120;
            or any of them.
        uncertain: As for :class:`RAPv1`.
        kwargs: As for :class:`ReleaseDataset`.
    """

    METAINFO = dict(dataset_name="RAPv2")
    SCHEMA = "rapv2"
    SPLITS = ("train", "val", "test", "trainval")
    SIZES: Mapping[str, int] = dict(
        train=50_957, val=16_986, test=16_985, trainval=67_943
    )
    PERSONS_SHARED = True
    ANN_FILE = "RAP_annotation/RAP_annotation.mat"
    PICTURE_FOLDERS = ("RAP_dataset", "RAP_datasets")

    def read_release(self) -> Release:
        return read_rapv2(self.ann_file)


@DATASETS.register_module()
class RAPzs(ZeroShotFiles, RAPv2):
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
    SIZES = {}
    PERSONS_SHARED = False
    ANN_FILE = ""
