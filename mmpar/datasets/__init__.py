"""Pedestrian attribute datasets, one file each, on a common base."""

import mmpar.registry  # noqa: F401  checks the installation, secures checkpoints
from mmpar.datasets.attribute_list import AttributeListDataset
from mmpar.datasets.base import PARDataset, SampleError
from mmpar.datasets.evaluation_sampler import EvaluationSampler
from mmpar.datasets.joint import JointDataset, JointSampler
from mmpar.datasets.msp60k import MSP60K
from mmpar.datasets.pa100k import PA100K
from mmpar.datasets.peta import PETA, PETAzs
from mmpar.datasets.positive_ratios import positive_ratios
from mmpar.datasets.rap import RAPv1, RAPv2, RAPzs
from mmpar.datasets.reid_attributes import DukeMTMCAttribute, Market1501Attribute
from mmpar.datasets.synthetic import DrawSyntheticPerson, SyntheticPAR
from mmpar.datasets.transforms import (
    LoadAttributeBoxes,
    LoadBodyZones,
    LoadPersonImage,
    PackPARInputs,
    RandomCrop,
    RandomFlip,
    Resize,
)
from mmpar.datasets.upar import UPAR
from mmpar.datasets.wider import WIDERAttribute

__all__ = [
    "MSP60K",
    "PA100K",
    "PETA",
    "UPAR",
    "AttributeListDataset",
    "DrawSyntheticPerson",
    "DukeMTMCAttribute",
    "EvaluationSampler",
    "JointDataset",
    "JointSampler",
    "LoadAttributeBoxes",
    "LoadBodyZones",
    "LoadPersonImage",
    "Market1501Attribute",
    "PARDataset",
    "PETAzs",
    "PackPARInputs",
    "RAPv1",
    "RAPv2",
    "RAPzs",
    "RandomCrop",
    "RandomFlip",
    "Resize",
    "SampleError",
    "SyntheticPAR",
    "WIDERAttribute",
    "positive_ratios",
]
