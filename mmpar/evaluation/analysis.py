"""What the predictions of a split are worth: per attribute, per group, per image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mmpar.evaluation.functional import (
    Interval,
    SummedMetrics,
    average_precision,
    bins_of_sums,
    errors_of_bins,
    image_terms,
    interval_of_draws,
    mean_over,
    metrics_of_sums,
    multi_label_scores,
    number_persons,
    person_weights,
)
from mmpar.evaluation.functional.calibration import NUM_BINS, sort_into_bins
from mmpar.evaluation.groups import Grouping, group_images
from mmpar.evaluation.predictions import Predictions
from mmpar.evaluation.result_record import Record
from mmpar.structures import AttributeSchema

SMALL_GROUP = 30
"""Persons below which a group is marked: its intervals are too narrow to be trusted."""

MIN_EACH_CLASS = 10
"""Positives, and negatives, for which an attribute is compared between groups."""

_CHANCE_ROUNDS = 20
_ALMOST_CERTAIN = np.finfo(np.float32).epsneg


@dataclass(frozen=True)
class AttributeResult:
    """One attribute on the whole split; intervals in percent."""

    name: str
    known: int
    positives: int
    metrics: dict[str, Interval]
    """``recall+``, ``recall-``, ``mA``, ``F1``, ``AP``, ``ECE``."""


@dataclass(frozen=True)
class AttributeGap:
    """mA of an attribute in a group, minus that in the others of the grouping."""

    name: str
    value: float
    gap: Interval


@dataclass(frozen=True)
class GroupResult:
    """A group beside the others of its grouping; intervals in percent.

    Attributes:
        name: Of the group.
        images: In it.
        persons: In it, an image of an unknown person for one.
        other_persons: In the others.
        compared: Attributes over which mA and its gap are means: those with
            ``MIN_EACH_CLASS`` positives and negatives in the group and in the others.
        metrics: ``mA``, ``instance F1`` and ``ECE``, the mean over attributes.
        gaps: The same, group minus others. That of ``ECE`` is of what exceeds chance.
        chance_error: ECE that the group had if the scores were the probabilities.
        attributes: mA of each compared attribute and its gap.
        bins: Count, score and positives of each bin, ``(3, A, B)``.
    """

    name: str
    images: int
    persons: int
    other_persons: int
    compared: int
    metrics: dict[str, Interval]
    gaps: dict[str, Interval]
    chance_error: float
    attributes: list[AttributeGap]
    bins: np.ndarray

    @property
    def is_small(self) -> bool:
        """Whether it or the others are too few persons for intervals to be trusted."""
        return min(self.persons, self.other_persons) < SMALL_GROUP


@dataclass(frozen=True)
class GroupingResult:
    """The groups of a grouping."""

    title: str
    left_out: int
    groups: list[GroupResult]


@dataclass(frozen=True)
class Confusion:
    """Images by the true and the decided answer of an exclusive set.

    Attributes:
        answers: The K members, "none" and "several".
        counts: ``(K + 2, K + 2)``, rows the truth, columns the decisions.
        left_out: Images of which not all members are known.
    """

    answers: tuple[str, ...]
    counts: np.ndarray
    left_out: int


@dataclass(frozen=True)
class WorstImage:
    """An image that is far from its labels.

    Attributes:
        img_path: As in the predictions.
        loss: Mean binary cross entropy over its known labels.
        wrong: Attributes that are decided wrongly, with their score in [0, 1], the most
            confident first.
    """

    img_path: str
    loss: float
    wrong: list[tuple[str, float]]


@dataclass(frozen=True)
class Analysis:
    """See :func:`analyze`."""

    schema: AttributeSchema
    images: int
    persons: int
    rounds: int
    summary: dict[str, Interval]
    attributes: list[AttributeResult]
    confusions: list[Confusion]
    groupings: list[GroupingResult]
    worst: list[WorstImage]
    confidently_wrong: dict[str, list[WorstImage]]
    notes: list[str]
    record: Record


def analyze(
    schema: AttributeSchema,
    predictions: Predictions,
    rounds: int = 1000,
    seed: int = 0,
    num_worst: int = 24,
    record: Record | None = None,
) -> Analysis:
    """Measure a split as a whole, per attribute, within groups, and find worst images.

    Intervals hold 95 % of the draws of the bootstrap, which resamples persons, so that
    all numbers of a draw are of the same images; see :func:`interval_of_draws`. Means
    over attributes are over those with a positive and a negative in the split.

    Args:
        schema: Of the predictions.
        predictions: With known labels.
        rounds: Of the bootstrap.
        seed: Of its draws.
        num_worst: Images with the largest loss; a sixth of it per attribute.
        record: What the predictions come from, for the reader of the numbers.

    Raises:
        ValueError: No label is known.
    """
    if not (predictions.labels >= 0).any():
        raise ValueError(
            f"none of the {len(predictions.labels)} images has a known label: there is "
            "nothing to analyze"
        )
    split = _Split(schema, predictions, rounds, seed)
    groupings, notes = group_images(schema, predictions)
    summary, attributes = split.whole()
    losses = _losses(predictions)
    return Analysis(
        schema=schema,
        images=len(predictions.labels),
        persons=len(split.weights[0]),
        rounds=rounds,
        summary=summary,
        attributes=attributes,
        confusions=confusions(schema, predictions),
        groupings=[split.grouped(grouping) for grouping in groupings],
        worst=_worst_images(schema, predictions, losses, num_worst),
        confidently_wrong=_confidently_wrong(
            schema, predictions, losses, num_worst // 6
        ),
        notes=[*_notes(schema, predictions), *notes],
        record=record or {},
    )


class _Split:
    """The terms of a split, and the draws that all its numbers share."""

    def __init__(
        self, schema: AttributeSchema, predictions: Predictions, rounds: int, seed: int
    ) -> None:
        self.schema = schema
        self.predictions = predictions
        self.persons = number_persons(predictions.person_id)
        self.weights = person_weights(int(self.persons.max()) + 1, rounds, seed)
        self.terms = image_terms(
            predictions.scores, predictions.decisions, predictions.labels
        )
        rng = np.random.default_rng(seed)
        shape = (_CHANCE_ROUNDS, *predictions.scores.shape)
        self.chance_labels = rng.random(shape, np.float32) < predictions.scores

    def whole(self) -> tuple[dict[str, Interval], list[AttributeResult]]:
        """The means, and each attribute."""
        value, draws = self._metrics(*self._sums(None))
        counted = _has_both(value, 1)
        areas, drawn_areas = self._average_precisions()
        pairs = {
            "mA": (value.attribute_accuracy, draws.attribute_accuracy),
            "label F1": (value.attribute_f1, draws.attribute_f1),
            "mAP": (areas, drawn_areas),
            "ECE": (value.calibration_error, draws.calibration_error),
        }
        means = {
            name: (mean_over(v, counted), mean_over(d, counted))
            for name, (v, d) in pairs.items()
        }
        for name in ("accuracy", "precision", "recall", "f1"):
            title = f"instance {name}".replace("f1", "F1")
            field = f"instance_{name}"
            means[title] = (getattr(value, field), getattr(draws, field))
        columns = {
            "recall+": (value.positive_recall, draws.positive_recall),
            "recall-": (value.negative_recall, draws.negative_recall),
            "mA": pairs["mA"],
            "F1": pairs["label F1"],
            "AP": pairs["mAP"],
            "ECE": pairs["ECE"],
        }
        attributes = [
            AttributeResult(
                name,
                int(value.known[a]),
                int(value.positives[a]),
                {
                    key: _percent(v[..., a], d[..., a])
                    for key, (v, d) in columns.items()
                },
            )
            for a, name in enumerate(self.schema.names)
        ]
        return {name: _percent(*pair) for name, pair in means.items()}, attributes

    def grouped(self, grouping: Grouping) -> GroupingResult:
        """Each group beside the others of its grouping."""
        member = grouping.member
        groups = range(len(grouping.names))
        sums = [self._sums(member == group) for group in groups]
        whole = [sum(parts) for parts in zip(*sums)]
        chance = self._chance_bins(grouping)
        results = []
        for group, name in enumerate(grouping.names):
            ours = self._metrics(*sums[group])
            rest_sums = [total - part for total, part in zip(whole, sums[group])]
            rest = self._metrics(*rest_sums)
            by_chance = [
                100 * float(np.nanmean(errors_of_bins(bins)))
                for bins in (chance[group], chance.sum(axis=0) - chance[group])
            ]
            inside = member == group
            results.append(
                GroupResult(
                    name=name,
                    images=int(inside.sum()),
                    persons=self._count_persons(inside),
                    other_persons=self._count_persons((member >= 0) & ~inside),
                    chance_error=by_chance[0],
                    bins=bins_of_sums(sums[group][0], len(self.schema)),
                    **_beside(self.schema, ours, rest, by_chance),
                )
            )
        return GroupingResult(grouping.title, int((member < 0).sum()), results)

    def _count_persons(self, rows: np.ndarray) -> int:
        return len(np.unique(self.persons[rows]))

    def _sums(self, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Sums over all images of some rows, ``(K,)``, and of each draw, ``(R, K)``."""
        persons, sums = self.terms.per_person(self.persons, rows)
        weights = self.weights[:, persons]
        return sums.sum(axis=0), weights @ sums.astype(np.float32)

    def _metrics(
        self, value: np.ndarray, draws: np.ndarray
    ) -> tuple[SummedMetrics, SummedMetrics]:
        count = len(self.schema)
        return metrics_of_sums(value, count), metrics_of_sums(draws, count)

    def _average_precisions(self) -> tuple[np.ndarray, np.ndarray]:
        """Of each attribute, ``(A,)``, and of each draw, ``(R, A)``."""
        scores, labels = self.predictions.scores, self.predictions.labels
        weights = np.ascontiguousarray(self.weights.T[self.persons])
        ones = np.ones((len(labels), 1))
        found = [
            [average_precision(scores[:, a], labels[:, a], w) for w in (ones, weights)]
            for a in range(labels.shape[1])
        ]
        values, draws = zip(*found)
        return np.concatenate(values), np.stack(draws, axis=1)

    def _chance_bins(self, grouping: Grouping) -> np.ndarray:
        """Bins of each group with labels drawn from the scores, ``(G, T, 3, A, B)``.

        See :func:`ideal_calibration_errors`; T is the number of times they are drawn.
        """
        scores, count = self.predictions.scores, len(self.schema) * (NUM_BINS + 1)
        known = (self.predictions.labels >= 0) & (grouping.member >= 0)[:, None]
        places = (sort_into_bins(scores) + count * grouping.member[:, None])[known]
        total = count * len(grouping.names)
        bins = np.empty((len(self.chance_labels), 3, total))
        bins[:, 0] = np.bincount(places, minlength=total)
        bins[:, 1] = np.bincount(places, scores[known], total)
        for one, drawn in zip(bins, self.chance_labels):
            one[2] = np.bincount(places, drawn[known], total)
        shape = (len(bins), 3, len(grouping.names), len(self.schema), NUM_BINS + 1)
        return np.moveaxis(bins.reshape(shape), 2, 0)


