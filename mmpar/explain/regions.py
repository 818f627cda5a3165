"""Explanations of models that read attributes from regions: geometry, boxes, points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmpar.explain.explainer import (
    Attributes,
    BoxExplainer,
    DataSamples,
    MapExplainer,
    normalize_maps,
)
from mmpar.explain.feature_gradients import layer_inputs
from mmpar.registry import EXPLAINERS
from mmpar.structures import assign_attributes

_REQUIRED = ("regions", "levels", "sampling_points")


class RegionGeometry:
    """Where the features of a neck's regions lie in the image.

    Args:
        model: Classifier whose neck has ``regions``, the pyramid ``levels()`` that they
            are read from and ``sampling_points(*inputs)``, and whose head has
            ``regions`` of the same names, with the attributes that each is read for.

    Raises:
        ValueError: The neck or the head has no regions.
    """

    def __init__(self, model: Any) -> None:
        self.neck: Any = model.neck
        if not has_regions(model):
            raise ValueError(
                "Grad-CAM-P, sampling points and region boxes need a model that reads "
                "attributes from regions, as SSPNetNeck and SSPNetHead do; this has "
                f"{type(self.neck).__name__} and {type(model.head).__name__}. Use "
                "GradCAM, or ALMBoxes for ALM"
            )
        assigned = assign_attributes(model.head.regions, model.head.schema)
        self.region_of = {
            index: name for name, indices in assigned.items() for index in indices
        }
        self.regions = {region.name: region for region in self.neck.regions}

    def place_by_points(
        self, response: Tensor, region: str, stages: Sequence[Tensor], sampling: Any
    ) -> Tensor:
        """Move what positions respond to the places that PLE gathered them from.

        The transpose of PLE's bilinear sampling: of a response, each sampling point
        gets its weight's share, spread over the four pixels around it. What falls
        outside the region is lost, as PLE reads zeros there. A position without points
        (all weights 0: the keypoint was not found) has read the mean of the region, so
        its response is spread evenly over that.

        Args:
            response: Not negative, one value per position of the region's features,
                ``(B, h, w)``.
            region: Its name.
            stages: What the neck was given.
            sampling: Points ``(B, K, h, w, 2)``, (x, y) in fractions of the image,
                and weights ``(B, K, h, w)``, of the region.

        Returns:
            The region's band of its level's map, ``(B, rows, W_l)``.
        """
        height, width, start, stop = self._band(region, stages)
        points, weights = sampling
        size = points.new_tensor((width, height))
        shares = (response[:, None] * weights).to(points.dtype)
        canvas = splat(points * size - 0.5, shares, height, width)
        everywhere = (response * (weights.sum(dim=1) == 0)).sum(dim=(1, 2))
        even = everywhere.to(points.dtype) / ((stop - start) * width)
        return canvas[:, start:stop] + even[:, None, None]

    def place_by_position(
        self, response: Tensor, region: str, stages: Sequence[Tensor]
    ) -> Tensor:
        """Leave what positions respond in place; as :meth:`place_by_points`.

        Raises:
            ValueError: The features are those of keypoints, which form no grid.
        """
        if getattr(self.neck, "needs_keypoints", False):
            raise ValueError(
                "features of keypoints are not a map of the region; explain this model "
                "with place_prior=True"
            )
        _, width, start, stop = self._band(region, stages)
        return _resized(response, stop - start, width)

    def into_image(
        self, band: Tensor, region: str, stages: Sequence[Tensor], size: Sequence[int]
    ) -> Tensor:
        """Upsample a region's band to its rows of the image, zero elsewhere.

        Args:
            band: ``(B, rows, W_l)``.
            region: Its name.
            stages: What the neck was given.
            size: (H, W) of the image.
        """
        top, bottom = self.pixel_rows(region, stages, size[0])
        image = band.new_zeros(len(band), *size)
        image[:, top:bottom] = _resized(band, bottom - top, size[1])
        return image

    def pixel_rows(
        self, region: str, stages: Sequence[Tensor], height: int
    ) -> tuple[int, int]:
        """First row and one past the last that a region covers in the image."""
        map_height, _, start, stop = self._band(region, stages)
        top, bottom = (round(edge * height / map_height) for edge in (start, stop))
        return top, max(bottom, top + 1)

    def _band(self, region: str, stages: Sequence[Tensor]) -> tuple[int, int, int, int]:
        """Height and width of the region's level, and its rows there."""
        height, width = stages[self.neck.levels()[region]].shape[2:]
        return (height, width, *self.regions[region].row_range(height))


@EXPLAINERS.register_module()
class RegionBoxes(BoxExplainer):
    """The rows that an attribute is read from, over the whole width of the image.

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
            maps[region] = self.geometry.into_image(
                band, region, given[0], inputs.shape[2:]
            )
        regions = [self.geometry.region_of[i] for i in self.indices(attributes)]
        return normalize_maps(torch.stack([maps[name] for name in regions], dim=1))


def has_regions(model: Any) -> bool:
    """Whether the model reads attributes from regions."""
    has_geometry = all(hasattr(model.neck, name) for name in _REQUIRED)
    return has_geometry and hasattr(model.head, "regions")


def splat(points: Tensor, values: Tensor, height: int, width: int) -> Tensor:
    """Add values to a map at points between its pixels, the transpose of sampling.

    Args:
        points: (x, y) in pixels, 0 the centre of the first, ``(B, ..., 2)``.
        values: ``(B, ...)``; what is outside the map is lost.
        height: H of the map.
        width: Its W.

    Returns:
        ``(B, H, W)``.
    """
    points, values = points.flatten(1, -2), values.flatten(1)
    # Far outside is outside, and does not overflow as an integer.
    points = points.nan_to_num().clamp(-2, max(height, width) + 1)
    first = points.floor()
    share = points - first
    canvas = values.new_zeros(len(values), height * width)
    for dx in (0, 1):
        for dy in (0, 1):
            x, y = (first + first.new_tensor((dx, dy))).long().unbind(-1)
            x_share, y_share = (share if d else 1 - share for d in (dx, dy))
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            amount = values * x_share[..., 0] * y_share[..., 1] * inside
            cell = (y * width + x).where(inside, torch.zeros_like(x))
            canvas.scatter_add_(1, cell, amount)
    return canvas.view(-1, height, width)


def _resized(maps: Tensor, height: int, width: int) -> Tensor:
    resized = F.interpolate(maps[:, None], (height, width), mode="bilinear")
    return resized[:, 0]
