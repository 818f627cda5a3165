"""Pedestrian attribute data sets, one file each, on a common base."""

from mmpar.datasets.base import PARDataset, SampleError
from mmpar.datasets.positive_ratios import positive_ratios

__all__ = ["PARDataset", "SampleError", "positive_ratios"]
