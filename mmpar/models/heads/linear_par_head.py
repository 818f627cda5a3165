"""One classifier for all attributes on globally pooled features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmpar.models.heads.par_head import PARHead, Schema
from mmpar.registry import MODELS


@MODELS.register_module()
class LinearPARHead(PARHead):
    """The Strong Baseline: one linear layer from the pooled features to all attributes.

    Source: Jia et al., "Rethinking of Pedestrian Attribute Recognition", arXiv
    2107.03576. Pooling is the neck's work (mmpretrain's ``GlobalAveragePooling``, or
    :class:`mmpar.models.GlobalMaxPooling`).

    Args:
        schema: See :class:`PARHead`.
        in_channels: C of the pooled features.
        batch_norm: Whether a batch normalization of the logits follows.
        **kwargs: See :class:`PARHead`.
    """

    def __init__(
        self, schema: Schema, in_channels: int, batch_norm: bool = False, **kwargs: Any
    ) -> None:
        kwargs.setdefault("init_cfg", dict(type="Normal", layer="Linear", std=0.001))
        super().__init__(schema, **kwargs)
        num_attributes = len(self.schema)
        self.classifier = nn.Linear(in_channels, num_attributes)
        self.norm = nn.BatchNorm1d(num_attributes) if batch_norm else nn.Identity()

    def logits(self, feats: Sequence[Tensor]) -> Tensor:
        """Logits ``(B, A)`` of the last of ``feats``, ``(B, C)``."""
        return self.norm(self.classifier(feats[-1]))


@MODELS.register_module()
class CosinePARHead(PARHead):
    """The cosine between the pooled features and a direction for each attribute.

    Source: as :class:`LinearPARHead`. The official code leaves the scale to its loss
    ("scaled BCE") and takes the sigmoid of the bare cosine when it evaluates; here
    logits are scaled once, so that decisions are the same and scores are what the loss
    has trained.

    Args:
        schema: See :class:`PARHead`.
        in_channels: C of the pooled features.
        scale: Factor of the cosine.
        **kwargs: See :class:`PARHead`.
    """

    def __init__(
        self, schema: Schema, in_channels: int, scale: float = 30.0, **kwargs: Any
    ) -> None:
        super().__init__(schema, **kwargs)
        self.scale = scale
        bound = 1 / math.sqrt(in_channels)
        directions = torch.empty(len(self.schema), in_channels).uniform_(-bound, bound)
        self.directions = nn.Parameter(directions)

    def logits(self, feats: Sequence[Tensor]) -> Tensor:
        """Logits ``(B, A)`` in [-scale, scale] of the last of ``feats``, ``(B, C)``."""
        features = F.normalize(feats[-1], dim=1)
        return self.scale * F.linear(features, F.normalize(self.directions, dim=1))
