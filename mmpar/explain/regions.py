"""Explanations of models that read attributes from regions: geometry, boxes, points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mmpar.explain.explainer import (
    Attributes,
    BoxExplainer,
    DataSamples,
    Explainer,
    MapExplainer,
    normalize_maps,
)
from mmpar.explain.feature_gradients import layer_inputs
from mmpar.models.layers import CellGrid, SamplingPoints
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

    def bands(
        self, stages: Sequence[Tensor], grids: Sequence[CellGrid], size: Sequence[int]
    ) -> dict[str, RegionBand]:
        """What each region covers, by its name.

        Args:
            stages: What the neck was given; their sizes are read.
            grids: Of the stages.
            size: (H, W) of the image.
        """
        bands = {}
        for name, level in self.neck.levels().items():
            height, width = stages[level].shape[2:]
            start, stop = self.regions[name].row_range(height)
            bands[name] = RegionBand(
                (height, width), start, stop, grids[level], (size[0], size[1])
            )
        return bands


class RegionExplainer(Explainer):
    """Explains a model that reads attributes from regions, as :class:`SSPNetNeck` does.

    Args:
        model: See :class:`Explainer`.

    Raises:
        ValueError: The model has no regions.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.geometry = RegionGeometry(self.model)

    def bands(
        self, stages: Sequence[Tensor], inputs: Tensor, data_samples: DataSamples
    ) -> dict[str, RegionBand]:
        """What each region covers, by its name.

        Args:
            stages: What the neck was given.
            inputs: As for the call.
            data_samples: As for the call.
        """
        grids = self.grids(self.model.backbone, inputs, data_samples)
        return self.geometry.bands(stages, grids, inputs.shape[2:])


@dataclass(frozen=True)
class RegionBand:
    """A region's rows of its level's map, and where they lie in the image.

    Args:
        cells: (h, w) of the map.
        start: First row of the region.
        stop: One past its last.
        grid: Of the map.
        image: (H, W) in pixels.
    """

    cells: tuple[int, int]
    start: int
    stop: int
    grid: CellGrid
    image: tuple[int, int]

    @property
    def pixel_rows(self) -> tuple[int, int]:
        """First row and one past the last that the region covers in the image."""
        edges = torch.tensor([[0.0, self.start], [0.0, self.stop]])
        pixels = self.grid.edges_to_pixels(edges, self.cells, self.image)
        top, bottom = (round(y) for y in pixels[:, 1].tolist())
        top = min(top, self.image[0] - 1)
        return top, max(bottom, top + 1)

    def place_by_points(self, response: Tensor, sampling: SamplingPoints) -> Tensor:
        """Move what positions respond to the places that PLE gathered them from.

        The transpose of PLE's bilinear sampling: of a response, each sampling point
        gets its weight's share, spread over the four cells around it. What falls
        outside the region is lost, as PLE reads zeros there. A position without points
        (all weights 0: the keypoint was not found) has read the mean of the region, so
        its response is spread evenly over that.

        Args:
            response: Not negative, one value per position of the region's features,
                ``(B, h, w)``.
            sampling: Points ``(B, K, h, w, 2)`` and weights ``(B, K, h, w)``, of the
                region.

        Returns:
            The region's rows of the map, ``(B, rows, w)``.
        """
        points, weights = sampling
        rows, width = self.stop - self.start, self.cells[1]
        shares = (response[:, None] * weights).to(points.dtype)
        placed = splat(points, shares, rows, width)
        everywhere = (response * (weights.sum(dim=1) == 0)).sum(dim=(1, 2))
        even = everywhere.to(points.dtype) / (rows * width)
        return placed + even[:, None, None]

    def into_image(self, rows: Tensor) -> Tensor:
        """Upsample the region's rows to those of the image, zero elsewhere.

        Args:
            rows: ``(B, rows, w)``.

        Returns:
            ``(B, H, W)``.
        """
        top, bottom = self.pixel_rows
        image = self.grid.shifted((0, self.start)).resize(rows, self.image)
        image[:, :top] = 0
        image[:, bottom:] = 0
        return image


@EXPLAINERS.register_module()
class RegionBoxes(RegionExplainer, BoxExplainer):
    """The rows that an attribute is read from, over the whole width of the image.

    Args:
        model: See :class:`Explainer`; its neck reads regions, as :class:`SSPNetNeck`.

    Raises:
        ValueError: The model has no regions.
    """

    @torch.no_grad()
    def __call__(
        self,
        inputs: Tensor,
        attributes: Attributes = None,
        data_samples: DataSamples = None,
    ) -> Tensor:
        """Boxes, ``(B, n, 4)``, the same for all; see :class:`BoxExplainer`."""
        stages = layer_inputs(self.model, self.model.neck, inputs, data_samples)[0]
        bands = self.bands(stages, inputs, data_samples)
        width = float(inputs.shape[3])
        boxes = []
        for index in self.indices(attributes):
            top, bottom = bands[self.geometry.region_of[index]].pixel_rows
            boxes.append((0.0, float(top), width, float(bottom)))
        # Not in the precision of the inputs: half types have no pixel 257.
        found = torch.tensor(boxes, device=inputs.device)
        return found.expand(len(inputs), -1, -1)


@EXPLAINERS.register_module()
class PLEPoints(RegionExplainer, MapExplainer):
    """How densely PLE samples each place of an attribute's region.

    Every position of the region's feature counts the same and gives its sampling points
    their weights. No gradients: the map is the same for all attributes of a region.

    Args:
        model: See :class:`Explainer`; its neck reads regions, as :class:`SSPNetNeck`.

    Raises:
        ValueError: The model has no regions.
    """

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
        bands = self.bands(given[0], inputs, data_samples)
        maps = {}
        for region, sampling in neck.sampling_points(*given).items():
            ones = torch.ones_like(sampling.weights[:, 0])
            rows = bands[region].place_by_points(ones, sampling)
            maps[region] = bands[region].into_image(rows)
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
