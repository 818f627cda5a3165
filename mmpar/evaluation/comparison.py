"""Two models on the same images: differences, and whether they could be chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mmpar.evaluation.functional import (
    Interval,
    image_terms,
    interval_of_draws,
    mean_over,
    metrics_of_sums,
    number_persons,
    person_weights,
)
from mmpar.evaluation.predictions import Predictions
from mmpar.evaluation.tables import text_table
from mmpar.structures import AttributeSchema

MEANS = ("mA", "F1", "instance F1")
METRICS = ("mA", "F1")
PERMUTATIONS = 10_000
_SWAPS_AT_ONCE = 2**22


@dataclass(frozen=True)
class Difference:
    """The second model's number minus the first's, in percent.

    Attributes:
        first: Of the first model.
        second: Of the second.
        difference: With the interval of the paired bootstrap.
        p_value: Of the permutation test, corrected for the number of attributes; at
            least 1 / (1 + ``PERMUTATIONS``), 0.0001.
    """

    first: float
    second: float
    difference: Interval
    p_value: float


@dataclass(frozen=True)
class Comparison:
    """See :func:`compare`.

    Attributes:
        images: Compared.
        persons: They show.
        means: ``mA`` and ``F1``, the means over attributes, and ``instance F1``.
        attributes: The same two of each attribute that has positives and negatives.
        left_out: Attributes that have not.
    """

    images: int
    persons: int
    means: dict[str, Difference]
    attributes: dict[str, dict[str, Difference]]
    left_out: tuple[str, ...]


def compare(
    schema: AttributeSchema,
    first: Predictions,
    second: Predictions,
    rounds: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare two models image by image.

    If the models were alike, whose answer is whose would not matter: the permutation
    test swaps the two models' answers for a random half of the persons, each with all
    of its images, and counts how often the difference is at least as large. It swaps
    10,000 times, so the smallest p-value is 0.0001, however many attributes there are:
    of a metric, those of all attributes are corrected together by
    :func:`step_down`. (P persons can only be swapped in 2^P ways, so with fewer than 15
    it is about 2 / 2^P.) Intervals resample persons.

    Args:
        schema: Of both.
        first: Of one model.
        second: Of another on the same images, in any order.
        rounds: Of the bootstrap.
        seed: Of its draws and of the permutations.

    Raises:
        ValueError: The images or their labels differ, or no attribute has positives and
            negatives.
    """
    second = _matched(first, second)
    usable = _usable(first.labels)
    numbers = number_persons(first.person_id.astype(str))
    (persons, one), (_, other) = (
        image_terms(p.scores, p.decisions, p.labels).without_bins().per_person(numbers)
        for p in (first, second)
    )
    weights = person_weights(len(persons), rounds, seed)
    values = [_numbers(sums.sum(axis=0), usable) for sums in (one, other)]
    drawn = _numbers(weights @ other, usable) - _numbers(weights @ one, usable)
    found = values[1] - values[0]
    permuted = np.concatenate([found[None], *_permuted(one, other, usable, seed)])
    names = [name for name, used in zip(schema.names, usable) if used]
    count = len(names)
    alone = len(MEANS)  # each is a family of its own
    ends = [*range(1, alone + 1), alone + count]
    families = np.split(permuted, ends, axis=1)
    p_values = np.concatenate([step_down(family) for family in families])
    differences = [
        Difference(float(a), float(b), interval_of_draws(difference, draws), float(p))
        for a, b, difference, draws, p in zip(*values, found, drawn.T, p_values)
    ]
    return Comparison(
        images=len(first.labels),
        persons=len(persons),
        means=dict(zip(MEANS, differences)),
        attributes={
            name: dict(zip(METRICS, differences[len(MEANS) + i :: count]))
            for i, name in enumerate(names)
        },
        left_out=tuple(n for n, used in zip(schema.names, usable) if not used),
    )


def step_down(differences: np.ndarray) -> np.ndarray:
    """P-values of K differences, corrected for their number, ``(K,)``.

    Step-down maxT: in units of its own spread, each difference is compared with the
    largest of a permutation, of itself and of those found smaller. As permutations keep
    what the K have in common, any dependence is allowed for, and the probability of
    one or more false findings is at most the level. Unlike Holm's, the smallest p-value
    does not grow with K.

    Source: Westfall and Young, "Resampling-Based Multiple Testing", 1993; Ge, Dudoit
    and Speed, "Resampling-based Multiple Testing for Microarray Data Analysis", 2003.

    >>> found, permuted = [3, 1], [[1, -2], [-2, 2], [1, 0]]
    >>> step_down(np.array([found, *permuted])).tolist()
    [0.25, 0.75]

    Args:
        differences: ``(1 + R, K)``, as found, then of R random permutations.
    """
    spread = np.sqrt(np.square(differences).mean(axis=0))
    sizes = np.abs(differences) / np.where(spread > 0, spread, 1)
    order = np.argsort(sizes[0])
    largest = np.maximum.accumulate(sizes[:, order], axis=1)
    p_values = (largest >= sizes[0, order] - 1e-9).mean(axis=0)
    corrected = np.empty_like(p_values)
    corrected[order] = np.maximum.accumulate(p_values[::-1])[::-1]
    return corrected


