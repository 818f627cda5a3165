"""A packed sample, as a model is given it, as a tile of a contact sheet."""

from __future__ import annotations

import os.path as osp
from itertools import cycle
from typing import Any

import numpy as np
import torch

from mmpar.structures import AttributeSchema
from mmpar.visualization.contact_sheet import Color, Tile

_GREY = "#777777"
# Dark enough to be read on white, apart from each other on photographs.
_GROUP_COLORS = (
    "#d62728",
    "#1f5fc4",
    "#118033",
    "#b8007a",
    "#b35900",
    "#007c80",
    "#6a3fb5",
    "#7a5c00",
)
_KEYPOINT_COLOR = "#ffe600"


def packed_tile(packed: dict[str, Any], schema: AttributeSchema) -> Tile:
    """Picture, labels and places of what ``PackPARInputs`` returns.

    Below the picture stand its number and file, then the attributes present, a
    paragraph and a colour for each body-region group, then how many are unknown. Boxes
    of attributes have the colour of their group. Usable keypoints (visibility 1) are
    yellow, missing ones are not drawn.

    Args:
        packed: ``inputs``, BGR as mmcv loads it whatever the model's preprocessor then
            makes of it (``to_rgb``), or grey; and ``data_samples``.
        schema: Of the data set.

    Raises:
        ValueError: The picture is not one of 1 or 3 channels with values 0 to 255, or
            labels or boxes do not match the schema.
    """
    sample = packed["data_samples"]
    colors = group_colors(schema)
    labels = _checked(sample, "gt_score", schema)
    boxes, keypoints = [], []
    if "gt_attribute_boxes" in sample:
        boxes = _boxes(_checked(sample, "gt_attribute_boxes", schema), schema, colors)
    if "gt_keypoints" in sample:
        keypoints = _keypoints(sample.gt_keypoints.reshape(-1, 3))
    texts = [(_heading(sample), _GREY), *_present(labels, schema, colors)]
    unknown = int((labels == -1).sum())
    if unknown:
        texts.append((f"{unknown} unknown", _GREY))
    image = rgb_picture(packed["inputs"], str(sample.get("img_path")))
    return Tile(image, texts, boxes, keypoints)


def rgb_picture(inputs: torch.Tensor, called: str) -> np.ndarray:
    """uint8, (H, W, 3), RGB, from (3, H, W) BGR or (1, H, W) grey values 0 to 255."""
    values = inputs.numpy()
    if values.ndim != 3 or len(values) not in (1, 3):
        raise ValueError(
            f"the input of {called} has shape {values.shape}, not (3, H, W) or "
            "(1, H, W); only pipelines of one picture a sample can be drawn"
        )
    if values.min() < 0 or values.max() > 255:
        raise ValueError(
            f"the input of {called} has values {values.min():.3g} to "
            f"{values.max():.3g} instead of 0 to 255; normalise in the model's "
            "data_preprocessor, not in the pipeline"
        )
    channels = values[::-1] if len(values) == 3 else values.repeat(3, axis=0)
    return np.ascontiguousarray(np.rint(channels).astype(np.uint8).transpose(1, 2, 0))


def group_colors(schema: AttributeSchema) -> dict[str, Color]:
    """Attribute name to the colour of its group; black for those in none."""
    colors = dict.fromkeys(schema.names, "black")
    for members, color in zip(schema.groups.values(), cycle(_GROUP_COLORS)):
        colors.update(dict.fromkeys(members, color))
    return colors


def _checked(sample: Any, name: str, schema: AttributeSchema) -> np.ndarray:
    values = sample.get(name)
    found = None if values is None else len(values)
    if found != len(schema):
        raise ValueError(
            f"{name} of {sample.get('img_path')} is for {found} attributes, the schema "
            f"{schema.title!r} has {len(schema)}"
        )
    return values.numpy()


def _heading(sample: Any) -> str:
    path = str(sample.get("img_path"))
    words = [f"{sample.get('sample_idx')}:", osp.basename(path)]
    if "domain" in sample:
        words.append(f"({sample.domain})")
    return " ".join(words)


def _present(
    labels: np.ndarray, schema: AttributeSchema, colors: dict[str, Color]
) -> list[tuple[str, Color]]:
    """Names of the attributes present, a paragraph a group."""
    names = [name for name, label in zip(schema.names, labels) if label == 1]
    if not names:
        return [("none present", "black")]
    grouped = {name for members in schema.groups.values() for name in members}
    paragraphs = [
        [n for n in names if n in members] for members in schema.groups.values()
    ]
    paragraphs.append([n for n in names if n not in grouped])
    return [(", ".join(p), colors[p[0]]) for p in paragraphs if p]


def _boxes(
    boxes: np.ndarray, schema: AttributeSchema, colors: dict[str, Color]
) -> list[tuple[list[float], Color]]:
    """Boxes that are there; of equal ones, as of age, gender and view, the first."""
    drawn: dict[tuple[float, ...], Color] = {}
    for box, name in zip(boxes.tolist(), schema.names):
        if not np.isnan(box).any():
            drawn.setdefault(tuple(box), colors[name])
    return [(list(box), color) for box, color in drawn.items()]


def _keypoints(keypoints: torch.Tensor) -> list[tuple[list[float], Color]]:
    return [
        ([x, y], _KEYPOINT_COLOR)
        for x, y, visibility in keypoints.tolist()
        if visibility > 0
    ]