_Pair = tuple[SummedMetrics, SummedMetrics]
"""Of a split, and of its draws."""


def _beside(
    schema: AttributeSchema, ours: _Pair, others: _Pair, chance: Sequence[float]
) -> dict[str, Any]:
    """The fields of a group that compare it with the others."""
    pairs = list(zip(ours, others))  # of the split, of the draws
    compared = _has_both(ours[0], MIN_EACH_CLASS) & _has_both(others[0], MIN_EACH_CLASS)
    every = np.ones(len(schema), bool)
    measures: dict[str, Callable[[SummedMetrics], np.ndarray]] = {
        "mA": lambda one: mean_over(one.attribute_accuracy, compared),
        "instance F1": lambda one: one.instance_f1,
        "ECE": lambda one: mean_over(one.calibration_error, every),
    }
    gaps = {}
    for name, measure in measures.items():
        value, draws = (measure(us) - measure(them) for us, them in pairs)
        by_chance = (chance[0] - chance[1]) / 100 if name == "ECE" else 0
        gaps[name] = _gap(value - by_chance, draws)
    value, draws = (us.attribute_accuracy - t.attribute_accuracy for us, t in pairs)
    return dict(
        compared=int(compared.sum()),
        metrics={name: _percent(*map(of, ours)) for name, of in measures.items()},
        gaps=gaps,
        attributes=[
            AttributeGap(
                schema.names[a],
                100 * float(ours[0].attribute_accuracy[a]),
                _gap(value[a], draws[:, a]),
            )
            for a in np.flatnonzero(compared)
        ],
    )


