"""Models: what mmpretrain lacks for PAR; its backbones are used as they are."""

import mmpar.registry  # noqa: F401  checks the installation, secures checkpoints
from mmpar.models.averaged_model import (
    ExponentialMovingAverage,
    MomentumAnnealingEMA,
    StochasticWeightAverage,
)
from mmpar.models.backbones import (
    BNInception,
    CachedFeatures,
    OpenCLIPTower,
    ResNetIBN,
    TimmFeatures,
    ViTPyramid,
)
from mmpar.models.classifiers import PARClassifier
from mmpar.models.heads import (
    ALMHead,
    CosinePARHead,
    LinearPARHead,
    PARHead,
    QueryPARHead,
    SSPNetHead,
    TextQueries,
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
    "CachedFeatures",
    "CosinePARHead",
    "ExponentialMovingAverage",
    "GlobalMaxPooling",
    "LinearPARHead",
    "MomentumAnnealingEMA",
    "MultiLabelLoss",
    "OpenCLIPTower",
    "PARClassifier",
    "PARHead",
    "PretrainedInit",
    "QueryPARHead",
    "ResNetIBN",
    "SOLIDERLayout",
    "SSPNetHead",
    "SSPNetInit",
    "SSPNetNeck",
    "StochasticWeightAverage",
    "TextQueries",
    "TimmFeatures",
    "TimmLayout",
    "TimmViTLayout",
    "ViTPyramid",
    "WeightedBCELoss",
]
