"""From what a region's features say to places in the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmpar.structures import assign_attributes

_NEEDED = ("regions", "levels", "sampling_points")


class RegionGeometry:
    """Where the features of a neck's regions lie in the picture.

    Args:
        model: Classifier whose neck tells its ``regions``, the pyramid ``levels()``
            that they are read from and its ``sampling_points(*inputs)``, and whose
            head tells by its ``regions``, of the same names, what each is read for.

    Raises:
        ValueError: The neck or the head has no regions.
    """

    def __init__(self, model: Any) -> None:
        self.neck: Any = model.neck
        if not has_regions(model):
            raise ValueError(
                "Grad-CAM-P, sampling points and region boxes are of models that read "
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
            response: Not negative, a value a position of the region's features,
                ``(B, h, w)``.
            region: Its name.
            stages: What the neck was given.
            sampling: Points ``(B, K, h, w, 2)``, (x, y) in fractions of the picture,
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
        """Leave what positions respond where they lie; as :meth:`place_by_points`.

        Raises:
            ValueError: The features are those of keypoints, which are no grid.
        """
        if getattr(self.neck, "needs_keypoints", False):
            raise ValueError(
                "features of keypoints are no map of the region; explain this model "
                "with place_prior=True"
            )
        _, width, start, stop = self._band(region, stages)
        return _resized(response, stop - start, width)

    def into_picture(
        self, band: Tensor, region: str, stages: Sequence[Tensor], size: Sequence[int]
    ) -> Tensor:
        """Upsample a region's band to its rows of the picture, zero elsewhere.

        Args:
            band: ``(B, rows, W_l)``.
            region: Its name.
            stages: What the neck was given.
            size: (H, W) of the picture.
        """
        top, bottom = self.pixel_rows(region, stages, size[0])
        picture = band.new_zeros(len(band), *size)
        picture[:, top:bottom] = _resized(band, bottom - top, size[1])
        return picture

    def pixel_rows(
        self, region: str, stages: Sequence[Tensor], height: int
    ) -> tuple[int, int]:
        """First row and one past the last that a region covers in the picture."""
        map_height, _, start, stop = self._band(region, stages)
        top, bottom = (round(edge * height / map_height) for edge in (start, stop))
        return top, max(bottom, top + 1)

    def _band(self, region: str, stages: Sequence[Tensor]) -> tuple[int, int, int, int]:
        """Height and width of the region's level, and its rows there."""
        height, width = stages[self.neck.levels()[region]].shape[2:]
        return (height, width, *self.regions[region].row_range(height))


def has_regions(model: Any) -> bool:
    """Whether the model reads attributes from regions."""
    told = all(hasattr(model.neck, name) for name in _NEEDED)
    return told and hasattr(model.head, "regions")


def splat(points: Tensor, values: Tensor, height: int, width: int) -> Tensor:
    """Add values to a map at points between its pixels, the transpose of sampling.

    Args:
        points: (x, y) in pixels, 0 the centre of the first, ``(B, ..., 2)``.
        values: ``(B, ...)``; what lies outside the map is lost.
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