def _has_both(metrics: SummedMetrics, least: int) -> np.ndarray:
    negatives = metrics.known - metrics.positives
    return (metrics.positives >= least) & (negatives >= least)


def _gap(value: np.ndarray, draws: np.ndarray) -> Interval:
    """In percent."""
    return interval_of_draws(100 * float(value), 100 * draws)


def _percent(value: np.ndarray, draws: np.ndarray) -> Interval:
    """In percent, the ends within 0 and 100."""
    found = _gap(value, draws)
    low, high = (float(np.clip(end, 0, 100)) for end in (found.low, found.high))
    return replace(found, low=low, high=high)


def confusions(schema: AttributeSchema, predictions: Predictions) -> list[Confusion]:
    """How the answers of each exclusive set are confused."""
    found = []
    for members in schema.exclusive_indices:
        columns = list(members)
        labels = predictions.labels[:, columns]
        known = (labels >= 0).all(axis=1)
        truth = _answers(labels[known] == 1)
        decided = _answers(predictions.decisions[known][:, columns])
        size = len(columns) + 2
        counts = np.bincount(truth * size + decided, minlength=size**2)
        names = (*(schema.names[i] for i in columns), "none", "several")
        left_out = int((~known).sum())
        found.append(Confusion(names, counts.reshape(size, size), left_out))
    return found


