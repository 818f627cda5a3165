"""Whether two datasets that labelled the same images say the same of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from mmpar.datasets.base import PARDataset
from mmpar.datasets.doctor.images import ImageFile, full_paths, inspect_all
from mmpar.datasets.doctor.issue import Issue
from mmpar.evaluation.functional import cohen_kappa
from mmpar.structures import AttributeSchema, infer
from mmpar.utils.perceptual_hash import group_near_copies

Splits = Mapping[str, PARDataset]


@dataclass(frozen=True)
class Agreement:
    """What the other dataset's labels say of one attribute.

    Args:
        attribute: Its name.
        compared: Images of which both datasets know it, the other by an attribute of
            this name or what its labels imply (:func:`mmpar.structures.infer`).
        agreeing: Those of which they say the same.
        kappa: Cohen's; NaN if either says the same of all images, as where the other
            dataset can tell only that the attribute is absent.
        contradictions: Full paths of the others.
    """

    attribute: str
    compared: int
    agreeing: int
    kappa: float
    contradictions: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Two datasets' labels of the same images.

    Args:
        title: The other dataset.
        images: Images that both have.
        differing: Full paths of those whose namesake there shows something else.
        agreements: One for each attribute that can be compared.
    """

    title: str
    images: int
    differing: tuple[str, ...]
    agreements: list[Agreement]


def compare_datasets(
    splits: Splits,
    images: Mapping[str, ImageFile],
    others: Splits,
    workers: int = 4,
    report: Callable[[int], None] = lambda done: None,
) -> Comparison:
    """Compare the labels of the images that two datasets share.

    An image is shared if a file of its name is in both, once, and shows the same:
    folders, compression and the name's ending may differ.

    Args:
        splits: Name to dataset, of one schema.
        images: Of each full path, as read by :func:`inspect_all`.
        others: The other dataset's.
        workers: Images read at a time.
        report: Called with the number of images read.

    Raises:
        ValueError: No image is shared, or no attribute can be compared.
    """
    own, other = _by_file_name(splits), _by_file_name(others)
    pairs = [(own[name], other[name]) for name in own if name in other]
    some = next(iter(others.values()))
    paths = [path for _, (path, _, _) in pairs]
    read = inspect_all(paths, some.backend_args, workers, report)
    alike = [_show_the_same(images[a[0]], read[b[0]]) for a, b in pairs]
    shared = [pair for pair, same in zip(pairs, alike) if same]
    title = some.schema.title
    if not shared:
        raise ValueError(
            f"no image is in both datasets: {len(pairs)} of {len(own)} file names are "
            f"in {title!r}, too, and none of them shows the same image there; give the "
            "dataset that labelled the same images"
        )
    schema = next(iter(splits.values())).schema
    labels = _labels(splits, [ours for ours, _ in shared])
    told = _labels(others, [theirs for _, theirs in shared])
    implied = _implied(told, some.schema, schema)
    shown = [path for (path, _, _), _ in shared]
    found = list(_agreements(schema, labels, implied, shown))
    if not found:
        raise ValueError(
            f"the labels of {title!r} say nothing of any attribute of "
            f"{schema.title!r}; for attributes of your own give equal names, or "
            "schemas with meanings, dict(names=..., meanings={name: 'FACET: VALUE'})"
        )
    differing = tuple(a[0] for (a, _), same in zip(pairs, alike) if not same)
    return Comparison(title, len(shared), differing, found)


def agreement_issues(comparison: Comparison) -> Iterator[Issue]:
    """Contradictions, and namesakes that could not be compared."""
    if comparison.differing:
        yield Issue(
            "other dataset",
            comparison.title,
            f"{len(comparison.differing):,} images have a namesake there that shows "
            "something else or cannot be read; their labels are not compared",
            list(comparison.differing),
            "note",
        )
    for one in comparison.agreements:
        if one.contradictions:
            yield Issue(
                "other dataset",
                comparison.title,
                f"{one.attribute}: {len(one.contradictions):,} of {one.compared:,} "
                "labels contradict those there",
                list(one.contradictions),
                "warning",
            )


_Place = tuple[str, str, int]
"""Full path, split and row."""


def _by_file_name(splits: Splits) -> dict[str, _Place]:
    """File name without ending to its place; without names that occur twice."""
    places = [
        (path, name, row)
        for name, dataset in splits.items()
        for row, path in enumerate(full_paths(dataset))
    ]
    named = [(PurePath(place[0]).stem, place) for place in places]
    often = Counter(name for name, _ in named)
    return {name: place for name, place in named if often[name] == 1}


def _labels(splits: Splits, places: Sequence[_Place]) -> np.ndarray:
    """Labels of these images, (N, A)."""
    arrays = {name: dataset.get_labels() for name, dataset in splits.items()}
    return np.stack([arrays[split][row] for _, split, row in places])


def _show_the_same(one: ImageFile, other: ImageFile) -> bool:
    if one.digest and one.digest == other.digest:
        return True
    return bool(group_near_copies([one.hash, other.hash]))


def _implied(
    told: np.ndarray, told_schema: AttributeSchema, schema: AttributeSchema
) -> np.ndarray:
    """What labels say in the words of another schema; equal names are one attribute."""
    implied = infer(told, told_schema, schema)
    for a, name in enumerate(schema.names):
        if name in told_schema.names:
            same = told[:, told_schema.index(name)]
            implied[:, a] = np.where(same >= 0, same, implied[:, a])
    return implied


def _agreements(
    schema: AttributeSchema,
    labels: np.ndarray,
    implied: np.ndarray,
    paths: Sequence[str],
) -> Iterator[Agreement]:
    known = (labels >= 0) & (implied >= 0)
    for a, name in enumerate(schema.names):
        rows = np.flatnonzero(known[:, a])
        if len(rows) == 0:
            continue
        ours, theirs = labels[rows, a] == 1, implied[rows, a] == 1
        differ = rows[ours != theirs]
        yield Agreement(
            name,
            len(rows),
            len(rows) - len(differ),
            cohen_kappa(ours, theirs),
            tuple(paths[row] for row in differ),
        )
