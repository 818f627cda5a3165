"""Does a box hold the evidence? Occlude it, and occlude as much elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmpar.evaluation.functional import (
    DEFAULT_THRESHOLD,
    check_threshold,
    map_to_box,
)
from mmpar.explain.regions import RegionBoxes, has_regions
from mmpar.models.utils import unwrap_model
from mmpar.structures.boxes import PixelBox as Box
from mmpar.structures.boxes import round_to_pixels


class OcclusionTest:
    """Compares what a box costs a logit, occluded, with another box of its size.

    Occluded pixels become zero in the preprocessed input, grey of the mean colour. If
    the box is where the answer came from, the logit drops more than for the other box,
    which is at a random place that does not overlap. Judged are attributes that are
    present and predicted.

    A model may read an attribute from a region of rows only. Then much of the image
    costs next to nothing, and a box beats another by being in the region, whatever it
    shows. So there are two comparisons: with a box anywhere in the image, and, for
    models with regions, with a box in the attribute's region.

    Args:
        model: Classifier in eval mode; it may be wrapped for distributed runs.
        threshold: From maps to boxes; see :func:`map_to_box`.
        seed: Of the other boxes' places, which do not depend on the order of samples.
    """

    def __init__(
        self, model: nn.Module, threshold: float = DEFAULT_THRESHOLD, seed: int = 0
    ) -> None:
        check_threshold(threshold)
        self.model = unwrap_model(model)
        self.threshold = threshold
        self.seed = seed
        self._regions = RegionBoxes(self.model) if has_regions(self.model) else None

    @torch.no_grad()
    def annotate(self, inputs: Tensor, data_samples: Sequence[Any]) -> None:
        """Add to each data sample what :class:`OcclusionMetric` reads.

        ``occlusion_boxes``, ``(A, 4)``, are the judged boxes, (x1, y1, x2, y2) in
        pixels, NaN where the attribute is not judged or has no box.
        ``occlusion_drops``, ``(A, C, 2)``, are the drops of the logit, for the box and
        for the other; C comparisons, in the image and, for models with regions, in the
        region. NaN where no other place is left.

        Args:
            inputs: Preprocessed images, ``(B, 3, H, W)``.
            data_samples: Predicted and explained, one per image.
        """
        regions = None
        if self._regions is not None:  # the same for all images
            found = self._regions(inputs, None, data_samples)[0]
            regions = found.float().cpu().numpy()
        for image, sample in zip(inputs, data_samples):
            boxes = self._judged_boxes(sample)
            drops = self._drops(image, sample, boxes, regions)
            sample.set_field(torch.from_numpy(boxes), "occlusion_boxes")
            sample.set_field(torch.from_numpy(drops), "occlusion_drops")

    def _judged_boxes(self, sample: Any) -> np.ndarray:
        boxes = np.full((len(sample.gt_score), 4), np.nan)
        for index in sample.pred_label.tolist():
            if sample.gt_score[index] != 1:
                continue
            if "pred_attribute_boxes" in sample:
                box = sample.pred_attribute_boxes[index].float().cpu().numpy()
            else:
                response = sample.pred_attribute_maps[index].float().cpu().numpy()
                box = map_to_box(response, self.threshold)
            boxes[index] = box
        return boxes

    def _drops(
        self, image: Tensor, sample: Any, boxes: np.ndarray, regions: np.ndarray | None
    ) -> np.ndarray:
        """Drops of the logits, ``(A, C, 2)``."""
        rng = np.random.default_rng((self.seed, int(sample.sample_idx)))
        size = (image.shape[2], image.shape[1])
        comparisons = 1 if regions is None else 2
        drops = np.full((len(boxes), comparisons, 2), np.nan)
        pairs: dict[tuple[int, int], tuple[Box, Box]] = {}
        for index in np.flatnonzero(~np.isnan(boxes).any(axis=1)).tolist():
            box = round_to_pixels(boxes[index], *size)
            areas = [(0, 0, *size)]
            if regions is not None:
                areas.append(round_to_pixels(regions[index], *size))
            for comparison, area in enumerate(areas):
                other = random_disjoint_box(box, area, rng)
                if other is None:
                    break  # none in the image: none in the region
                pairs[index, comparison] = (box, other)
        if pairs:
            lost = self._lost_logits(image, sample, pairs.values())
            for (index, comparison), pair in pairs.items():
                drops[index, comparison] = [lost[box][index] for box in pair]
        return drops

    def _lost_logits(self, image: Tensor, sample: Any, pairs: Any) -> dict:
        """What occluding each box takes from the logits, box to ``(A,)``."""
        boxes = list(dict.fromkeys(box for pair in pairs for box in pair))
        variants = torch.stack([image, *(occlude(image, box) for box in boxes)])
        logits = self.model(variants, [sample] * len(variants), mode="tensor").double()
        return dict(zip(boxes, (logits[:1] - logits[1:]).cpu().numpy()))


def random_disjoint_box(box: Box, area: Box, rng: np.random.Generator) -> Box | None:
    """A box of the same size that does not overlap, at a random place in an area.

    Args:
        box: (x1, y1, x2, y2) in whole pixels.
        area: Where to look, likewise.
        rng: Every possible place is equally likely.

    Returns:
        None if there is no such place.
    """
    (x1, y1, x2, y2), (left, top, right, bottom) = box, area
    width, height = x2 - x1, y2 - y1
    lefts = np.arange(left, right - width + 1)
    tops = np.arange(top, bottom - height + 1)
    beside = (lefts <= x1 - width) | (lefts >= x2)
    above = (tops <= y1 - height) | (tops >= y2)
    places = np.argwhere(above[:, None] | beside)
    if len(places) == 0:
        return None
    row, column = places[rng.integers(len(places))]
    x, y = int(lefts[column]), int(tops[row])
    return x, y, x + width, y + height


def occlude(image: Tensor, box: Box) -> Tensor:
    """A copy of a preprocessed image, zero (the mean colour) in the box."""
    x1, y1, x2, y2 = box
    occluded = image.clone()
    occluded[:, y1:y2, x1:x2] = 0
    return occluded
