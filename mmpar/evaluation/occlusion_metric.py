"""The evaluator of the occlusion test."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmengine.logging import MMLogger

from mmpar.evaluation.gather import Columns, SplitMetric, as_array, require_fields
from mmpar.evaluation.tables import log_table, text_table
from mmpar.registry import METRICS

COMPARISONS = ("in_image", "in_region")
"""Where the other box is."""


@METRICS.register_module()
class OcclusionMetric(SplitMetric):
    """How often an explainer's box costs the logit more than another, in percent.

    :class:`ExplainLoop` runs the test itself (``occlusion=dict()``), an
    :class:`OcclusionTest`. Logs a table with one row per attribute. Returns the shares
    of boxes whose occlusion lowers the logit more than that of a random box of equal
    size in the image, ``occlusion/in_image``, and in the attribute's region,
    ``occlusion/in_region``; and the share of images whose boxes do in the mean,
    ``occlusion/images``. A share of nothing is left out.
    """

    default_prefix = "occlusion"

    def row(self, sample: dict[str, Any]) -> Columns:
        """Drops of the logits, and which judged attributes have no box.

        Raises:
            ValueError: The sample has no occlusion test.
        """
        require_fields(
            sample,
            ("gt_score", "pred_label", "occlusion_boxes", "occlusion_drops"),
            "test with test_cfg=dict(type='ExplainLoop', explainer=dict(type='GradCAM')"
            ", occlusion=dict()), as tools/analysis_tools/occlusion_test.py does",
        )
        judged = np.zeros(len(sample["gt_score"]), bool)
        judged[as_array(sample["pred_label"], np.int64)] = True
        judged &= as_array(sample["gt_score"], np.int8) == 1
        boxes = as_array(sample["occlusion_boxes"], np.float64)
        drops = as_array(sample["occlusion_drops"], np.float64)
        no_box = np.isnan(boxes).any(axis=1)
        return dict(
            drops=drops,
            no_box=judged & no_box,
            no_place=(judged & ~no_box)[:, None] & np.isnan(drops).any(axis=2),
        )

    def compute_metrics(self, columns: Any) -> dict[str, float]:
        """Compare, log the table and the counts of what was not compared."""
        drops, no_place = columns["drops"], columns["no_place"]
        compared: np.ndarray = ~np.isnan(drops.sum(axis=3))  # (N, A, C)
        gain = np.where(compared, drops[..., 0] - drops[..., 1], 0)
        rows = [("attribute", *_header(drops.shape[2]))]
        for index in np.flatnonzero(compared[:, :, 0].any(axis=0)):
            name = self.schema.names[index]
            rows.append((name, *_cells(gain[:, index], compared[:, index])))
        boxes = (np.concatenate(gain), np.concatenate(compared))
        images = (gain.sum(axis=1), np.any(compared, axis=1))
        rows.append(("all", *_cells(*boxes)))
        rows.append(("images, by the mean of their boxes", *_cells(*images)))
        log_table(text_table(rows))
        self._log_counts(columns["no_box"].sum(), no_place.sum(axis=(0, 1)))
        shares = dict(zip(COMPARISONS, _shares(*boxes)))
        shares["images"] = _shares(*images)[0]
        return {name: share for name, share in shares.items() if not np.isnan(share)}

    def _log_counts(self, no_box: int, no_place: np.ndarray) -> None:
        logger = MMLogger.get_current_instance()
        logger.info(
            "in percent: boxes whose occlusion lowers the logit more than that of a "
            "random box of equal size. Not compared: %d boxes too large for another of "
            "their size in the image, %d answers without a box",
            no_place[0],
            no_box,
        )
        if len(no_place) > 1:
            logger.info(
                "%d boxes are compared in the image only, as their region has no "
                "other place",
                no_place[1] - no_place[0],
            )


def _header(comparisons: int) -> list[str]:
    names = COMPARISONS[:comparisons]
    return [cell for name in names for cell in ("compared", name)]


def _cells(gain: np.ndarray, compared: np.ndarray) -> list[str]:
    """Of each comparison how many there are, and the share of positive gains."""
    counts, shares = compared.sum(axis=0), _shares(gain, compared)
    texts = ["-" if np.isnan(share) else f"{share:.1f}" for share in shares]
    return [cell for pair in zip(map(str, counts), texts) for cell in pair]


def _shares(gain: np.ndarray, compared: np.ndarray) -> list[float]:
    """Percent of the compared, ``(n, C)``, that have a positive gain; NaN of none."""
    columns = zip(gain.T, compared.T)
    return [
        100 * float((column[kept] > 0).mean()) if kept.any() else float("nan")
        for column, kept in columns
    ]
