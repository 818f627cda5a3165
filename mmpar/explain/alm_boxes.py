"""The regions that ALM learned for its attributes as their boxes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmpar.explain.explainer import Attributes, BoxExplainer, DataSamples
from mmpar.explain.feature_gradients import layer_inputs
from mmpar.models.layers import CellGrid
from mmpar.registry import EXPLAINERS
from mmpar.structures.boxes import scale_boxes

LEVELS = ("strongest", "all")


@EXPLAINERS.register_module()
class ALMBoxes(BoxExplainer):
    """An attribute's learned region at the level with the largest logit.

    ALM reads every attribute at every level from a region of its own. The global
    prediction has no box.

    Args:
        model: See :class:`Explainer`; its head is an :class:`ALMHead`.
        level: ``'strongest'``, or ``'all'`` for the boxes of all L levels, finest
            first: ``(B, n, L, 4)`` and ``pred_attribute_boxes`` ``(A, L, 4)``, which
            LocalizationMetric does not judge.

    Raises:
        ValueError: The head has no regions of this kind, or the level is unknown.
    """

    def __init__(self, model: nn.Module, level: str = "strongest") -> None:
        super().__init__(model)
        head = self.model.head
        if not (hasattr(head, "predict_levels") and hasattr(head, "boxes")):
            raise ValueError(
                "ALM's boxes come from ALMHead, but the model has "
                f"{type(head).__name__}; use GradCAM, or GradCAMP for SSPNet"
            )
        if level not in LEVELS:
            raise ValueError(f"level is one of {LEVELS}, got {level!r}")
        self.level = level

    @torch.no_grad()
    def __call__(
        self,
        inputs: Tensor,
        attributes: Attributes = None,
        data_samples: DataSamples = None,
    ) -> Tensor:
        """Boxes, ``(B, n, 4)`` or ``(B, n, L, 4)``; see :class:`BoxExplainer`."""
        head = self.model.head
        (stages,) = layer_inputs(self.model, head, inputs, data_samples)
        (*levels, _), regions = head.predict_levels(stages)
        grids = self.grids(self.model.backbone, inputs, data_samples)
        per_level = head.boxes(stages, regions).unbind(1)  # L of (B, A, 4)
        boxes = torch.stack(
            [
                _in_image(level, stage.shape[2:], grid, inputs.shape[2:])
                for level, stage, grid in zip(per_level, stages, grids)
            ],
            dim=2,
        )
        if self.level == "strongest":
            strongest = torch.stack(levels, dim=2).argmax(dim=2)  # (B, A)
            boxes = boxes.take_along_dim(strongest[:, :, None, None], dim=2)[:, :, 0]
        return boxes[:, list(self.indices(attributes))]


def _in_image(
    boxes: Tensor, cells: Sequence[int], grid: CellGrid, image: Sequence[int]
) -> Tensor:
    """From shares of a map to pixels of the image, ``(B, A, 4)``."""
    # At float32 at least: half types have no pixel 257.
    edges = scale_boxes(boxes, cells[1], cells[0]).unflatten(-1, (2, 2))
    return grid.edges_to_pixels(edges, cells, image).flatten(-2)
