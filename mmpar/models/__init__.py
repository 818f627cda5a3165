"""Models: what mmpretrain lacks for PAR; its backbones are used as they are."""

import mmpar.registry  # noqa: F401  checks the installation, secures checkpoints
from mmpar.models.averaged_model import (
    ExponentialMovingAverage,
    MomentumAnnealingEMA,
    StochasticWeightAverage,
)
from mmpar.models.backbones import BNInception
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
    "SSPNetHead",
    "SSPNetInit",
    "SSPNetNeck",
    "StochasticWeightAverage",
    "WeightedBCELoss",
]
