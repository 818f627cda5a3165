"""The multi-label evaluator of pedestrian attribute recognition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from mmengine.logging import MMLogger

from mmpar.evaluation.functional import (
    EMPTY_ATTRIBUTE_RULES,
    MultiLabelScores,
    decide,
    multi_label_scores,
)
from mmpar.evaluation.gather import Columns, SplitMetric
from mmpar.evaluation.predictions import (
    Predictions,
    SeenPersons,
    in_counting_order,
    prediction_row,
)
from mmpar.evaluation.tables import log_table, text_table
from mmpar.registry import METRICS
from mmpar.structures import (
    AttributeSchema,
    Threshold,
    build_thresholds,
    describe_thresholds,
)


@METRICS.register_module()
class PARMetric(SeenPersons, SplitMetric):
    """mA, instance accuracy, precision, recall and F1, label-based F1, in percent.

    Definitions in :func:`mmpar.evaluation.functional.multi_label_scores`. Logs a table
    with one row per attribute. Returns ``par/mA``, ``par/instance_accuracy``,
    ``par/instance_precision``, ``par/instance_recall``, ``par/instance_f1`` and
    ``par/label_f1``.

    When the samples are of several domains (``domain`` of the annotation, as in UPAR
    and PETA), it also logs one row per domain and returns the same numbers of each, as
    ``par/Market1501/mA``, and their plain mean over domains, as ``par/domain_mean/mA``;
    a domain that is a number, say 3, is called ``domain3``. UPAR's challenge judges by
    domains that were not trained on (chalearnlap.cvc.uab.cat/challenge/52/description).
    Fewer images lack positives of more attributes, so ``empty_attribute`` weighs more
    in a domain than in the whole.

    Where the images name persons and :class:`SeenPersonsHook` has said whom the model
    was trained on or chosen by, the same numbers are also given of images that show
    such persons and of the others, as ``par/seen/mA`` and ``par/unseen/mA``. Only the
    latter says how well new persons are recognized (Jia et al., arXiv 2107.03576).

    Args:
        threshold: By default the model's decisions are judged, which are those of
            ``model.head.threshold``. Given, scores above it are judged as positives
            instead, and a line of the log says so; in the forms that the head takes.
        empty_attribute: Attributes without a positive or a negative in the split count
            in the means by the ``'official'`` rule (undefined recall = 0, comparable
            with published figures), or not (``'skip'``). They are logged either way.
        **kwargs: See MMEngine's ``BaseMetric``.
    """

    default_prefix = "par"

    def __init__(
        self,
        threshold: Threshold | None = None,
        empty_attribute: str = "official",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if empty_attribute not in EMPTY_ATTRIBUTE_RULES:
            raise ValueError(
                f"empty_attribute is one of {EMPTY_ATTRIBUTE_RULES}, got "
                f"{empty_attribute!r}"
            )
        self.threshold = threshold
        self.empty_attribute = empty_attribute

    def row(self, sample: dict[str, Any]) -> Columns:
        """See :func:`prediction_row`."""
        return prediction_row(sample)

    def compute_metrics(self, columns: Any) -> dict[str, float]:
        """Score the predictions and log the tables; no number without known labels."""
        schema = self.schema
        logger = MMLogger.get_current_instance()
        predictions = self.with_seen(Predictions.from_columns(columns))
        if not (predictions.labels >= 0).any():
            logger.warning(
                "none of the %d images has a known label: there is nothing to score",
                len(predictions.labels),
            )
            return {}
        predictions = self._redecided(predictions)
        result = self._score(predictions)
        metrics = percents(result)
        log_table(attribute_table(schema, result))
        log_table(summary_table(metrics, len(predictions.labels)))
        if result.empty.any():
            names = [schema.names[i] for i in np.flatnonzero(result.empty)]
            treated = {
                "official": "counted in the means, their undefined recall as 0",
                "skip": "left out of the means over attributes",
            }[self.empty_attribute]
            logger.info(
                "Attributes without a positive or a negative in this split, %s: %s",
                treated,
                ", ".join(names),
            )
        return {
            **metrics,
            **self._of_persons(predictions),
            **self._of_domains(predictions),
        }

    def _redecided(self, predictions: Predictions) -> Predictions:
        """Decided by this metric's own threshold if it has one."""
        if self.threshold is None:
            return predictions
        thresholds = build_thresholds(self.threshold, self.schema)
        MMLogger.get_current_instance().info(
            "Judged by the metric's own threshold, not by the model's decisions: %s",
            describe_thresholds(thresholds, self.schema),
        )
        decisions = decide(predictions.scores, thresholds)
        return replace(predictions, decisions=decisions)

    def _score(self, predictions: Predictions) -> MultiLabelScores:
        return multi_label_scores(
            predictions.decisions, predictions.labels, self.empty_attribute
        )

    def _of_domains(self, predictions: Predictions) -> dict[str, float]:
        """Metrics of each domain and their means; none if there is one domain."""
        counts = Counter(predictions.domain.tolist())
        without = counts.pop("", 0)
        if len(counts) < 2:
            return {}
        names = in_counting_order(counts)
        results = self._by_group(predictions, predictions.domain, names)
        log_table(group_table("domain", results, counts, mean=True))
        if without:
            MMLogger.get_current_instance().info(
                "%d images have no domain and count in the whole only", without
            )
        of_domains = {name: percents(result) for name, result in results.items()}
        of_domains["domain_mean"] = mean_of(list(of_domains.values()))
        return _flat(of_domains)

    def _of_persons(self, predictions: Predictions) -> dict[str, float]:
        """Metrics of persons seen in training and of others; none if unknown."""
        groups = np.array(["unseen", "seen", ""], object)[predictions.seen]
        counts = Counter(groups.tolist())
        without = counts.pop("", 0)
        if not counts:
            return {}
        names = [name for name in ("seen", "unseen") if counts[name]]
        results = self._by_group(predictions, groups, names)
        log_table(group_table("persons", results, counts))
        if without:
            MMLogger.get_current_instance().info(
                "%d images name no person and count in the whole only", without
            )
        return _flat({name: percents(result) for name, result in results.items()})

    def _by_group(
        self, predictions: Predictions, groups: np.ndarray, names: Sequence[str]
    ) -> dict[str, MultiLabelScores]:
        return {name: self._score(predictions.select(groups == name)) for name in names}


