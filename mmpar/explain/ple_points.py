"""The place prior itself as a map: where PLE gathers its features from."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmpar.explain.explainer import Attributes, DataSamples, MapExplainer, normalised
from mmpar.explain.feature_gradients import layer_inputs
from mmpar.explain.region_geometry import RegionGeometry
from mmpar.registry import EXPLAINERS


@EXPLAINERS.register_module()
class PLEPoints(MapExplainer):
    """How densely PLE samples each place of an attribute's region.

    Every position of the region's feature counts the same and gives its sampling points
    their weights. No gradients: the map is the same for all attributes of a region.

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
        """Density maps, ``(B, n, H, W)``; see :class:`MapExplainer`."""
        neck = self.model.neck
        given = layer_inputs(self.model, neck, inputs, data_samples)
        maps = {}
        for region, sampling in neck.sampling_points(*given).items():
            ones = torch.ones_like(sampling[1][:, 0])
            band = self.geometry.place_by_points(ones, region, given[0], sampling)
            maps[region] = self.geometry.into_picture(
                band, region, given[0], inputs.shape[2:]
            )
        regions = [self.geometry.region_of[i] for i in self.indices(attributes)]
        return normalised(torch.stack([maps[name] for name in regions], dim=1))
