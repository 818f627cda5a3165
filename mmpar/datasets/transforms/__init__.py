"""Transforms that mmcv and mmpretrain lack."""

from mmpar.datasets.transforms.attribute_boxes import (
    LoadAttributeBoxes,
    LoadBodyZones,
)
from mmpar.datasets.transforms.features import LoadFeatures
from mmpar.datasets.transforms.formatting import PackPARInputs
from mmpar.datasets.transforms.loading import LoadPersonImage
from mmpar.datasets.transforms.random_crop import RandomCrop
from mmpar.datasets.transforms.random_flip import RandomFlip
from mmpar.datasets.transforms.resize import Resize

__all__ = [
    "LoadAttributeBoxes",
    "LoadBodyZones",
    "LoadFeatures",
    "LoadPersonImage",
    "PackPARInputs",
    "RandomCrop",
    "RandomFlip",
    "Resize",
]
