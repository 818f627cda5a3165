"""Does a box hold the evidence? Hide it, and hide as much elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmpar.structures.boxes import PixelBox as Box
from mmpar.structures.boxes import round_to_pixels


@dataclass
class Comparison:
    """How far logits fell for boxes and for as large boxes elsewhere."""

    drops: list[tuple[int, int, float, float]] = field(default_factory=list)
    """Number of the picture, attribute, fall for the box and for the other."""
    without_place: int = 0
    """Boxes too large for the places asked for; they are not compared."""

    def costs_more(self, attribute: int | None = None) -> np.ndarray:
        """For each box, of one attribute or all, whether it cost more; ``(n,)``."""
        drops = self._array()
        kept = slice(None) if attribute is None else drops[:, 1] == attribute
        return drops[kept, 2] > drops[kept, 3]

    def costs_more_by_picture(self) -> np.ndarray:
        """For each picture whether its boxes cost more in the mean; ``(n,)``."""
        drops = self._array()
        pictures = drops[:, 0]
        means = [drops[pictures == p, 2:].mean(axis=0) for p in np.unique(pictures)]
        return np.array([box > other for box, other in means], bool)

    def _array(self) -> np.ndarray:
        return np.array(self.drops, np.float64).reshape(-1, 4)


class MaskingCheck:
    """Compares what hiding a box costs a logit with hiding as large a box elsewhere.

    Hidden is what becomes zero in the preprocessed input: grey of the mean colour. If
    the box is where the answer came from, the logit falls more than for the other box.

    A model may read an attribute from a band of rows only. Then much of the picture
    costs next to nothing, and a box is better than elsewhere by lying in the band,
    whatever it shows. So there are three comparisons:

    - ``in_picture``: the box with a place anywhere in the picture;
    - ``in_band``: the box with a place in the band;
    - ``reference``: a random place in the band, which knows the band and nothing else,
      with a place anywhere in the picture.

    Boxes that fill too much of the picture for the first are in none; of the rest some
    may not fit into the band. Without bands the second is empty, and in the third the
    band is the picture.

    Args:
        model: Classifier in eval mode.
        seed: Of the other boxes' places.
    """

    def __init__(self, model: nn.Module, seed: int = 0) -> None:
        self.model = model
        self.in_picture, self.in_band, self.reference = (Comparison() for _ in range(3))
        self.without_box = 0
        """Answers whose explanation gave no box; they are not compared."""
        self._rng = np.random.default_rng(seed)
        self._pictures = 0

    @torch.no_grad()
    def add(
        self,
        picture: Tensor,
        boxes: Mapping[int, np.ndarray],
        data_sample: Any = None,
        bands: Mapping[int, np.ndarray] | None = None,
    ) -> None:
        """Compare the boxes of one picture.

        Args:
            picture: Preprocessed, ``(3, H, W)``.
            boxes: Attribute's position to its box, (x1, y1, x2, y2) in pixels; NaN
                where there is none.
            data_sample: For models that read more than the picture.
            bands: Attribute's position to the box that it is read from.
        """
        whole = (0, 0, picture.shape[2], picture.shape[1])
        pairs: list[tuple[Comparison, int, tuple[Box, Box]]] = []
        for index, edges in boxes.items():
            if np.isnan(edges).any():
                self.without_box += 1
                continue
            band = None if bands is None else round_to_pixels(bands[index], *whole[2:])
            box = round_to_pixels(edges, *whole[2:])
            pairs += [
                (comparison, index, pair)
                for comparison, pair in self._pairs(box, whole, band)
            ]
        if pairs:
            self._compare(picture, pairs, data_sample)
        self._pictures += 1

    def _pairs(
        self, box: Box, whole: Box, band: Box | None
    ) -> list[tuple[Comparison, tuple[Box, Box]]]:
        """What to compare for a box, and the two boxes."""
        other = elsewhere(box, whole, self._rng)
        if other is None:
            self.in_picture.without_place += 1
            return []
        pairs = [(self.in_picture, (box, other))]
        if band is not None:
            other = elsewhere(box, band, self._rng)
            if other is None:
                self.in_band.without_place += 1
            else:
                pairs.append((self.in_band, (box, other)))
        random = anywhere(box, band or whole, whole, self._rng)
        other = None if random is None else elsewhere(random, whole, self._rng)
        if random is None or other is None:
            self.reference.without_place += 1
        else:
            pairs.append((self.reference, (random, other)))
        return pairs

    def _compare(
        self,
        picture: Tensor,
        pairs: list[tuple[Comparison, int, tuple[Box, Box]]],
        data_sample: Any,
    ) -> None:
        hide = list(dict.fromkeys(box for *_, pair in pairs for box in pair))
        variants = torch.stack([picture, *(hidden(picture, box) for box in hide)])
        samples = None if data_sample is None else [data_sample] * len(variants)
        logits = self.model(variants, samples, mode="tensor").double()
        drops = dict(zip(hide, (logits[:1] - logits[1:]).cpu().numpy()))
        for comparison, index, pair in pairs:
            fallen = [float(drops[box][index]) for box in pair]
            comparison.drops.append((self._pictures, index, fallen[0], fallen[1]))


def elsewhere(box: Box, area: Box, rng: np.random.Generator) -> Box | None:
    """A box of the same size that does not overlap, at a random place in an area.

    Args:
        box: (x1, y1, x2, y2) in whole pixels.
        area: Where to look, likewise.
        rng: Every possible place is equally likely.

    Returns:
        None if there is no such place.
    """
    x1, y1, x2, y2 = box
    lefts, tops = _corners(box, area)
    beside = (lefts <= x1 - (x2 - x1)) | (lefts >= x2)
    above = (tops <= y1 - (y2 - y1)) | (tops >= y2)
    return _one_of(box, lefts, tops, above[:, None] | beside, rng)


def anywhere(box: Box, area: Box, picture: Box, rng: np.random.Generator) -> Box | None:
    """A box of the same size in an area, which leaves room for another in the picture.

    Args:
        box: As for :func:`elsewhere`, as ``area`` and ``rng``.
        area: Where to look.
        picture: The area that must have a place for another, not overlapping one.
        rng: Every possible place is equally likely.

    Returns:
        None if there is no such place.
    """
    x1, y1, x2, y2 = box
    lefts, tops = _corners(box, area)
    left, top, right, bottom = picture
    width, height = x2 - x1, y2 - y1
    beside = (lefts - left >= width) | (right - lefts >= 2 * width)
    above = (tops - top >= height) | (bottom - tops >= 2 * height)
    return _one_of(box, lefts, tops, above[:, None] | beside, rng)


def _corners(box: Box, area: Box) -> tuple[np.ndarray, np.ndarray]:
    """Left and upper edges that a box of this size may have in an area."""
    (x1, y1, x2, y2), (left, top, right, bottom) = box, area
    return (
        np.arange(left, right - (x2 - x1) + 1),
        np.arange(top, bottom - (y2 - y1) + 1),
    )


def _one_of(
    box: Box,
    lefts: np.ndarray,
    tops: np.ndarray,
    possible: np.ndarray,
    rng: np.random.Generator,
) -> Box | None:
    """The box moved to one of the possible ``(tops, lefts)``."""
    places = np.argwhere(possible)
    if len(places) == 0:
        return None
    row, column = places[rng.integers(len(places))]
    left, top = int(lefts[column]), int(tops[row])
    return left, top, left + box[2] - box[0], top + box[3] - box[1]


def hidden(picture: Tensor, box: Box) -> Tensor:
    """A copy of the preprocessed picture, zero (the mean colour) in the box."""
    x1, y1, x2, y2 = box
    covered = picture.clone()
    covered[:, y1:y2, x1:x2] = 0
    return covered
