"""The evaluator of weakly supervised attribute localization."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmengine.logging import MMLogger

from mmpar.evaluation.functional import (
    DEFAULT_THRESHOLD,
    check_threshold,
    localization_scores,
    map_peak,
    map_to_box,
)
from mmpar.evaluation.gather import Columns, SplitMetric, as_array, require_fields
from mmpar.evaluation.result_json import result_json
from mmpar.evaluation.tables import log_table, text_table
from mmpar.registry import METRICS
from mmpar.utils.atomic import write_atomically

_TITLES = dict(
    mean_iou="IoU",
    iou_above_30="IoU>0.3",
    iou_above_50="IoU>0.5",
    pointing="pointing",
    whole_image_iou="whole image",
)
"""Metrics, and their columns in tables and files."""

_HINT = (
    "localization is judged by true boxes of the attributes. Annotate them in "
    "COCO's JSON, one category per attribute, and put dict(type="
    "'LoadAttributeBoxes', ann_file='boxes.json', schema=...) before Resize in the "
    "test pipeline, which ends in PackPARInputs; DrawSyntheticPerson draws its own"
)


@METRICS.register_module()
class AttributeLocalizationMetric(SplitMetric):
    """IoU of predicted with true attribute boxes, and the pointing game, in percent.

    Definitions in :func:`mmpar.evaluation.functional.localization_scores`. Judged are
    attributes that are present (``gt_score`` 1) and have a true box
    (``gt_attribute_boxes``). The predictions are those of an explainer, which
    :class:`ExplainLoop` runs: ``pred_attribute_boxes``, ``(A, 4)``, whose centres are
    the points, or ``pred_attribute_maps``, ``(A, H, W)``, whose boxes are found by
    :func:`map_to_box` and whose maxima are the points.

    Logs a table with one row per attribute, and beside the IoU that of the whole image
    as the box. Returns the means over the attributes that have true boxes:
    ``localization/mean_iou``, ``localization/iou_above_30``,
    ``localization/iou_above_50``, ``localization/pointing`` and
    ``localization/whole_image_iou``.

    Args:
        threshold: See :func:`map_to_box`.
        out_file: JSON file for the means and the values of all attributes.
        **kwargs: See MMEngine's ``BaseMetric``.
    """

    default_prefix = "localization"

    def __init__(
        self,
        threshold: float = DEFAULT_THRESHOLD,
        out_file: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_threshold(threshold)
        self.threshold = threshold
        self.out_file = out_file

    def row(self, sample: dict[str, Any]) -> Columns:
        """True boxes of what is present; predicted boxes and points of the same.

        Raises:
            ValueError: The sample has no true boxes or no explanation.
        """
        needed = ("gt_score", "gt_attribute_boxes", "img_shape", "img_path")
        require_fields(sample, needed, _HINT)
        truth = as_array(sample["gt_attribute_boxes"], np.float32)
        boxed = ~np.isnan(truth).any(axis=1)
        judged = boxed & (as_array(sample["gt_score"], np.int8) == 1)
        truth[~judged] = np.nan
        boxes, points = self._predicted(sample, judged)
        height, width = sample["img_shape"][:2]
        return dict(
            truth=truth,
            boxes=boxes,
            points=points,
            whole=np.array((0, 0, width, height), np.float32),
            contradicted=np.array((boxed & ~judged).sum()),
        )

    def _predicted(
        self, sample: dict[str, Any], judged: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        if "pred_attribute_boxes" in sample:
            boxes = as_array(sample["pred_attribute_boxes"], np.float32)
            return boxes, (boxes[:, :2] + boxes[:, 2:]) / 2
        if "pred_attribute_maps" not in sample:
            raise ValueError(
                f"the sample {sample['img_path']} has neither pred_attribute_maps nor "
                "pred_attribute_boxes; test with an explainer: test_cfg=dict(type="
                "'ExplainLoop', explainer=dict(type='GradCAM')), as "
                "tools/analysis_tools/eval_localization.py does"
            )
        maps = as_array(sample["pred_attribute_maps"], np.float32)
        boxes = np.full((len(judged), 4), np.nan, np.float32)
        points = np.full((len(judged), 2), np.nan, np.float32)
        for index in np.flatnonzero(judged):
            boxes[index] = map_to_box(maps[index], self.threshold)
            points[index] = map_peak(maps[index])
        return boxes, points

    def compute_metrics(self, columns: Any) -> dict[str, float]:
        """Judge, log the tables and write the file.

        Raises:
            ValueError: There is not one true box.
        """
        truth, points = columns["truth"], columns["points"]
        scores = localization_scores(truth, columns["boxes"], points)
        if not scores.count.any():
            raise ValueError(
                f"none of the {len(truth)} samples has a true box of an attribute that "
                "is present; do the file names in the annotation of the boxes fit "
                f"those of the dataset, such as {columns['img_path'][0]!r}?"
            )
        whole = np.broadcast_to(columns["whole"][:, None], truth.shape)
        shares = dict(
            mean_iou=scores.iou,
            iou_above_30=scores.above_30,
            iou_above_50=scores.above_50,
            pointing=scores.pointing,
            whole_image_iou=localization_scores(truth, whole, points).iou,
        )
        metrics = {name: 100 * scores.mean(share) for name, share in shares.items()}
        attributes = {
            self.schema.names[i]: dict(
                boxes=int(scores.count[i]),
                **{
                    _TITLES[name]: float(100 * share[i])
                    for name, share in shares.items()
                },
            )
            for i in np.flatnonzero(scores.count)
        }
        MMLogger.get_current_instance().info(
            "%d of %d images have a true box of an attribute that is present",
            (~np.isnan(truth).all(axis=(1, 2))).sum(),
            len(truth),
        )
        _log(attributes, metrics, columns["contradicted"].sum())
        if self.out_file:
            content = dict(
                threshold=self.threshold, metrics=metrics, attributes=attributes
            )
            write_atomically(self.out_file, result_json(content))
        return metrics


def _log(
    attributes: dict[str, dict[str, Any]], metrics: dict[str, float], contradicted: int
) -> None:
    """One row per attribute, then their means."""
    rows = [["attribute", "boxes", *_TITLES.values()]]
    for name, values in attributes.items():
        cells = [f"{values[title]:.2f}" for title in _TITLES.values()]
        rows.append([name, str(values["boxes"]), *cells])
    total = sum(values["boxes"] for values in attributes.values())
    means = [f"{value:.2f}" for value in metrics.values()]
    rows.append(["mean of attributes", str(total), *means])
    log_table(text_table(rows))
    if contradicted:
        MMLogger.get_current_instance().info(
            "%d true boxes of attributes that are not labelled as present are not "
            "judged",
            contradicted,
        )
