"""The visualizer: an image, its true and predicted attributes, boxes, keypoints, maps.

Everything is drawn in RGB, on white, with text beside or below the image, so that
nothing covers a person of a few dozen pixels.
"""

from __future__ import annotations

import os.path as osp
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import matplotlib as mpl
import mmcv
import numpy as np
import torch
from mmengine.dist import master_only
from mmengine.structures import BaseDataElement
from mmengine.visualization import Visualizer
from PIL import Image, ImageDraw
from torchvision.utils import draw_bounding_boxes, draw_keypoints, make_grid

from mmpar.evaluation.functional import (
    DEFAULT_THRESHOLD,
    check_threshold,
    map_to_box,
)
from mmpar.evaluation.gather import as_array
from mmpar.registry import VISUALIZERS
from mmpar.structures import AttributeSchema, build_schema
from mmpar.structures.boxes import box_iou
from mmpar.utils.fonts import TextFont

Line = list[tuple[str, str]]
"""Pieces of text, each with its colour."""

_IMAGE_HEIGHT, _MARGIN, _FONT_SIZE = 256, 4, 11
_BLACK, _GREY, _RIGHT, _WRONG = "black", "#777777", "#118033", "#c80000"
_TRUE_BOX, _PREDICTED_BOX, _KEYPOINT = "#00e000", "#ff00ff", "#ffe600"
# Dark enough to be read on white, distinct from each other on photographs.
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


@VISUALIZERS.register_module()
class PARVisualizer(Visualizer):
    """Draws samples of pedestrian attribute recognition.

    The attributes are those of ``dataset_meta['schema']``, which the Runner's loops
    set; elsewhere assign the dataset's ``metainfo`` to ``dataset_meta``.

    Args:
        name: Of the instance, by which MMEngine finds it again.
        threshold: How the box of a response map is found, see :func:`map_to_box`.
        **kwargs: As for MMEngine's ``Visualizer``: ``vis_backends``, ``save_dir``.
    """

    def __init__(
        self,
        name: str = "visualizer",
        threshold: float = DEFAULT_THRESHOLD,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        check_threshold(threshold)
        self.threshold = threshold

    @master_only
    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: BaseDataElement,
        draw_gt: bool = True,
        draw_pred: bool = True,
        attributes: Sequence[int] | None = None,
        show: bool = False,
        wait_time: float = 0,
        out_file: str | None = None,
        step: int = 0,
    ) -> np.ndarray:
        """Draw a sample and hand it to the backends, a window or a file.

        The image has the true boxes of the attributes, in the colours of their
        body-region groups, and the usable keypoints. Beside it is one line for each
        attribute that is present or predicted; wrong predictions are marked. When an
        explainer has annotated the sample, a panel for each attribute follows: its
        response map, the predicted box and the true one.

        Args:
            name: Of the image, for the backends and the window.
            image: uint8, (H, W, 3), RGB; see :func:`to_rgb_image`.
            data_sample: Any of ``gt_score``, ``pred_score`` and ``pred_label``,
                ``gt_attribute_boxes``, ``gt_keypoints``, ``pred_attribute_maps`` and
                ``pred_attribute_boxes``; boxes and keypoints in pixels of ``image``.
            draw_gt: Whether to draw labels, true boxes and keypoints.
            draw_pred: Whether to draw predictions and explanations.
            attributes: Positions of the attributes that get a panel; by default those
                present or predicted.
            show: Whether to open a window.
            wait_time: Seconds that it stays open, 0 until a key is pressed.
            out_file: Image file to write, instead of the backends.
            step: Of training, for the backends.

        Returns:
            The drawing, uint8, (H', W', 3), RGB.

        Raises:
            ValueError: The image is not as above, or a field does not fit the schema.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(
                f"the image of {name} is {image.dtype} of shape {image.shape}; "
                "expected uint8, (H, W, 3), RGB"
            )
        sample = _Sample(data_sample, self._schema(), draw_gt, draw_pred)
        parts = [_draw_image(image, sample), _text_block(_sample_lines(sample))]
        if sample.is_explained:
            wanted = sample.shown if attributes is None else attributes
            parts += [self._explained(image, sample, index) for index in wanted]
        drawn = _side_by_side(parts)
        self.set_image(drawn)
        if show:
            self.show(drawn, win_name=name, wait_time=wait_time)
        if out_file is None:
            self.add_image(name, drawn, step)
        else:
            mmcv.imwrite(drawn[..., ::-1], str(out_file))
        return drawn

    def _schema(self) -> AttributeSchema:
        if not self.dataset_meta or "schema" not in self.dataset_meta:
            raise ValueError(
                f"{type(self).__name__} needs the attribute schema: set its "
                "dataset_meta to the metainfo of a PARDataset"
            )
        return build_schema(self.dataset_meta["schema"])

    def _explained(self, image: np.ndarray, sample: _Sample, index: int) -> np.ndarray:
        """One attribute's map and boxes over the image, above what is known of it."""
        panel, boxes = image, []
        if sample.maps is not None:
            colors = mpl.colormaps["jet"](sample.maps[index])[..., :3] * 255
            panel = np.rint(0.55 * image + 0.45 * colors).astype(np.uint8)
            predicted = map_to_box(sample.maps[index], self.threshold)
        else:
            predicted = sample.predicted_boxes[index]
        true = sample.true_box_of_present(index)
        if not np.isnan(true).any():
            boxes.append((true, _TRUE_BOX))
        if not np.isnan(predicted).any():
            boxes.append((predicted, _PREDICTED_BOX))
        lines: list[Line] = [[(sample.schema.names[index], _BLACK)]]
        if sample.scores is not None:
            lines.append([(f"score {sample.scores[index]:.2f}", _BLACK)])
        if sample.labels is not None:
            said = {1: "present", 0: "absent"}.get(int(sample.labels[index]), "unknown")
            lines.append([(f"label: {said}", _BLACK)])
        if not np.isnan(true).any():
            iou = float(box_iou(true, predicted))
            lines += [[(f"IoU {iou:.2f}", _BLACK)], [("■ true box", _TRUE_BOX)]]
        lines.append([("■ predicted box", _PREDICTED_BOX)])
        return _stacked([_draw_places(panel, boxes, []), _text_block(lines)])


