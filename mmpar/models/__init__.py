"""Models: what mmpretrain lacks for PAR; its backbones are used as they are."""

import mmpar.registry  # noqa: F401  checks the installation, secures checkpoints
from mmpar.models.averaged_model import (
    ExponentialMovingAverage,
    MomentumAnnealingEMA,
    StochasticWeightAverage,
)
from mmpar.models.backbones import BNInception, CachedFeatures, OpenCLIPTower
from mmpar.models.classifiers import PARClassifier
from mmpar.models.heads import (
    ALMHead,
    LinearPARHead,
    PARHead,
    QueryPARHead,
    SSPNetHead,
    TextQueries,
)
from mmpar.models.losses import ALMLoss, WeightedBCELoss
from mmpar.models.necks import SSPNetNeck
from mmpar.models.pretrained import PretrainedInit
from mmpar.models.sspnet_init import SSPNetInit

__all__ = [
    "ALMHead",
    "ALMLoss",
    "BNInception",
    "CachedFeatures",
    "ExponentialMovingAverage",
    "LinearPARHead",
    "MomentumAnnealingEMA",
    "OpenCLIPTower",
    "PARClassifier",
    "PARHead",
    "PretrainedInit",
    "QueryPARHead",
    "SSPNetHead",
    "SSPNetInit",
    "SSPNetNeck",
    "StochasticWeightAverage",
    "TextQueries",
    "WeightedBCELoss",
]