def _answers(present: np.ndarray) -> np.ndarray:
    """The one that is present of K, K for none, K + 1 for several."""
    count = present.sum(axis=1)
    size = present.shape[1]
    return np.where(count == 1, present.argmax(axis=1), size + (count > 1))


def _losses(predictions: Predictions) -> np.ndarray:
    """Binary cross entropy of each known label, ``(N, A)``; NaN for unknown ones.

    Scores of exactly 0 and 1 stand for the nearest ones of float32.
    """
    scores = predictions.scores.astype(np.float64)
    scores = scores.clip(_ALMOST_CERTAIN, 1 - _ALMOST_CERTAIN)
    losses = -np.log(np.where(predictions.labels == 1, scores, 1 - scores))
    return np.where(predictions.labels >= 0, losses, np.nan)


def _worst_images(
    schema: AttributeSchema, predictions: Predictions, losses: np.ndarray, count: int
) -> list[WorstImage]:
    """Those with the largest mean loss, the worst first."""
    known = np.flatnonzero((predictions.labels >= 0).any(axis=1))
    means = np.nanmean(losses[known], axis=1)
    order = np.argsort(-means, kind="stable")[:count]
    return [_image(schema, predictions, known[row], float(means[row])) for row in order]


def _confidently_wrong(
    schema: AttributeSchema, predictions: Predictions, losses: np.ndarray, count: int
) -> dict[str, list[WorstImage]]:
    """Of each attribute the images that are decided wrongly by the clearest scores."""
    wrong = predictions.decisions != (predictions.labels == 1)
    losses = np.where(wrong & (predictions.labels >= 0), losses, -np.inf)
    found = {}
    for a, name in enumerate(schema.names):
        order = np.argsort(-losses[:, a], kind="stable")[:count]
        found[name] = [
            _image(schema, predictions, row, float(losses[row, a]))
            for row in order
            if losses[row, a] > 0
        ]
    return found


def _image(
    schema: AttributeSchema, predictions: Predictions, row: int, loss: float
) -> WorstImage:
    scores, labels = predictions.scores[row], predictions.labels[row]
    wrong = np.flatnonzero(
        (labels >= 0) & (predictions.decisions[row] != (labels == 1))
    )
    order = wrong[np.argsort(-np.abs(scores[wrong] - labels[wrong]), kind="stable")]
    named = [(schema.names[a], float(scores[a])) for a in order]
    return WorstImage(str(predictions.img_path[row]), loss, named)


def _notes(schema: AttributeSchema, predictions: Predictions) -> list[str]:
    """What a reader of the numbers must know."""
    notes = []
    unknown = int((predictions.person_id == "").sum())
    if unknown:
        notes.append(
            f"the persons of {unknown} of {len(predictions.labels)} images are not "
            "known: each of these counts as a person, so where persons have several "
            "of them, intervals are too narrow"
        )
    scores = multi_label_scores(predictions.decisions, predictions.labels)
    if scores.empty.any():
        names = ", ".join(schema.names[a] for a in np.flatnonzero(scores.empty))
        notes.append(
            f"without a positive or a negative, left out of means: {names}. By the "
            "official rule, which counts their undefined recall as 0, mA is "
            f"{100 * scores.mean_accuracy:.2f} and label F1 {100 * scores.label_f1:.2f}"
        )
    return notes