def _flat(metrics: Mapping[str, dict[str, float]]) -> dict[str, float]:
    return {
        f"{group}/{name}": value
        for group, values in metrics.items()
        for name, value in values.items()
    }


def percents(result: MultiLabelScores) -> dict[str, float]:
    """The means of a result under their names, in percent."""
    means = dict(
        mA=result.mean_accuracy,
        instance_accuracy=result.instance_accuracy,
        instance_precision=result.instance_precision,
        instance_recall=result.instance_recall,
        instance_f1=result.instance_f1,
        label_f1=result.label_f1,
    )
    return {name: 100 * value for name, value in means.items()}


def mean_of(metrics: Sequence[dict[str, float]]) -> dict[str, float]:
    """Each metric's plain mean."""
    return {name: float(np.mean([m[name] for m in metrics])) for name in metrics[0]}


def attribute_table(schema: AttributeSchema, result: MultiLabelScores) -> str:
    """One row per attribute: known labels, and the others in percent."""
    rate = result.positives / np.maximum(result.known, 1)
    columns = (
        rate,
        result.positive_recall,
        result.negative_recall,
        result.attribute_accuracy,
        result.attribute_f1,
    )
    rows = [["attribute", "known", "positive", "recall+", "recall-", "mA", "F1"]]
    for i, name in enumerate(schema.names):
        percents = [f"{100 * column[i]:.2f}" for column in columns]
        rows.append([name, str(int(result.known[i])), *percents])
    return text_table(rows)


def summary_table(metrics: dict[str, float], num_images: int) -> str:
    """One row with the means."""
    return text_table([["images", *metrics], [str(num_images), *_rounded(metrics)]])


def group_table(
    title: str,
    results: dict[str, MultiLabelScores],
    counts: Mapping[str, int],
    mean: bool = False,
) -> str:
    """One row per group, then their mean if asked for.

    ``empty`` counts the attributes without a positive or a negative there.
    """
    of_groups = [percents(result) for result in results.values()]
    rows = [[title, "images", "empty", *of_groups[0]]]
    for (name, result), metrics in zip(results.items(), of_groups):
        empty = str(int(result.empty.sum()))
        rows.append([name, str(counts[name]), empty, *_rounded(metrics)])
    if mean:
        rows.append(["mean", "", "", *_rounded(mean_of(of_groups))])
    return text_table(rows)


def _rounded(metrics: dict[str, float]) -> list[str]:
    return [f"{value:.2f}" for value in metrics.values()]
