"""Grad-CAM-P: Grad-CAM where the priors say that an attribute was read."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmpar.explain.explainer import (
    Attributes,
    DataSamples,
    MapExplainer,
    normalize_maps,
)
from mmpar.explain.feature_gradients import feature_gradients
from mmpar.explain.grad_cam import class_activation
from mmpar.explain.regions import RegionExplainer
from mmpar.registry import EXPLAINERS


def positional_activation(features: Tensor, gradients: Tensor) -> Tensor:
    """``relu(sum_c relu(gradient_c) feature_c)``, ``(B, C, h, w)`` to ``(B, h, w)``."""
    return (gradients.relu() * features.detach()).sum(dim=1).relu()


_ACTIVATIONS = dict(position=positional_activation, channel=class_activation)


@EXPLAINERS.register_module()
class GradCAMP(RegionExplainer, MapExplainer):
    """Grad-CAM at the pyramid level and in the region that an attribute is read from.

    Activations and gradients are those of the attribute's region feature, as the neck
    hands it to the head, so at the level of its scale prior. The map covers the
    region's rows of the image and is zero elsewhere. With ``place_prior`` the response
    at a position of the feature is given to the places that PLE gathered the position
    from (its sampling points, by their weights), which need not include the position
    itself.

    The head pools maxima: a channel has its gradient where it was the largest, and
    nowhere else. Grad-CAM's mean over positions would say that it counted everywhere,
    so by default each position keeps its own gradient.

    Source: the idea is SSPNet's, arXiv 2312.06049, which "masks and improves" Grad-CAM
    with the prior. No code of it was released, so the details are ours; the weights of
    positions are those of Jiang et al., "LayerCAM: Exploring Hierarchical Class
    Activation Maps for Localization", TIP 2021.

    Args:
        model: See :class:`Explainer`; its neck reads regions, as :class:`SSPNetNeck`.
        weighting: ``'position'``, ``relu(sum_c relu(g_c) A_c)`` of gradients g and
            activations A, or ``'channel'``, Grad-CAM's ``relu(sum_c mean(g_c) A_c)``.
        place_prior: Whether responses move to PLE's sampling points.

    Raises:
        ValueError: The model has no regions, or the weighting is unknown.
    """

    def __init__(
        self, model: nn.Module, weighting: str = "position", place_prior: bool = True
    ) -> None:
        super().__init__(model)
        if weighting not in _ACTIVATIONS:
            raise ValueError(
                f"weighting is one of {tuple(_ACTIVATIONS)}, got {weighting!r}"
            )
        self.activation = _ACTIVATIONS[weighting]
        self.place_prior = place_prior

    def __call__(
        self,
        inputs: Tensor,
        attributes: Attributes = None,
        data_samples: DataSamples = None,
    ) -> Tensor:
        """Response maps, ``(B, n, H, W)``; see :class:`MapExplainer`."""
        indices = self.indices(attributes)
        neck = self.model.neck
        found = feature_gradients(self.model, neck, inputs, data_samples)
        bands = self.bands(found.layer_inputs[0], inputs, data_samples)
        if self.place_prior:
            with torch.no_grad():
                sampling = neck.sampling_points(*found.layer_inputs)
        maps = []
        for index in indices:
            region = self.geometry.region_of[index]
            gradients = found.gradient(index, region)
            response = self.activation(found.maps[region], gradients)
            band = bands[region]
            if self.place_prior:
                rows = band.place_by_points(response, sampling[region])
            else:
                rows = self.geometry.place_by_position(response, band)
            maps.append(band.into_image(rows))
        return normalize_maps(torch.stack(maps, dim=1))
