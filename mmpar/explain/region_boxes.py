"""The region of an attribute as a box: what localization has to beat."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmpar.explain.explainer import Attributes, BoxExplainer, DataSamples
from mmpar.explain.feature_gradients import layer_inputs
from mmpar.explain.region_geometry import RegionGeometry
from mmpar.registry import EXPLAINERS


@EXPLAINERS.register_module()
class RegionBoxes(BoxExplainer):
    """The rows that an attribute is read from, over the whole width of the picture.

    Args:
        model: See :class:`Explainer`; its neck reads regions, as :class:`SSPNetNeck`.

    Raises:
        ValueError: The model has no regions.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.geometry = RegionGeometry(self.model)

    @torch.no_grad()
    def __call__(
        self,
        inputs: Tensor,
        attributes: Attributes = None,
        data_samples: DataSamples = None,
    ) -> Tensor:
        """Boxes, ``(B, n, 4)``, the same for all; see :class:`BoxExplainer`."""
        stages = layer_inputs(self.model, self.model.neck, inputs, data_samples)[0]
        height, width = inputs.shape[2:]
        boxes = []
        for index in self.indices(attributes):
            region = self.geometry.region_of[index]
            top, bottom = self.geometry.pixel_rows(region, stages, height)
            boxes.append((0.0, float(top), float(width), float(bottom)))
        # Not in the precision of the inputs: half types have no pixel 257.
        found = torch.tensor(boxes, device=inputs.device)
        return found.expand(len(inputs), -1, -1)
