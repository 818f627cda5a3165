"""Draw where a model sees attributes: heat maps, predicted and true boxes.

python tools/analysis_tools/explain_gallery.py CONFIG CHECKPOINT \
    --explainer grad-cam-p --out gallery.png
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch

import mmpar  # noqa: F401  checks the installation, secures checkpoint loading
from mmpar.engine import (
    build_runner,
    explainer_arguments,
    explainer_config,
    load_to_explain,
)
from mmpar.evaluation import AttributeLocalizationMetric
from mmpar.evaluation.functional import box_area, box_iou, box_of_map

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

_LARGEST = 0.3
"""Boxes that are more of the picture than this show nothing about places."""

_COLOURS = {"true box": "lime", "predicted box": "magenta"}


@dataclass
class Person:
    """A picture, RGB, and what is said about it; boxes ``(A, 4)``."""

    image: np.ndarray
    truth: np.ndarray
    scores: np.ndarray
    maps: np.ndarray | None
    boxes: np.ndarray


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = explainer_arguments(__doc__)
    parser.add_argument("--out", type=Path, required=True, help="picture to write")
    parser.add_argument("--persons", type=int, default=5)
    parser.add_argument("--attributes", type=int, default=6, help="of each person")
    return parser.parse_args()


def explained_persons(runner: Any, threshold: float) -> list[Person]:
    """The first batch of the test split."""
    loop = runner.test_loop
    load_to_explain(runner)
    batch = next(iter(loop.dataloader))
    data = loop.model.data_preprocessor(batch, False)
    with torch.no_grad():
        samples = loop.model(**data, mode="predict")
    loop.explainer.annotate(data["inputs"], samples)
    images = [picture.numpy()[::-1].transpose(1, 2, 0) for picture in batch["inputs"]]
    return [person(image, sample, threshold) for image, sample in zip(images, samples)]


def person(image: np.ndarray, sample: Any, threshold: float) -> Person:
    """One picture with its explanations; true boxes of what is present.

    Raises:
        ValueError: The sample has no true boxes.
    """
    if "gt_attribute_boxes" not in sample:
        raise ValueError(
            f"the sample {sample.get('img_path')} has no gt_attribute_boxes, which the "
            f"gallery draws; {AttributeLocalizationMetric.REMEDY}"
        )
    truth = sample.gt_attribute_boxes.cpu().numpy().copy()
    truth[sample.gt_score.cpu().numpy() != 1] = np.nan
    scores = sample.pred_score.detach().float().cpu().numpy()
    if "pred_attribute_maps" not in sample:
        boxes = sample.pred_attribute_boxes.float().cpu().numpy()
        return Person(image, truth, scores, None, boxes)
    maps = sample.pred_attribute_maps.float().cpu().numpy()
    boxes = np.stack([box_of_map(one, threshold) for one in maps])
    return Person(image, truth, scores, maps, boxes)


def chosen(
    persons: list[Person], num_persons: int, num_attributes: int
) -> list[tuple[Person, list[int]]]:
    """The first persons with enough small boxes, and of each the least shown yet.

    Raises:
        ValueError: Too few persons have so many.
    """
    shown = np.zeros(len(persons[0].truth), int)
    picked = []
    for one in persons:
        height, width = one.image.shape[:2]
        with np.errstate(invalid="ignore"):
            small = box_area(one.truth) < _LARGEST * height * width
        candidates = sorted(np.flatnonzero(small), key=lambda i: (shown[i], i))
        if len(candidates) >= num_attributes and len(picked) < num_persons:
            attributes = sorted(int(i) for i in candidates[:num_attributes])
            shown[attributes] += 1
            picked.append((one, attributes))
    if len(picked) < num_persons:
        raise ValueError(
            f"of the first {len(persons)} persons {len(picked)} have {num_attributes} "
            f"attributes with true boxes below {_LARGEST:.0%} of the picture; ask for "
            "fewer, or give the test dataloader a larger batch_size"
        )
    return picked


def draw(picked: list[tuple[Person, list[int]]], names: tuple[str, ...], out: Path):
    """A row a person: the picture, then a panel an attribute."""
    columns = 1 + len(picked[0][1])
    figure, axes = plt.subplots(
        len(picked),
        columns,
        figsize=(1.25 * columns, 2.9 * len(picked)),
        layout="constrained",
    )
    for row, (one, attributes) in zip(np.atleast_2d(axes), picked):
        for axis in row:
            axis.imshow(one.image, interpolation="nearest")
            axis.set_axis_off()
        for axis, index in zip(row[1:], attributes):
            draw_attribute(axis, one, index)
            iou = float(box_iou(one.truth[index], one.boxes[index]))
            axis.set_title(
                f"{names[index]}\nscore {one.scores[index]:.2f}, label 1\n"
                f"IoU {iou:.2f}",
                fontsize=7,
            )
    handles = [Rectangle((0, 0), 1, 1, fill=False, color=c) for c in _COLOURS.values()]
    figure.legend(handles, _COLOURS, loc="outside lower center", ncols=2, fontsize=8)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)


def draw_attribute(axis: Any, one: Person, index: int) -> None:
    """The heat map over the picture, and both boxes."""
    if one.maps is not None:
        axis.imshow(one.maps[index], cmap="jet", alpha=0.45, vmin=0, vmax=1)
    for box, colour in zip((one.truth[index], one.boxes[index]), _COLOURS.values()):
        if np.isnan(box).any():
            continue
        x1, y1, x2, y2 = box - 0.5  # imshow puts the first pixel's centre at 0
        axis.add_patch(
            Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, color=colour, lw=1.2)
        )


def main() -> None:
    """Explain and draw."""
    args = parse_args()
    runner = build_runner(explainer_config(args, "explain_gallery"))
    persons = explained_persons(runner, args.threshold)
    names = runner.test_loop.model.head.schema.names
    draw(chosen(persons, args.persons, args.attributes), names, args.out)
    print(f"{args.persons} persons in {args.out}")


if __name__ == "__main__":
    main()
