"""Pedestrian attribute data sets, one file each, on a common base."""

from mmpar.datasets.attribute_list import AttributeListDataset
from mmpar.datasets.base import PARDataset, SampleError
from mmpar.datasets.pa100k import PA100K
from mmpar.datasets.positive_ratios import positive_ratios
from mmpar.datasets.transforms import LoadPersonImage, PackPARInputs, RandomCrop

__all__ = [
    "PA100K",
    "AttributeListDataset",
    "LoadPersonImage",
    "PARDataset",
    "PackPARInputs",
    "RandomCrop",
    "SampleError",
    "positive_ratios",
]
