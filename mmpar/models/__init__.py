"""Models: what mmpretrain lacks for PAR; its backbones are used as they are."""

import mmpar.registry  # noqa: F401  checks the installation, secures checkpoints
from mmpar.models.averaged_model import (
    ExponentialMovingAverage,
    MomentumAnnealingEMA,
    StochasticWeightAverage,
)
from mmpar.models.backbones import BNInception, ResNetIBN, TimmFeatures, ViTPyramid
from mmpar.models.classifiers import PARClassifier
from mmpar.models.heads import (
    ALMHead,
    CosinePARHead,
    LinearPARHead,
    PARHead,
    SSPNetHead,
)
from mmpar.models.losses import ALMLoss, MultiLabelLoss, WeightedBCELoss
from mmpar.models.necks import GlobalMaxPooling, SSPNetNeck
from mmpar.models.pretrained import PretrainedInit
from mmpar.models.sspnet_init import SSPNetInit
from mmpar.models.weight_layouts import SOLIDERLayout, TimmLayout, TimmViTLayout

__all__ = [
    "ALMHead",
    "ALMLoss",
    "BNInception",
    "CosinePARHead",
    "ExponentialMovingAverage",
    "GlobalMaxPooling",
    "LinearPARHead",
    "MomentumAnnealingEMA",
    "MultiLabelLoss",
    "PARClassifier",
    "PARHead",
    "PretrainedInit",
    "ResNetIBN",
    "SOLIDERLayout",
    "SSPNetHead",
    "SSPNetInit",
    "SSPNetNeck",
    "StochasticWeightAverage",
    "TimmFeatures",
    "TimmLayout",
    "TimmViTLayout",
    "ViTPyramid",
    "WeightedBCELoss",
]