def _permuted(
    one: np.ndarray, other: np.ndarray, usable: np.ndarray, seed: int
) -> Iterator[np.ndarray]:
    """Differences after swaps, in chunks of bounded memory, ``PERMUTATIONS`` in all."""
    rng = np.random.default_rng(seed)
    change, sums = other - one, (one.sum(axis=0), other.sum(axis=0))
    rows = max(1, _SWAPS_AT_ONCE // len(change))
    for start in range(0, PERMUTATIONS, rows):
        shape = (min(rows, PERMUTATIONS - start), len(change))
        moved = (rng.random(shape) < 0.5).astype(np.float64) @ change
        swapped = _numbers(sums[1] - moved, usable)
        yield swapped - _numbers(sums[0] + moved, usable)


def _numbers(sums: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """``MEANS``, then each of ``METRICS`` of all usable attributes."""
    metrics = metrics_of_sums(sums, len(usable))
    mean_accuracy, f1 = metrics.attribute_accuracy, metrics.attribute_f1
    parts = [
        mean_over(mean_accuracy, usable)[..., None],
        mean_over(f1, usable)[..., None],
        metrics.instance_f1[..., None],
        mean_accuracy[..., usable],
        f1[..., usable],
    ]
    return 100 * np.concatenate(parts, axis=-1)


def _usable(labels: np.ndarray) -> np.ndarray:
    usable = (labels == 1).any(axis=0) & (labels == 0).any(axis=0)
    if not usable.any():
        raise ValueError(
            f"none of {len(usable)} attributes has both positives and negatives in "
            f"{len(labels)} images; test both models on more images"
        )
    return usable


def _matched(first: Predictions, second: Predictions) -> Predictions:
    """The second predictions in the order of the first."""
    paths, others = first.img_path.tolist(), second.img_path.tolist()
    rows = {path: row for row, path in enumerate(others)}
    if len(rows) < len(others) or len(set(paths)) < len(paths):
        raise ValueError("an image is listed twice, so that images cannot be matched")
    missing = [path for path in paths if path not in rows]
    if missing or len(rows) != len(paths):
        raise ValueError(
            f"the results are of different images: the first has {len(paths)},"
            f" the second {len(rows)}, and {len(missing)} of the first are not in the "
            f"second{f', such as {missing[0]!r}' if missing else ''}; test both models "
            "on the same split"
        )
    matched = second.select(np.array([rows[path] for path in paths]))
    differing = np.argwhere(matched.labels != first.labels)
    if len(differing):
        row, attribute = differing[0]
        values = [int(p.labels[row, attribute]) for p in (first, matched)]
        raise ValueError(
            f"the labels of {len(np.unique(differing[:, 0]))} images differ, first of "
            f"{paths[row]}, attribute {attribute + 1}: "
            f"{values[0]} and {values[1]}; test both models on one version of the "
            "dataset"
        )
    return matched


def comparison_text(comparison: Comparison) -> str:
    """A table with one row per mean and attribute."""
    rows = [["", "metric", "first", "second", "difference", "p"]]

    def add(name: str, metric: str, found: Difference) -> None:
        shown = [f"{found.first:.2f}", f"{found.second:.2f}", str(found.difference)]
        rows.append([name, metric, *shown, f"{found.p_value:.4f}"])

    for metric, found in comparison.means.items():
        add("all", metric, found)
    for name, metrics in comparison.attributes.items():
        for metric, found in metrics.items():
            add(name, metric, found)
    lines = [
        text_table(rows),
        f"{comparison.images:,} images of {comparison.persons:,} persons, an image of "
        "an unknown one for one; p by swapping the models' answers for persons "
        f"{PERMUTATIONS:,} times, so at least {1 / (1 + PERMUTATIONS):.4f}, corrected "
        "for the number of attributes (step-down maxT)",
    ]
    if comparison.left_out:
        lines.append(
            f"without a positive or a negative: {', '.join(comparison.left_out)}"
        )
    return "\n".join(lines)
