"""Does a box hold the evidence? Hide it, and hide as much elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Box = tuple[int, int, int, int]


@dataclass
class MaskingCheck:
    """Compares what hiding a box costs a logit with hiding as large a box elsewhere.

    Hidden is what becomes zero in the preprocessed input: grey of the mean colour. If
    the box is where the answer came from, the logit falls more than for the other box.

    Args:
        model: Classifier in eval mode.
        seed: Of the other boxes' places.
    """

    model: nn.Module
    seed: int = 0
    drops: list[tuple[int, float, float]] = field(default_factory=list)
    """Attribute, and how far its logit fell for the box and for the other."""
    without_place: int = 0
    """Boxes too large for another of their size beside them; they are not compared."""
    without_box: int = 0
    """Answers whose explanation gave no box; they are not compared."""

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)

    @torch.no_grad()
    def add(
        self, picture: Tensor, boxes: dict[int, np.ndarray], data_sample: Any = None
    ) -> None:
        """Compare the boxes of one picture.

        Args:
            picture: Preprocessed, ``(3, H, W)``.
            boxes: Attribute's position to its box, (x1, y1, x2, y2) in pixels; NaN
                where there is none.
            data_sample: For models that read more than the picture.
        """
        height, width = picture.shape[1:]
        variants, pairs = [picture], []
        for index, edges in boxes.items():
            if np.isnan(edges).any():
                self.without_box += 1
                continue
            box = _whole_pixels(edges)
            other = elsewhere(box, (height, width), self._rng)
            if other is None:
                self.without_place += 1
                continue
            variants += [hidden(picture, box), hidden(picture, other)]
            pairs.append(index)
        if not pairs:
            return
        samples = None if data_sample is None else [data_sample] * len(variants)
        logits = self.model(torch.stack(variants), samples, mode="tensor").float()
        for pair, index in enumerate(pairs):
            before, box_hidden, other_hidden = (
                float(logits[row, index]) for row in (0, 1 + 2 * pair, 2 + 2 * pair)
            )
            self.drops.append((index, before - box_hidden, before - other_hidden))

    def share(self, attributes: Sequence[int] | None = None) -> float:
        """Share of the comparisons in which hiding the box cost more; NaN of none."""
        kept = [
            box > other
            for index, box, other in self.drops
            if attributes is None or index in attributes
        ]
        return float(np.mean(kept)) if kept else float("nan")


def elsewhere(box: Box, size: tuple[int, int], rng: np.random.Generator) -> Box | None:
    """A box of the same size that does not overlap, at a random place in the picture.

    Args:
        box: (x1, y1, x2, y2) in whole pixels.
        size: (H, W) of the picture.
        rng: Every possible place is equally likely.

    Returns:
        None if there is no such place.
    """
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    lefts = np.arange(size[1] - width + 1)
    tops = np.arange(size[0] - height + 1)
    beside = (lefts <= x1 - width) | (lefts >= x2)
    above = (tops <= y1 - height) | (tops >= y2)
    places = np.argwhere(above[:, None] | beside)
    if len(places) == 0:
        return None
    top, left = (int(value) for value in places[rng.integers(len(places))])
    return left, top, left + width, top + height


def hidden(picture: Tensor, box: Box) -> Tensor:
    """A copy of the preprocessed picture, zero (the mean colour) in the box."""
    x1, y1, x2, y2 = box
    covered = picture.clone()
    covered[:, y1:y2, x1:x2] = 0
    return covered


def _whole_pixels(edges: np.ndarray) -> Box:
    x1, y1, x2, y2 = (round(float(edge)) for edge in edges)
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)
