"""Checks that need no picture: counts, persons, attributes, contradictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

import numpy as np

from mmpar.datasets.annotations.table import UNKNOWN_PERSON
from mmpar.datasets.base import PARDataset
from mmpar.datasets.doctor.findings import Finding

_OPPOSITES = (
    ("Front", "Back"),
    ("personalMale", "personalFemale"),
    ("Male", "Female"),
    ("faceFront", "faceBack"),
)
"""Attributes that no picture has both of."""


def sizes(
    splits: Mapping[str, PARDataset], published: Mapping[str, int]
) -> Iterator[Finding]:
    """Numbers of pictures that differ from the published ones."""
    for name, dataset in splits.items():
        expected = published.get(name, len(dataset))
        if len(dataset) != expected:
            yield Finding(
                "size", name, f"{len(dataset)} pictures, published are {expected}"
            )


def listed_twice(splits: Mapping[str, PARDataset]) -> Iterator[Finding]:
    """Picture paths that are listed more than once, in a split or in two.

    Inside a split, a picture may have several persons, each with a box of its own.
    """
    paths = {name: list(dataset.table.paths) for name, dataset in splits.items()}
    for name, listed in paths.items():
        boxes = splits[name].table.columns.get("person_box")
        rows: Iterable = (
            listed if boxes is None else zip(listed, map(tuple, boxes.tolist()))
        )
        counts: Counter = Counter(rows)
        twice = (row for row, count in counts.items() if count > 1)
        again = sorted({row if boxes is None else row[0] for row in twice})
        if again:
            yield _listed(splits[name], name, again)
    for one, other in combinations(paths, 2):
        both = sorted(set(paths[one]) & set(paths[other]))
        if both:
            yield _listed(splits[one], f"{one}, {other}", both)


def _listed(dataset: PARDataset, where: str, paths: list[str]) -> Finding:
    pictures = [dataset._full_path(path) for path in paths]
    return Finding("listed twice", where, f"{len(paths)} pictures", pictures)


def shared_persons(
    splits: Mapping[str, PARDataset], by_design: bool
) -> Iterator[Finding]:
    """Persons, as far as known, of a training split that are in the test split too."""
    persons = {
        name: set(dataset.table.columns["person_id"].tolist()) - {UNKNOWN_PERSON}
        for name, dataset in splits.items()
        if "person_id" in dataset.table.columns
    }
    for name in ("train", "trainval", "val"):
        both = persons.get(name, set()) & persons.get("test", set())
        if both:
            known = " (so in the published splits)" if by_design else ""
            ids = splits["test"].table.columns["person_id"]
            rows = np.flatnonzero(np.isin(ids, list(both)))
            yield Finding(
                "shared persons",
                f"{name}, test",
                f"{len(both)} persons, {len(rows)} test pictures{known}",
                _pictures(splits["test"], rows),
                is_fault=not by_design,
            )


def never_present(splits: Mapping[str, PARDataset]) -> Iterator[Finding]:
    """Attributes that no picture of a split has."""
    for name, dataset in splits.items():
        positives, _ = dataset.label_counts()
        never = [a for a, n in zip(dataset.schema.names, positives) if n == 0]
        if never:
            yield Finding("never present", name, ", ".join(never))


def contradictions(splits: Mapping[str, PARDataset]) -> Iterator[Finding]:
    """Pictures of two ages, of front and back, of man and woman."""
    for name, dataset in splits.items():
        names = dataset.schema.names
        present = dataset.get_labels() == 1
        ages = list(dataset.schema.indices(["age"]))
        yield from _contradiction(
            dataset, name, "two ages", present[:, ages].sum(axis=1) > 1
        )
        for one, other in _OPPOSITES:
            if one in names and other in names:
                both = present[:, names.index(one)] & present[:, names.index(other)]
                yield from _contradiction(dataset, name, f"{one} and {other}", both)


def _contradiction(
    dataset: PARDataset, where: str, what: str, rows: np.ndarray
) -> Iterator[Finding]:
    if rows.any():
        message = f"{what}: {int(rows.sum())} pictures"
        pictures = _pictures(dataset, np.flatnonzero(rows))
        yield Finding("contradiction", where, message, pictures)


def _pictures(dataset: PARDataset, rows: np.ndarray) -> list[str]:
    return [dataset._full_path(dataset.table.paths[int(row)]) for row in rows]