class _Sample:
    """The fields of a data sample as arrays, checked against the schema.

    What is not there, or is not to be drawn, is ``None``.
    """

    def __init__(
        self,
        sample: BaseDataElement,
        schema: AttributeSchema,
        draw_gt: bool,
        draw_pred: bool,
    ) -> None:
        self.sample, self.schema = sample, schema
        self.labels = self._field("gt_score", draw_gt)
        self.true_boxes = self._field("gt_attribute_boxes", draw_gt)
        self.scores = self._field("pred_score", draw_pred)
        self.maps = self._field("pred_attribute_maps", draw_pred)
        self.predicted_boxes = self._field("pred_attribute_boxes", draw_pred)
        self.decisions = None
        if draw_pred and "pred_label" in sample:
            self.decisions = np.zeros(len(schema), bool)
            self.decisions[as_array(sample.pred_label, int)] = True
        self.keypoints = np.empty((0, 3))
        if draw_gt and "gt_keypoints" in sample:
            keypoints = as_array(sample.gt_keypoints).reshape(-1, 3)
            self.keypoints = keypoints[keypoints[:, 2] > 0]

    def _field(self, name: str, wanted: bool) -> Any:
        if not wanted or name not in self.sample:
            return None
        values = as_array(self.sample.get(name))
        if len(values) != len(self.schema):
            raise ValueError(
                f"{name} of {self.sample.get('img_path')} is for {len(values)} "
                f"attributes, the schema {self.schema.title!r} has {len(self.schema)}"
            )
        return values

    @property
    def is_explained(self) -> bool:
        """Whether an explainer has annotated it."""
        return self.maps is not None or self.predicted_boxes is not None

    @property
    def shown(self) -> list[int]:
        """Attributes that are present or predicted."""
        shown = np.zeros(len(self.schema), bool)
        if self.labels is not None:
            shown |= self.labels == 1
        if self.decisions is not None:
            shown |= self.decisions
        return np.flatnonzero(shown).tolist()

    def true_box_of_present(self, index: int) -> np.ndarray:
        """The true box; NaN where there is none or the attribute is not present."""
        if self.true_boxes is None or self.labels is None or self.labels[index] != 1:
            return np.full(4, np.nan)
        return self.true_boxes[index]


def _sample_lines(sample: _Sample) -> list[Line]:
    colors = group_colors(sample.schema)
    boxed = sample.true_boxes is not None
    lines = [_heading(sample.sample)]
    for index in sample.shown:
        name = sample.schema.names[index]
        swatch = [("■ ", colors[name])] if boxed else []
        lines.append([*swatch, _attribute_text(sample, index)])
    if not sample.shown:
        lines.append([("no attribute present or predicted", _BLACK)])
    unknown = 0 if sample.labels is None else int((sample.labels == -1).sum())
    if unknown:
        lines.append([(f"{unknown} labels unknown", _GREY)])
    return lines


def _heading(sample: BaseDataElement) -> Line:
    words = [osp.basename(str(sample.get("img_path", "")))]
    if "sample_idx" in sample:
        words.insert(0, f"{sample.get('sample_idx')}:")
    if "domain" in sample:
        words.append(f"({sample.get('domain')})")
    return [(" ".join(words), _GREY)]


def _attribute_text(sample: _Sample, index: int) -> tuple[str, str]:
    text = sample.schema.names[index]
    if sample.scores is not None:
        text = f"{text} {sample.scores[index]:.2f}"
    if sample.labels is None or sample.decisions is None:
        return text, _BLACK
    label, decision = sample.labels[index], sample.decisions[index]
    if label == -1:
        return f"? {text} (label unknown)", _GREY
    if label == decision:
        return f"✓ {text}", _RIGHT
    return f"✗ {text} ({'false positive' if decision else 'missed'})", _WRONG


def group_colors(schema: AttributeSchema) -> dict[str, str]:
    """Attribute name to the colour of its group; black for those in none."""
    colors = dict.fromkeys(schema.names, _BLACK)
    for members, color in zip(schema.groups.values(), cycle(_GROUP_COLORS)):
        colors.update(dict.fromkeys(members, color))
    return colors


