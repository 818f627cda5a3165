"""Pedestrian attribute data sets, one file each, on a common base."""

from mmpar.datasets.attribute_list import AttributeListDataset
from mmpar.datasets.base import PARDataset, SampleError
from mmpar.datasets.pa100k import PA100K
from mmpar.datasets.positive_ratios import positive_ratios
from mmpar.datasets.synthetic import SyntheticPAR
from mmpar.datasets.transforms import (
    DrawSyntheticPerson,
    LoadPersonImage,
    PackPARInputs,
    RandomCrop,
)

__all__ = [
    "PA100K",
    "AttributeListDataset",
    "DrawSyntheticPerson",
    "LoadPersonImage",
    "PARDataset",
    "PackPARInputs",
    "RandomCrop",
    "SampleError",
    "SyntheticPAR",
    "positive_ratios",
]
