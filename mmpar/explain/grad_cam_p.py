"""Grad-CAM-P: Grad-CAM where the priors say that an attribute was read."""

from __future__ import annotations

import torch
from torch import Tensor

from mmpar.explain.explainer import (
    Attributes,
    DataSamples,
    MapExplainer,
    normalize_maps,
)
from mmpar.explain.feature_gradients import feature_gradients
from mmpar.explain.regions import RegionExplainer
from mmpar.registry import EXPLAINERS


@EXPLAINERS.register_module()
class GradCAMP(RegionExplainer, MapExplainer):
    """What each place of the backbone's stages adds to a logit, in the region's rows.

    A region's feature mixes what the pyramid brings from coarser stages with what PLE
    gathers from other places, so where it responds is not where that was seen. Between
    the stages and the logit all is linear but for PLE's points and the maxima that the
    head pools, so the gradient follows both priors back: with the features A_l of stage
    l and their gradients g_l, ``sum_c g_lc A_lc`` is what each place of a stage adds to
    the logit. Each stage's map ``relu(sum_c g_lc A_lc)`` is laid over the image, where
    its cells lie at the places that they look at
    (:func:`mmpar.models.layers.cell_grids`), as a density, divided by the pixels of a
    cell. The sum of the stages is the map; outside the rows that the attribute's region
    covers it is zero.

    Source: the idea is SSPNet's, arXiv 2312.06049, which "masks and improves" Grad-CAM
    with the prior. No code of it was released, so the details are ours. A gradient of
    its own for each position, instead of Grad-CAM's mean, is that of Draelos and Carin,
    "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural
    networks", 2020; of several stages, that of Jiang et al., "LayerCAM: Exploring
    Hierarchical Class Activation Maps for Localization", TIP 2021.

    Args:
        model: See :class:`Explainer`; its neck reads regions, as :class:`SSPNetNeck`.

    Raises:
        ValueError: The model has no regions.
    """

    def __call__(
        self,
        inputs: Tensor,
        attributes: Attributes = None,
        data_samples: DataSamples = None,
    ) -> Tensor:
        """Response maps, ``(B, n, H, W)``; see :class:`MapExplainer`."""
        size = inputs.shape[2:]
        found = feature_gradients(self.model, self.model.backbone, inputs, data_samples)
        grids = self.grids(self.model.backbone, inputs, data_samples)
        stages = [*found.maps.values()]
        bands = self.bands(stages, inputs, data_samples)
        maps = []
        for index in self.indices(attributes):
            top, bottom = bands[self.geometry.region_of[index]].pixel_rows
            seen = inputs.new_zeros(len(inputs), *size, dtype=stages[0].dtype)
            for (name, features), grid in zip(found.maps.items(), grids):
                added = (found.gradient(index, name) * features.detach()).sum(dim=1)
                pixels = grid.stride[0] * grid.stride[1]
                seen += grid.resize(added.relu() / pixels, size)
            seen[:, :top] = 0
            seen[:, bottom:] = 0
            maps.append(seen)
        return normalize_maps(torch.stack(maps, dim=1))
