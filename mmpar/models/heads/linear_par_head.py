"""One linear classifier on globally pooled features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from mmpar.models.heads.par_head import PARHead, Schema
from mmpar.registry import MODELS


@MODELS.register_module()
class LinearPARHead(PARHead):
    """The Strong Baseline: one linear layer from the pooled features to all attributes.

    Source: Jia et al., "Rethinking of Pedestrian Attribute Recognition", arXiv
    2107.03576. Pooling is the neck's work (mmpretrain's ``GlobalAveragePooling``).

    Args:
        schema: See :class:`PARHead`.
        in_channels: C of the pooled features.
        **kwargs: See :class:`PARHead`.
    """

    def __init__(self, schema: Schema, in_channels: int, **kwargs: Any) -> None:
        kwargs.setdefault("init_cfg", dict(type="Normal", layer="Linear", std=0.001))
        super().__init__(schema, **kwargs)
        self.classifier = nn.Linear(in_channels, len(self.schema))

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Logits ``(B, A)`` of the last of ``feats``, ``(B, C)``."""
        return self.classifier(feats[-1])
