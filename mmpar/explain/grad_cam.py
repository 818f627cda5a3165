"""Grad-CAM for any attribute of any model."""

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
from mmpar.registry import EXPLAINERS


@EXPLAINERS.register_module()
class GradCAM(MapExplainer):
    """Feature channels weighted by their effect on an attribute's logit.

    With A the features and y the logit, ``alpha_c = mean_ij dy / dA_cij``, and the map
    is ``relu(sum_c alpha_c A_c)``, upsampled bilinearly to the input, where each cell
    lies at the place that it looks at (:func:`mmpar.models.layers.cell_grids`). One
    forward pass, and one backward pass per attribute, from the logits to the layer
    only. Parameters, their gradients and the training mode stay as they are; works in
    eval mode, under autocast and ``torch.no_grad()``.

    Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via
    Gradient-based Localization", ICCV 2017. The package ``grad-cam`` is not used: it
    runs the whole model backwards for every attribute, and scikit-learn and OpenCV's
    GUI build come with it.

    >>> from mmpretrain.models import ImageClassifier
    >>> from mmpar.models import LinearPARHead
    >>> model = ImageClassifier(
    ...     backbone=dict(type="mmpretrain.ResNet", depth=18),
    ...     neck=dict(type="mmpretrain.GlobalAveragePooling"),
    ...     head=LinearPARHead("pa100k", in_channels=512),
    ...     data_preprocessor=dict(type="mmpretrain.ClsDataPreprocessor"),
    ... )
    >>> images = torch.rand(2, 3, 64, 32)  # preprocessed
    >>> GradCAM(model)(images, ["Hat", "Female"]).shape  # (B, n, H, W), in [0, 1]
    torch.Size([2, 2, 64, 32])

    Args:
        model: See :class:`Explainer`.
        target_layer: The layer, or its name in the model, whose output is A; of several
            maps the last. By default the backbone, so its last stage.
    """

    def __init__(
        self, model: nn.Module, target_layer: nn.Module | str | None = None
    ) -> None:
        super().__init__(model)
        if target_layer is None:
            self.target_layer: nn.Module = self.model.backbone
        elif isinstance(target_layer, str):
            self.target_layer = _named_layer(self.model, target_layer)
        else:
            self.target_layer = target_layer

    def __call__(
        self,
        inputs: Tensor,
        attributes: Attributes = None,
        data_samples: DataSamples = None,
    ) -> Tensor:
        """Response maps, ``(B, n, H, W)``; see :class:`MapExplainer`."""
        indices = self.indices(attributes)
        found = feature_gradients(self.model, self.target_layer, inputs, data_samples)
        last = found.last
        maps = [
            class_activation(found.maps[last], found.gradient(i, last)) for i in indices
        ]
        grid = self.grids(self.target_layer, inputs, data_samples)[-1]
        return normalize_maps(grid.resize(torch.stack(maps, dim=1), inputs.shape[2:]))


def class_activation(features: Tensor, gradients: Tensor) -> Tensor:
    """``relu(sum_c mean(gradient_c) feature_c)``, ``(B, C, h, w)`` to ``(B, h, w)``."""
    alpha = gradients.mean(dim=(2, 3))
    return (alpha[:, :, None, None] * features.detach()).sum(dim=1).relu()


def _named_layer(model: nn.Module, name: str) -> nn.Module:
    try:
        return model.get_submodule(name)
    except AttributeError:
        parts = [child for child, _ in model.named_children()]
        raise ValueError(
            f"the model has no layer {name!r}; its parts are {parts}, their layers are "
            "named like 'backbone.layer3'"
        ) from None
