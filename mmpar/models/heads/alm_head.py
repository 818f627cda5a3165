"""ALM's head: every attribute from a region of its own at every level."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmpar.models.heads.par_head import PARHead, Schema
from mmpar.models.layers import (
    AffineRegions,
    AttributeLocalization,
    LateralMap,
    PointwiseConv,
    pool_levels,
    pool_regions,
    region_boxes,
    region_weights,
)
from mmpar.registry import MODELS

VOTINGS = ("max", "mean")


@MODELS.register_module()
class ALMHead(PARHead):
    """One prediction per level from attribute-specific regions, and a global one.

    Each is supervised (deep supervision, losses summed), and they vote. Level l is
    ``concat(upsample(level l + 1), laterals[l](stage l))``; levels are read through
    their laterals without ever being built, see
    :mod:`mmpar.models.layers.concatenating_pyramid`. There is no neck.

    Source: ALM, arXiv 1910.04562.

    >>> head = ALMHead("pa100k", in_channels=(8, 16, 32), channels=16)
    >>> stages = [torch.rand(2, 8, 32, 16), torch.rand(2, 16, 16, 8)]
    >>> stages.append(torch.rand(2, 32, 8, 4))
    >>> head(stages).shape  # logits (B, A)
    torch.Size([2, 26])
    >>> logits, regions = head.predict_levels(stages)
    >>> len(logits), len(regions)  # the levels and the global prediction, the levels
    (4, 3)
    >>> head.boxes(stages, regions).shape  # (B, L, A, 4)
    torch.Size([2, 3, 26, 4])

    Args:
        schema: See :class:`PARHead`.
        in_channels: Channels of the backbone's stages, finest first; L of them.
        channels: C, of every lateral.
        reduction: Factor by which the channel attention narrows the features.
        align_corners: Convention of the sampling grid, see :func:`region_weights`. The
            released weights were trained by torch 0.4, whose convention is True.
        voting: ``'max'`` (as published) or ``'mean'`` of the L + 1 logits.
        **kwargs: See :class:`PARHead`; the loss is :class:`ALMLoss` by default.

    Raises:
        ValueError: ``voting`` is unknown, or the arguments are those of an older mmpar.
    """

    def __init__(
        self,
        schema: Schema,
        in_channels: Sequence[int],
        channels: int = 256,
        reduction: int = 16,
        align_corners: bool = True,
        voting: str = "max",
        **kwargs: Any,
    ) -> None:
        _refuse_former_arguments(in_channels, kwargs)
        kwargs.setdefault("loss", dict(type="ALMLoss", _scope_="mmpar"))
        super().__init__(schema, **kwargs)
        if voting not in VOTINGS:
            raise ValueError(f"voting is one of {VOTINGS}, got {voting!r}")
        self.align_corners = align_corners
        self.voting = voting
        num_levels, num_attributes = len(in_channels), len(self.schema)
        self.laterals = nn.ModuleList(
            PointwiseConv(width, channels) for width in in_channels
        )
        self.localizations = nn.ModuleList(
            AttributeLocalization(
                num_attributes, channels * (num_levels - level), reduction
            )
            for level in range(num_levels)
        )
        self.global_classifier = nn.Linear(in_channels[-1], num_attributes)

    def logits(self, stages: Sequence[Tensor]) -> Tensor:
        """The voted logits.

        Args:
            stages: Of the backbone, ``(B, C_l, H_l, W_l)``, finest first.

        Returns:
            ``(B, A)``.
        """
        logits, _ = self.predict_levels(stages)
        return self.vote(logits)

    def predict_levels(
        self, stages: Sequence[Tensor]
    ) -> tuple[list[Tensor], list[AffineRegions]]:
        """Every prediction, and where it came from.

        Args:
            stages: As :meth:`logits`.

        Returns:
            L + 1 logits ``(B, A)``, finest level first and the global ones last, and L
            regions.

        Raises:
            ValueError: The backbone does not give as many stages as in_channels.
        """
        if len(stages) != len(self.laterals):
            raise ValueError(
                f"the head has in_channels for {len(self.laterals)} stages, but the "
                f"backbone gives {len(stages)}; set the backbone's out_indices"
            )
        # Lateral l is read by level l and all finer ones, once per attribute.
        laterals = [
            LateralMap.of(lateral, stage, len(self.schema) * (level + 1))
            for level, (lateral, stage) in enumerate(zip(self.laterals, stages))
        ]
        located = [
            localization(pooled)
            for localization, pooled in zip(self.localizations, pool_levels(laterals))
        ]
        regions = [attributes.regions for attributes in located]
        sums = pool_regions(
            laterals,
            channels=[attributes.channels for attributes in located],
            rows=self._axis_weights(regions, [s.shape[2] for s in stages], axis=1),
            columns=self._axis_weights(regions, [s.shape[3] for s in stages], axis=0),
        )
        logits = [total + attributes.bias for total, attributes in zip(sums, located)]
        pooled_top = stages[-1].mean(dim=(2, 3))
        return [*logits, self.global_classifier(pooled_top)], regions

    def _axis_weights(
        self, regions: Sequence[AffineRegions], sizes: Sequence[int], axis: int
    ) -> list[Tensor]:
        """Per level ``(B, A, size)``: weights of columns (axis 0) or rows (axis 1)."""
        return [
            region_weights(
                region.scale[..., axis],
                region.shift[..., axis],
                size,
                self.align_corners,
            )
            for region, size in zip(regions, sizes)
        ]

    def vote(self, logits: Sequence[Tensor]) -> Tensor:
        """One logit per attribute, ``(B, A)``, from those of the levels."""
        stacked = torch.stack(list(logits))
        return stacked.amax(dim=0) if self.voting == "max" else stacked.mean(dim=0)

    def boxes(
        self, stages: Sequence[Tensor], regions: Sequence[AffineRegions]
    ) -> Tensor:
        """Regions in shares of the levels' maps.

        Args:
            stages: As :meth:`logits`; only their sizes are read.
            regions: From :meth:`predict_levels`.

        Returns:
            ``(B, L, A, 4)``, (x1, y1, x2, y2) in [0, 1].
        """
        per_level = [
            region_boxes(region, (stage.shape[2], stage.shape[3]), self.align_corners)
            for region, stage in zip(regions, stages)
        ]
        return torch.stack(per_level, dim=1)

    def loss(
        self, stages: Sequence[Tensor], /, data_samples: list[DataSample], **kwargs: Any
    ) -> dict[str, Tensor]:
        """A loss for each prediction; MMEngine sums them.

        Args:
            stages: As :meth:`logits`.
            data_samples: With ``gt_score``.
            **kwargs: Passed on to the loss of one prediction.

        Returns:
            ``loss_level1`` (the finest) to ``loss_levelL``, and ``loss_global``.
        """
        logits, _ = self.predict_levels(stages)
        names = [f"level{i + 1}" for i in range(len(logits) - 1)] + ["global"]
        return {
            f"loss_{name}": self._get_loss(level, data_samples, **kwargs)["loss"]
            for name, level in zip(names, logits)
        }

    def upgrade_state_dict(
        self, state_dict: MutableMapping[str, Any], prefix: str = ""
    ) -> None:
        """Take over the laterals that ``ALMNeck`` had in an old checkpoint, in place.

        Args:
            state_dict: Of the whole model, or of one that has it under ``prefix``.
            prefix: With the dot.
        """
        former = f"{prefix}neck.laterals."
        for key in [key for key in state_dict if key.startswith(former)]:
            value = state_dict.pop(key)
            state_dict[f"{prefix}head.laterals.{key[len(former) :]}"] = value


def _refuse_former_arguments(in_channels: Any, kwargs: dict[str, Any]) -> None:
    if "predict_boxes" in kwargs:
        raise ValueError(
            "ALMHead has no predict_boxes; its boxes are given by the explainer "
            "ALMBoxes (ALMBoxes(model, level='all') for those of all levels)"
        )
    former = [name for name in ("global_channels", "num_levels") if name in kwargs]
    if former or isinstance(in_channels, int):
        raise ValueError(
            "ALMHead owns its laterals and reads the backbone's stages, so it has no "
            "global_channels or num_levels: write head=dict(type='ALMHead', "
            "in_channels=(512, 1024, 2048), channels=256) with the channels of the "
            f"backbone's stages, and no neck; got in_channels={in_channels} and "
            f"{former}"
        )


@MODELS.register_module(name="ALMNeck")
def _former_alm_neck(**kwargs: Any) -> None:
    raise ValueError(
        "ALMHead owns the laterals that ALMNeck had: remove model.neck and write "
        "model=dict(type='PARClassifier', head=dict(type='ALMHead', "
        f"in_channels={kwargs.get('in_channels', '(512, 1024, 2048)')}, "
        f"channels={kwargs.get('out_channels', 256)}, ...))"
    )
