"""Galleries: one row per person, one panel per attribute, with maps and boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mmpar.evaluation.functional import box_of_map
from mmpar.structures.boxes import box_area, box_iou
from mmpar.visualization.fonts import drawable, font_families

_LARGEST = 0.3
"""Boxes that are more of the image than this show nothing about places."""

_COLORS = {"true box": "lime", "predicted box": "magenta"}


@dataclass(frozen=True)
class ExplainedPerson:
    """An image and what is said about its A attributes.

    Args:
        image: uint8, (H, W, 3), RGB.
        labels: int8, (A,): 1 present, 0 absent, -1 unknown.
        scores: (A,), in [0, 1].
        maps: (A, H, W), ``None`` for explainers that give boxes only.
        boxes: The predicted boxes, (A, 4), xyxy, NaN for none.
        truth: The true boxes of the attributes present, (A, 4), NaN for none; ``None``
            for an image whose places nobody has annotated.
    """

    image: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    maps: np.ndarray | None
    boxes: np.ndarray
    truth: np.ndarray | None

    @classmethod
    def of(cls, image: np.ndarray, sample: Any, threshold: float) -> ExplainedPerson:
        """From an image and its data sample after an explainer's ``annotate``.

        A sample without ``gt_score`` has unknown labels.

        Args:
            image: As above.
            sample: With ``pred_score`` and the explainer's field.
            threshold: See :func:`box_of_map`.
        """
        scores = sample.pred_score.detach().float().cpu().numpy()
        labels = np.full(len(scores), -1, np.int8)
        if "gt_score" in sample:
            labels = sample.gt_score.cpu().numpy().astype(np.int8)
        truth = None
        if "gt_attribute_boxes" in sample:
            truth = sample.gt_attribute_boxes.cpu().numpy().copy()
            truth[labels != 1] = np.nan
        if "pred_attribute_maps" not in sample:
            boxes = sample.pred_attribute_boxes.float().cpu().numpy()
            return cls(image, labels, scores, None, boxes, truth)
        maps = sample.pred_attribute_maps.float().cpu().numpy()
        boxes = np.stack([box_of_map(one, threshold) for one in maps])
        return cls(image, labels, scores, maps, boxes, truth)

    def has_small_box(self) -> np.ndarray:
        """Which attributes have a true box that says something, bool, (A,)."""
        if self.truth is None:
            return np.zeros(len(self.labels), bool)
        height, width = self.image.shape[:2]
        with np.errstate(invalid="ignore"):
            return box_area(self.truth) < _LARGEST * height * width


Row = tuple[ExplainedPerson, list[int]]
"""A person, and the attributes to show of them."""


def chosen_rows(
    persons: Sequence[ExplainedPerson], num_persons: int, num_attributes: int
) -> list[Row]:
    """The first persons with much to show, and of each what has been shown least.

    Where true boxes were annotated, persons with enough small ones are taken, and these
    attributes. Elsewhere every person is taken: attributes that are present come
    first, then those of the highest scores.

    Returns:
        ``num_persons`` rows or fewer, each of ``num_attributes`` attributes, or of all
        where there are fewer.
    """
    num_attributes = min(num_attributes, len(persons[0].labels))
    shown = np.zeros(len(persons[0].labels), int)
    rows: list[Row] = []
    for person in persons:
        small = person.has_small_box()
        if person.truth is not None and small.sum() < num_attributes:
            continue
        if len(rows) == num_persons:
            break
        present = person.labels == 1
        order = np.lexsort((-person.scores, shown * present, ~present, ~small))
        attributes = sorted(order[:num_attributes].tolist())
        shown[attributes] += 1
        rows.append((person, attributes))
    return rows


def draw_gallery(rows: Sequence[Row], names: Sequence[str], out: Path) -> None:
    """Save the gallery: an image, then a panel per attribute, in each row.

    Args:
        rows: As of :func:`chosen_rows`, at least one.
        names: The A attributes.
        out: Image file; its suffix is the format.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({"font.family": font_families(names)}):
        _figure(rows, names).savefig(out, dpi=110)


def _figure(rows: Sequence[Row], names: Sequence[str]) -> Figure:
    columns = 1 + len(rows[0][1])
    size = (1.25 * columns, 2.9 * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for row, (person, attributes) in zip(axes, rows):
        for axis in row:
            axis.imshow(person.image, interpolation="nearest")
            axis.set_axis_off()
        for axis, index in zip(row[1:], attributes):
            _draw_attribute(axis, person, index)
            title = f"{drawable(names[index])}\n{_said(person, index)}"
            axis.set_title(title, fontsize=7)
    annotated = any(person.truth is not None for person, _ in rows)
    drawn = [name for name in _COLORS if annotated or name != "true box"]
    handles = [Rectangle((0, 0), 1, 1, fill=False, color=_COLORS[n]) for n in drawn]
    figure.legend(handles, drawn, loc="outside lower center", ncols=2, fontsize=8)
    return figure


def _said(person: ExplainedPerson, index: int) -> str:
    label = {1: "1", 0: "0"}.get(int(person.labels[index]), "unknown")
    said = f"score {person.scores[index]:.2f}, label {label}"
    if person.truth is None or np.isnan(person.truth[index]).any():
        return said
    iou = float(box_iou(person.truth[index], person.boxes[index]))
    return f"{said}\nIoU {iou:.2f}"


def _draw_attribute(axis: Any, person: ExplainedPerson, index: int) -> None:
    """The heat map over the image, and the boxes that there are."""
    if person.maps is not None:
        axis.imshow(person.maps[index], cmap="jet", alpha=0.45, vmin=0, vmax=1)
    boxes = {"predicted box": person.boxes[index]}
    if person.truth is not None:
        boxes["true box"] = person.truth[index]
    for name, box in boxes.items():
        if np.isnan(box).any():
            continue
        x1, y1, x2, y2 = box - 0.5  # imshow puts the first pixel's centre at 0
        color = _COLORS[name]
        axis.add_patch(
            Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, color=color, lw=1.2)
        )