def _draw_image(image: np.ndarray, sample: _Sample) -> np.ndarray:
    """The image with boxes; of equal ones, as of age, gender and view, the first."""
    boxes: dict[tuple[float, ...], str] = {}
    if sample.true_boxes is not None:
        colors = group_colors(sample.schema)
        for box, name in zip(sample.true_boxes.tolist(), sample.schema.names):
            if not np.isnan(box).any():
                boxes.setdefault(tuple(box), colors[name])
    found = [(np.array(box), color) for box, color in boxes.items()]
    return _draw_places(image, found, sample.keypoints[:, :2].tolist())


def _draw_places(
    image: np.ndarray,
    boxes: Sequence[tuple[np.ndarray, str]],
    keypoints: Sequence[Sequence[float]],
) -> np.ndarray:
    """The image at a size to look at, with boxes (xyxy) and keypoints (x, y)."""
    scale = _scale(image.shape[0])
    pixels = mmcv.imrescale(
        image, scale, interpolation="nearest" if scale > 1 else "area"
    )
    drawn = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
    if boxes:
        corners = torch.tensor(np.stack([box for box, _ in boxes])) * scale
        # The last pixel of a box is before its right and lower edge.
        corners[:, 2:] = torch.maximum(corners[:, 2:] - 1, corners[:, :2])
        colors: list = [color for _, color in boxes]
        drawn = draw_bounding_boxes(drawn, corners, colors=colors, width=2)
    if keypoints:
        points = torch.tensor([keypoints]) * scale
        drawn = draw_keypoints(drawn, points, colors=_BLACK, radius=3)
        drawn = draw_keypoints(drawn, points, colors=_KEYPOINT, radius=2)
    return drawn.numpy().transpose(1, 2, 0)


def _scale(height: int) -> float:
    """Whole numbers enlarge; only images over twice the drawn height shrink."""
    ratio = _IMAGE_HEIGHT / height
    return max(1, round(ratio)) if ratio >= 0.5 else ratio


def _text_block(lines: Sequence[Line]) -> np.ndarray:
    font = TextFont((text for line in lines for text, _ in line), _FONT_SIZE)
    widths = [sum(font.length(text) for text, _ in line) for line in lines]
    size = (int(max(widths)) + 1, font.line_height * len(lines))
    block = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(block)
    for row, line in enumerate(lines):
        left = 0.0
        for text, color in line:
            font.draw(draw, left, row * font.line_height, text, color)
            left += font.length(text)
    return np.asarray(block)


def _side_by_side(images: Sequence[np.ndarray]) -> np.ndarray:
    height = max(image.shape[0] for image in images)
    padded = [_padded(image, height, image.shape[1]) for image in images]
    return np.concatenate(padded, axis=1)


def _stacked(images: Sequence[np.ndarray]) -> np.ndarray:
    width = max(image.shape[1] for image in images)
    padded = [_padded(image, image.shape[0] + _MARGIN, width, 0) for image in images]
    return np.concatenate(padded)


def _padded(
    image: np.ndarray, height: int, width: int, margin: int = _MARGIN
) -> np.ndarray:
    """White to the right and below up to a size, then a margin around all."""
    below, beside = height - image.shape[0], width - image.shape[1]
    edges = ((margin, margin + below), (margin, margin + beside), (0, 0))
    return np.pad(image, edges, constant_values=255)


def image_grid(images: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Images of any sizes in rows, on white, uint8, (H, W, 3)."""
    height, width = np.max([image.shape[:2] for image in images], axis=0)
    tiles = [_padded(image, int(height), int(width), 0) for image in images]
    batch = torch.from_numpy(np.stack(tiles).transpose(0, 3, 1, 2).copy())
    grid = make_grid(batch, nrow=columns, padding=_MARGIN, pad_value=255)
    return grid.numpy().transpose(1, 2, 0)


def to_rgb_image(inputs: torch.Tensor, name: str) -> np.ndarray:
    """What a pipeline gives the model as an image, uint8, (H, W, 3), RGB.

    Args:
        inputs: (3, H, W), BGR as mmcv loads it whatever the model's preprocessor then
            makes of it (``to_rgb``), or grey, (1, H, W); values 0 to 255.
        name: Of the image, for errors.

    Raises:
        ValueError: Shape or values are not as above.
    """
    values = inputs.cpu().numpy()
    if values.ndim != 3 or len(values) not in (1, 3):
        raise ValueError(
            f"the input of {name} has shape {values.shape}, not (3, H, W) or "
            "(1, H, W); only pipelines of one image per sample can be drawn"
        )
    if values.min() < 0 or values.max() > 255:
        raise ValueError(
            f"the input of {name} has values {values.min():.3g} to "
            f"{values.max():.3g} instead of 0 to 255; normalize in the model's "
            "data_preprocessor, not in the pipeline"
        )
    channels = values[::-1] if len(values) == 3 else values.repeat(3, axis=0)
    return np.ascontiguousarray(np.rint(channels).astype(np.uint8).transpose(1, 2, 0))
