"""The head of SSPNet: one classifier a region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmpar.models.heads.par_head import PARHead, Schema
from mmpar.models.layers import RegionFeatures, max_pyramid_pool
from mmpar.registry import MODELS
from mmpar.structures import assign_attributes, build_regions


@MODELS.register_module()
class SSPNetHead(PARHead):
    """Max pyramid pooling and one linear classifier for each body region.

    Source: SSPNet, arXiv 2312.06049. As in the released code, dropout falls on a
    region's logits, after its classifier.

    Args:
        schema: See :class:`PARHead`; its groups say which region reads an attribute.
        regions: As the neck's, in the same order.
        in_channels: C of the region features.
        pool_grids: Cells a side of the pyramid pooling.
        dropout: Dropout rate, in [0, 1).
        **kwargs: See :class:`PARHead`.

    Raises:
        ValueError: An attribute is read by no region or by two, or a region by none.
    """

    attribute_order: Tensor

    def __init__(
        self,
        schema: Schema,
        regions: Mapping[str, Mapping[str, Any]],
        in_channels: int = 256,
        pool_grids: Sequence[int] = (1, 2),
        dropout: float = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__(schema, **kwargs)
        self.regions = build_regions(regions)
        self.pool_grids = tuple(pool_grids)
        assigned = assign_attributes(self.regions, self.schema)
        width = in_channels * sum(n * n for n in self.pool_grids)
        self.classifiers = nn.ModuleList(
            nn.Linear(width, len(indices)) for indices in assigned
        )
        self.dropout = nn.Dropout(dropout)
        by_region = torch.tensor([i for indices in assigned for i in indices])
        self.register_buffer("attribute_order", by_region.argsort(), persistent=False)

    def forward(self, feats: Sequence[RegionFeatures]) -> Tensor:
        """Logits from region features.

        Args:
            feats: Per region ``(B, C, H_r, W_r)``, or several such maps with weights,
                by which their pooled features are mixed.

        Returns:
            ``(B, A)`` in the schema's order.

        Raises:
            ValueError: The neck gives another number of regions.
        """
        if len(feats) != len(self.classifiers):
            raise ValueError(
                f"the head reads the regions {[r.name for r in self.regions]}, but the "
                f"neck gives {len(feats)}; give both the same regions"
            )
        logits = [
            self.dropout(classifier(self._pool(feature)))
            for classifier, feature in zip(self.classifiers, feats)
        ]
        return torch.cat(logits, dim=1)[:, self.attribute_order]

    def _pool(self, feature: RegionFeatures) -> Tensor:
        if isinstance(feature, Tensor):
            return max_pyramid_pool(feature, self.pool_grids)
        pooled = [max_pyramid_pool(one, self.pool_grids) for one in feature.maps]
        shares = [one * weight for one, weight in zip(pooled, feature.weights)]
        return torch.stack(shares).sum(dim=0)
