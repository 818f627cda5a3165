"""The head of ALM: every attribute from a region of its own at every level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmpar.models.heads.par_head import PARHead, Schema
from mmpar.models.layers import (
    AttributeLocalization,
    Lateral,
    Regions,
    pool_levels,
    read_levels,
    region_boxes,
    region_weights,
)
from mmpar.registry import MODELS

VOTINGS = ("max", "mean")
Feats = Sequence[Any]


@MODELS.register_module()
class ALMHead(PARHead):
    """One prediction a level from attribute-specific regions, and a global one.

    Each is supervised (deep supervision, losses summed), and they vote. The head is
    given :class:`ALMNeck`'s laterals and reads the levels of the pyramid through them.

    Source: ALM, arXiv 1910.04562.

    Args:
        schema: See :class:`PARHead`.
        global_channels: Channels of the backbone's last stage.
        in_channels: Channels of every lateral.
        num_levels: L, laterals that the neck gives.
        reduction: Factor by which the channel attention narrows the features.
        align_corners: Convention of the sampling grid, see :func:`region_weights`. The
            released weights were trained by torch 0.4, whose convention is True.
        voting: ``'max'`` (as published) or ``'mean'`` of the L + 1 logits.
        predict_boxes: Whether :meth:`predict` adds ``pred_boxes``.
        **kwargs: See :class:`PARHead`; the loss is :class:`ALMLoss` by default.
    """

    def __init__(
        self,
        schema: Schema,
        global_channels: int,
        in_channels: int = 256,
        num_levels: int = 3,
        reduction: int = 16,
        align_corners: bool = True,
        voting: str = "max",
        predict_boxes: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("loss", dict(type="ALMLoss", _scope_="mmpar"))
        super().__init__(schema, **kwargs)
        if voting not in VOTINGS:
            raise ValueError(f"voting is one of {VOTINGS}, got {voting!r}")
        self.align_corners = align_corners
        self.voting = voting
        self.predict_boxes = predict_boxes
        self.localizations = nn.ModuleList(
            AttributeLocalization(
                len(self.schema), in_channels * (num_levels - level), reduction
            )
            for level in range(num_levels)
        )
        self.global_classifier = nn.Linear(global_channels, len(self.schema))

    def forward(self, feats: Feats) -> Tensor:
        """The voted logits.

        Args:
            feats: From :class:`ALMNeck`: laterals of C channels, finest first, then the
                pooled last stage ``(B, C_global)``.

        Returns:
            ``(B, A)``.
        """
        logits, _ = self.read(feats)
        return self.vote(logits)

    def read(self, feats: Feats) -> tuple[list[Tensor], list[Regions]]:
        """Every prediction, and where it came from.

        Args:
            feats: As :meth:`forward`.

        Returns:
            L + 1 logits ``(B, A)``, finest level first and the global ones last, and L
            regions.

        Raises:
            ValueError: The neck gives another number of levels.
        """
        *laterals, pooled_top = feats
        if len(laterals) != len(self.localizations):
            raise ValueError(
                f"the head has num_levels={len(self.localizations)}, but the neck "
                f"gives {len(laterals)} laterals; give both the same"
            )
        laterals = [
            lateral.settle(num_reads=len(self.schema) * (level + 1))
            for level, lateral in enumerate(laterals)
        ]
        located = [
            localization(pooled)
            for localization, pooled in zip(self.localizations, pool_levels(laterals))
        ]
        channels, regions = ([part[i] for part in located] for i in (0, 1))
        columns, rows = (self._axis_weights(regions, laterals, axis) for axis in (0, 1))
        logits = [
            value + localization.get_parameter("classifier_bias")
            for value, localization in zip(
                read_levels(laterals, channels, rows, columns), self.localizations
            )
        ]
        return [*logits, self.global_classifier(pooled_top)], regions

    def _axis_weights(
        self, regions: Sequence[Regions], laterals: Sequence[Lateral], axis: int
    ) -> list[Tensor]:
        """Per level the weights of columns (axis 0) or rows (axis 1)."""
        return [
            region_weights(
                region.scale[..., axis],
                region.shift[..., axis],
                lateral.features.shape[3 - axis],
                self.align_corners,
            )
            for region, lateral in zip(regions, laterals)
        ]

    def vote(self, logits: Sequence[Tensor]) -> Tensor:
        """One logit an attribute, ``(B, A)``, from those of the levels."""
        stacked = torch.stack(list(logits))
        return stacked.amax(dim=0) if self.voting == "max" else stacked.mean(dim=0)

    def boxes(self, feats: Feats, regions: Sequence[Regions]) -> Tensor:
        """Regions as shares of the picture's width and height.

        Args:
            feats: As :meth:`forward`; only their sizes are read.
            regions: From :meth:`read`.

        Returns:
            ``(B, L, A, 4)``, (x1, y1, x2, y2) in [0, 1].
        """
        per_level = [
            region_boxes(region, lateral.features.shape[2:], self.align_corners)
            for region, lateral in zip(regions, feats)
        ]
        return torch.stack(per_level, dim=1)

    def loss(
        self, feats: Feats, data_samples: list[DataSample], **kwargs: Any
    ) -> dict[str, Tensor]:
        """A loss for each prediction; MMEngine sums them.

        Args:
            feats: As :meth:`forward`.
            data_samples: With ``gt_score``.
            **kwargs: Passed on to the loss of one prediction.

        Returns:
            ``loss_level1`` (the finest) to ``loss_levelL``, and ``loss_global``.
        """
        logits, _ = self.read(feats)
        names = [f"level{i + 1}" for i in range(len(logits) - 1)] + ["global"]
        return {
            f"loss_{name}": self._get_loss(level, data_samples, **kwargs)["loss"]
            for name, level in zip(names, logits)
        }

    def predict(
        self, feats: Feats, data_samples: list[DataSample] | None = None
    ) -> list[DataSample]:
        """Scores and labels, and with ``predict_boxes`` the regions.

        Args:
            feats: As :meth:`forward`.
            data_samples: Filled and returned; boxes need their ``img_shape``.

        Returns:
            Per picture ``pred_score`` and ``pred_label``, and ``pred_boxes``,
            ``(L, A, 4)``, (x1, y1, x2, y2) in pixels of the input, as
            ``gt_attribute_boxes`` are, clipped to it, finest level first.

        Raises:
            ValueError: Boxes are wanted, and the size of a picture is not known.
        """
        logits, regions = self.read(feats)
        predicted = self._get_predictions(self.vote(logits), data_samples)
        if self.predict_boxes:
            for sample, box in zip(predicted, self.boxes(feats, regions)):
                height, width = _picture_size(sample)
                pixels = box * box.new_tensor([width, height, width, height])
                sample.set_field(pixels, "pred_boxes")
        return predicted


def _picture_size(sample: DataSample) -> tuple[int, int]:
    if "img_shape" not in sample:
        raise ValueError(
            "predict_boxes=True gives boxes in pixels, but a data sample has no "
            "'img_shape'; let the pipeline pack it (PackPARInputs does), or set "
            "model.head.predict_boxes=False"
        )
    height, width = sample.img_shape[:2]
    return height, width
