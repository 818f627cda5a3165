"""SSPNet's head: one classifier per region."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from mmpar.models.heads.numbered_regions import order_of_numbered
from mmpar.models.heads.par_head import PARHead, Schema
from mmpar.models.layers import (
    RegionFeatures,
    max_pyramid_pool,
    modules_by_region,
    name_scales,
)
from mmpar.registry import MODELS
from mmpar.structures import Region, assign_attributes, build_regions


@MODELS.register_module()
class SSPNetHead(PARHead):
    """Max pyramid pooling and one linear classifier for each body region.

    Source: SSPNet, arXiv 2312.06049. As in the released code, dropout is applied to a
    region's logits, after its classifier.

    A region without an attribute in the schema is not read, and the log says so: your
    own attributes do not need regions of their own.

    Args:
        schema: See :class:`PARHead`; its groups determine which region reads an
            attribute.
        regions: As the neck's.
        in_channels: C of the region features.
        pool_grids: Cells per side of the pyramid pooling.
        dropout: Dropout rate, in [0, 1).
        **kwargs: See :class:`PARHead`.

    Raises:
        ValueError: An attribute is read by no region or by two.

    Attributes:
        regions: Those that have attributes in the schema.
        idle_regions: The others.
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
        described = build_regions(regions)
        assigned = assign_attributes(described, self.schema)
        self.regions = tuple(r for r in described if r.name in assigned)
        self.idle_regions = tuple(r for r in described if r.name not in assigned)
        self._log_idle_regions()
        self._listed = tuple(regions)
        self._sizes = {name: len(own) for name, own in assigned.items()}
        self.pool_grids = tuple(pool_grids)
        width = in_channels * sum(n * n for n in self.pool_grids)
        self.classifiers = modules_by_region(
            {name: nn.Linear(width, size) for name, size in self._sizes.items()}
        )
        self.dropout = nn.Dropout(dropout)
        by_region = torch.tensor([i for own in assigned.values() for i in own])
        self.register_buffer("attribute_order", by_region.argsort(), persistent=False)

    def _log_idle_regions(self) -> None:
        for region in self.idle_regions:
            print_log(
                f"Region {region.name!r} is not read: none of the "
                f"{len(self.schema)} attributes of {self.schema.title!r} belongs to it "
                f"({_wanted(region)}; the groups of the schema are "
                f"{list(self.schema.groups)})",
                "current",
            )

    def logits(self, feats: Mapping[str, RegionFeatures]) -> Tensor:
        """Logits from region features.

        Args:
            feats: Region name to ``(B, C, H_r, W_r)``, or to several such maps with
                weights, by which their pooled features are mixed. Regions that no
                attribute is read from are ignored.

        Returns:
            ``(B, A)`` in the schema's order.

        Raises:
            ValueError: The neck does not give all regions.
        """
        missing = [name for name in self.classifiers if name not in feats]
        if missing:
            raise ValueError(
                f"the head reads the regions {list(self.classifiers)}, but the neck "
                f"gives {list(feats)}; give both the same regions"
            )
        logits = [
            self.dropout(classifier(self._pool(feats[name])))
            for name, classifier in self.classifiers.items()
        ]
        return torch.cat(logits, dim=1)[:, self.attribute_order]

    def _pool(self, feature: RegionFeatures) -> Tensor:
        if isinstance(feature, Tensor):
            return max_pyramid_pool(feature, self.pool_grids)
        pooled = [max_pyramid_pool(one, self.pool_grids) for one in feature.maps]
        shares = [one * weight for one, weight in zip(pooled, feature.weights)]
        return torch.stack(shares).sum(dim=0)

    def upgrade_state_dict(
        self, state_dict: MutableMapping[str, Any], prefix: str = ""
    ) -> None:
        """Give the weights of an old checkpoint the names of their regions, in place.

        Args:
            state_dict: Of the whole model, or of one that has it under ``prefix``.
            prefix: With the dot.

        Raises:
            ValueError: See :func:`order_of_numbered`.
        """
        order = self._name_classifiers(state_dict, f"{prefix}head.")
        if order is not None:
            name_scales(state_dict, f"{prefix}neck.scale_selection.", order)

    def _name_classifiers(
        self, state_dict: MutableMapping[str, Any], prefix: str
    ) -> tuple[str, ...] | None:
        """The regions in the order of their numbers, or None if nothing was renamed.

        Nothing is if no classifier has a number, or the sizes are of other regions.
        """
        numbered = f"{prefix}classifiers."
        keys = [f"{numbered}{i}.bias" for i in range(len(self.classifiers))]
        found = [len(state_dict[key]) for key in keys if key in state_dict]
        if sorted(found) != sorted(self._sizes.values()):
            return None
        order = order_of_numbered(found, self._sizes, self._listed)
        for i, name in enumerate(order):
            for kind in ("weight", "bias"):
                value = state_dict.pop(f"{numbered}{i}.{kind}")
                state_dict[f"{numbered}{name}.{kind}"] = value
        return order

    def _load_from_state_dict(
        self, state_dict: MutableMapping[str, Any], prefix: str, *args: Any
    ) -> None:
        self._name_classifiers(state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args)
        if f"{prefix}classifiers.0.weight" in state_dict:
            raise ValueError(
                "the checkpoint's classifiers are numbered, and their sizes are not "
                f"those of the regions {list(self.classifiers)}: it was trained with "
                "other model.regions; use its config"
            )


def _wanted(region: Region) -> str:
    if region.reads_the_rest:
        return "it reads what the other regions do not"
    return f"groups {region.groups}, attributes {region.attributes}"
