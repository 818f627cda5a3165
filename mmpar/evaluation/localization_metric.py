"""The evaluator of weakly supervised attribute localization."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
from mmengine.logging import MMLogger

from mmpar.evaluation.functional import (
    DEFAULT_THRESHOLD,
    LocalizationScores,
    box_of_map,
    check_threshold,
    localization_scores,
    peak_of_map,
)
from mmpar.evaluation.sample_table import Columns, SampleTableMetric, as_array
from mmpar.evaluation.tables import log_table, text_table
from mmpar.registry import METRICS


@METRICS.register_module()
class AttributeLocalizationMetric(SampleTableMetric):
    """IoU of predicted with true attribute boxes, and the pointing game, in percent.

    Definitions in :func:`mmpar.evaluation.functional.localization_scores`. Judged are
    attributes that are present (``gt_score`` 1) and have a true box
    (``gt_attribute_boxes``). The predictions are those of an explainer, which
    :class:`ExplainLoop` runs: ``pred_attribute_boxes``, ``(A, 4)``, whose centres are
    the points, or ``pred_attribute_maps``, ``(A, H, W)``, whose boxes are found by
    :func:`box_of_map` and whose maxima are the points.

    Logs a table with one row per attribute, and beside the IoU that of the whole image
    as the box. Returns the means over the attributes that have true boxes:
    ``localization/mean_iou``, ``localization/iou_above_30``,
    ``localization/iou_above_50``, ``localization/pointing`` and
    ``localization/whole_image_iou``.

    Args:
        threshold: See :func:`box_of_map`.
        out_file: JSON file for the means and the values of all attributes.
        **kwargs: See MMEngine's ``BaseMetric``.
    """

    default_prefix = "localization"
    NEEDED = ("gt_score", "gt_attribute_boxes", "img_shape")
    REMEDY = (
        "localization is judged by true boxes of the attributes. Annotate them in "
        "COCO's JSON, one category per attribute, and put dict(type="
        "'LoadAttributeBoxes', ann_file='boxes.json', schema=...) before Resize in the "
        "test pipeline, which ends in PackPARInputs; DrawSyntheticPerson draws its own"
    )

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

    def row(self, sample: dict) -> Columns:
        """True boxes of what is present; predicted boxes and points of the same.

        Raises:
            ValueError: The sample has no explanation.
        """
        truth = as_array(sample["gt_attribute_boxes"], np.float32)
        boxed = ~np.isnan(truth).any(axis=1)
        judged = boxed & (as_array(sample["gt_score"], np.int8) == 1)
        truth[~judged] = np.nan
        boxes, points = self._predicted(sample, judged)
        height, width = sample["img_shape"][:2]
        whole = np.array((0, 0, width, height), np.float32)
        return dict(
            truth=truth,
            boxes=boxes,
            points=points,
            whole=np.tile(whole, (len(truth), 1)),
            contradicted=np.array((boxed & ~judged).sum()),
        )

    def _predicted(
        self, sample: dict, judged: np.ndarray
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
            boxes[index] = box_of_map(maps[index], self.threshold)
            points[index] = peak_of_map(maps[index])
        return boxes, points

    def compute_from_columns(self, paths: list[str], columns: Columns) -> dict:
        """Judge, log the tables and write the file.

        Raises:
            ValueError: There is not one true box.
        """
        truth, boxes, points, whole, contradicted = columns.values()
        scores = localization_scores(truth, boxes, points)
        if not scores.count.any():
            raise ValueError(
                f"none of the {len(paths)} samples has a true box of an attribute that "
                "is present; do the file names in the annotation of the boxes fit "
                f"those of the dataset, such as {paths[0]!r}?"
            )
        reference = localization_scores(truth, whole, points)
        metrics = dict(
            mean_iou=scores.mean(scores.iou),
            iou_above_30=scores.mean(scores.above_30),
            iou_above_50=scores.mean(scores.above_50),
            pointing=scores.mean(scores.pointing),
            whole_image_iou=reference.mean(reference.iou),
        )
        metrics = {name: 100 * value for name, value in metrics.items()}
        columns = _percent_columns(scores, reference)
        MMLogger.get_current_instance().info(
            "%d of %d images have a true box of an attribute that is present",
            (~np.isnan(truth).all(axis=(1, 2))).sum(),
            len(paths),
        )
        self._log(scores, columns, metrics, int(contradicted.sum()))
        if self.out_file:
            self._write(scores, columns, metrics)
        return metrics

    def _log(
        self,
        scores: LocalizationScores,
        columns: Columns,
        metrics: dict[str, float],
        contradicted: int,
    ) -> None:
        logger = MMLogger.get_current_instance()
        rows = [["attribute", "boxes", *columns]]
        for i in np.flatnonzero(scores.count):
            values = [f"{column[i]:.2f}" for column in columns.values()]
            rows.append([self.schema.names[i], str(scores.count[i]), *values])
        means = [f"{value:.2f}" for value in metrics.values()]
        rows.append(["mean of attributes", str(scores.count.sum()), *means])
        log_table(text_table(rows))
        if contradicted:
            logger.info(
                "%d true boxes of attributes that are not labelled as present are not "
                "judged",
                contradicted,
            )

    def _write(
        self, scores: LocalizationScores, columns: Columns, metrics: dict[str, float]
    ) -> None:
        content = dict(
            threshold=self.threshold,
            metrics=metrics,
            attributes={
                self.schema.names[i]: dict(
                    boxes=int(scores.count[i]),
                    **{name: float(column[i]) for name, column in columns.items()},
                )
                for i in np.flatnonzero(scores.count)
            },
        )
        path = os.path.abspath(str(self.out_file))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)


def _percent_columns(
    scores: LocalizationScores, reference: LocalizationScores
) -> Columns:
    columns = {
        "IoU": scores.iou,
        "IoU>0.3": scores.above_30,
        "IoU>0.5": scores.above_50,
        "pointing": scores.pointing,
        "whole image": reference.iou,
    }
    return {name: 100 * column for name, column in columns.items()}
