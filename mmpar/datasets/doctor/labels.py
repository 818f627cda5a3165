"""Checks that need no image: counts, persons, attributes, contradictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

import numpy as np

from mmpar.datasets.base import PARDataset
from mmpar.datasets.doctor.issue import SO_RELEASED, Issue, Severity
from mmpar.datasets.doctor.published import Published
from mmpar.structures import SCHEMAS, AttributeSchema
from mmpar.structures.persons import person_keys

_FEW = 5
"""Of a Poisson number whose mean is this, 0.7 % are zero."""


def sizes(
    splits: Mapping[str, PARDataset], published: Mapping[str, int]
) -> Iterator[Issue]:
    """Numbers of images that differ from the published ones."""
    for name, dataset in splits.items():
        expected = published.get(name, len(dataset))
        if len(dataset) != expected:
            yield Issue(
                "size", name, f"{len(dataset)} images, published are {expected}"
            )


def duplicate_paths(splits: Mapping[str, PARDataset]) -> Iterator[Issue]:
    """Image paths that are listed more than once, in a split or in two.

    Inside a split, an image may have several persons, each with a box of its own.
    """
    paths = {name: list(dataset.table.paths) for name, dataset in splits.items()}
    for name, listed in paths.items():
        boxes = splits[name].table.columns.get("bbox")
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


def _listed(dataset: PARDataset, where: str, paths: list[str]) -> Issue:
    images = [dataset.full_path(path) for path in paths]
    return Issue("listed twice", where, f"{len(paths)} images", images)


def shared_persons(
    splits: Mapping[str, PARDataset], published: Published | None
) -> Iterator[Issue]:
    """Persons, as far as known, that are in two splits.

    Of a release a training split is compared with the test split only, as queries and
    gallery show the same persons by design.
    """
    named = _persons(splits)
    persons = {name: set(keys) - {""} for name, keys in named.items()}
    pairs = [(name, "test") for name in ("train", "trainval", "val")]
    by_design = published is not None and published.identity_overlap
    for one, other in pairs if published else combinations(persons, 2):
        both = persons.get(one, set()) & persons.get(other, set())
        if both:
            known = " (so in the published splits)" if by_design else ""
            rows = np.flatnonzero([key in both for key in named[other]])
            yield Issue(
                "shared persons",
                f"{one}, {other}",
                f"{len(both)} persons, {len(rows)} {other} images{known}",
                _images(splits[other], rows),
                severity="note" if by_design else "error",
            )


def _persons(splits: Mapping[str, PARDataset]) -> dict[str, list[str]]:
    """Who each row shows, empty for unknown ones, of the splits that name persons."""
    return {
        name: person_keys(dataset.table.columns["person_id"].tolist())
        for name, dataset in splits.items()
        if "person_id" in dataset.table.columns
    }


def seen_persons(
    splits: Mapping[str, PARDataset], published: Published
) -> Iterator[Issue]:
    """The share of test images that show a person of training or validation."""
    named = _persons(splits)
    test = np.array(named.pop("test", []))
    known = set().union(*named.values()) - {""}
    if not known or not (test != "").any():
        return
    share = round(100 * float(np.isin(test, list(known)).mean()), 2)
    expected = published.seen_shares.get(splits["test"].partition)
    message = f"{share:.2f} % of the test images show a person of {', '.join(named)}"
    whole = "trainval" in named or {"train", "val"} <= set(named)
    wrong = expected is not None and whole and abs(share - expected) > 0.005
    if expected is not None:
        message += f"; in the release it is {expected:.2f} %"
    severity: Severity = "error" if wrong else "note"
    if share or wrong:
        yield Issue("seen persons", "test", message, severity=severity)


def copied_labels(splits: Mapping[str, PARDataset]) -> Iterator[Issue]:
    """That most persons with several images have the same labels in all of them."""
    named = _persons(splits)
    tables = [splits[name] for name in named]
    persons = np.array([key for keys in named.values() for key in keys])
    if not len(persons) or not (persons != "").any():
        return
    labels = np.concatenate([dataset.get_labels() for dataset in tables])
    paths = np.array([path for dataset in tables for path in dataset.table.paths])
    # Splits may overlap: each image counts once.
    _, first = np.unique(paths, return_index=True)
    first = first[persons[first] != ""]
    _, person = np.unique(persons[first], return_inverse=True)
    _, vector = np.unique(labels[first], axis=0, return_inverse=True)
    images = np.bincount(person)
    pairs = np.unique(np.stack([person, vector.ravel()]), axis=1)
    vectors = np.bincount(pairs[0], minlength=len(images))
    several = images > 1
    same = int((several & (vectors == 1)).sum())
    if 2 * same > several.sum():
        message = (
            f"{same:,} of {int(several.sum()):,} persons with several images have the "
            "same labels in all of them"
        )
        if same == several.sum():
            message += ": persons were labelled, not images"
        yield Issue("labels per person", ", ".join(splits), message, severity="note")


def one_sided(
    splits: Mapping[str, PARDataset], published: Published | None
) -> Iterator[Issue]:
    """Attributes of a split that are never present, never absent, or never known."""
    for name, dataset in splits.items():
        positives, known = dataset.label_counts()
        names = np.array(dataset.schema.names)
        absent = names[(positives > 0) & (known == positives)].tolist()
        if absent:
            yield Issue(
                "never absent",
                name,
                f"{', '.join(absent)}: no known negative. If the file writes absent as "
                "-1, which means unknown here, read it with label_map={-1: 0}",
                severity="warning",
            )
        unknown = names[known == 0].tolist()
        if unknown:
            message = f"{', '.join(unknown)}: no known label"
            yield Issue("never known", name, message, severity="warning")
        never = names[(positives == 0) & (known > 0)].tolist()
        notes = []
        if published is not None:
            flaws = published.flaws.get("never present", ())
            notes = [a for a in never if a in flaws or _rare(a, name, splits)]
        warnings = ", ".join(a for a in never if a not in notes)
        if warnings:
            yield Issue("never present", name, warnings, severity="warning")
        if notes:
            message = f"{', '.join(notes)}{SO_RELEASED}"
            yield Issue("never present", name, message, severity="note")


def _rare(attribute: str, where: str, splits: Mapping[str, PARDataset]) -> bool:
    """Whether a fair draw of persons may leave out all who have the attribute.

    Releases draw their splits at random: of PETA's 105 attributes up to seven have no
    positive in a split.
    """
    having = {name: _bearers(split, attribute) for name, split in splits.items()}
    total = sum(bearers for bearers, _ in having.values())
    everybody = sum(persons for _, persons in having.values())
    return 0 < total * having[where][1] / everybody < _FEW


def _bearers(dataset: PARDataset, attribute: str) -> tuple[int, int]:
    """Persons who have an attribute, and all; images where no person is named."""
    present = dataset.get_labels()[:, dataset.schema.index(attribute)] == 1
    persons = dataset.table.columns.get("person_id")
    if persons is None:
        return int(present.sum()), len(present)
    return len(np.unique(persons[present])), len(np.unique(persons))


def contradictions(
    splits: Mapping[str, PARDataset], published: Published
) -> Iterator[Issue]:
    """Images that have two attributes of an exclusive set."""
    for name, dataset in splits.items():
        schema = dataset.schema
        present = dataset.get_labels() == 1
        ages = set(schema.groups.get("age", ()))
        for members in exclusive_sets(schema):
            what = " and ".join(members)
            if set(members) <= ages:
                what = "two ages"
            elif len(members) > 2:
                what = f"two of {', '.join(members)}"
            columns = [schema.index(member) for member in members]
            rows = present[:, columns].sum(axis=1) > 1
            yield from _contradiction(dataset, name, what, rows, published)


def exclusive_sets(schema: AttributeSchema) -> list[tuple[str, ...]]:
    """The schema's own; for one without, ages and what other datasets call exclusive.

    Lists of one's own name no exclusive sets, but an image of front and back is wrong
    there, too.
    """
    if schema.exclusive:
        return list(schema.exclusive)
    published = (names for other in SCHEMAS.values() for names in other.exclusive)
    sets = [schema.groups.get("age", ()), ("Male", "Female"), *published]
    there = (names for names in sets if set(names) <= set(schema.names))
    return list(dict.fromkeys(names for names in there if len(names) > 1))


def _contradiction(
    dataset: PARDataset, where: str, what: str, rows: np.ndarray, published: Published
) -> Iterator[Issue]:
    for known in (False, True):
        images = [
            path
            for path in _images(dataset, np.flatnonzero(rows))
            if published.has_flaw(what, path) == known
        ]
        if images:
            said = f"{what}: {len(images)} images{SO_RELEASED if known else ''}"
            severity: Severity = "note" if known else "warning"
            yield Issue("contradiction", where, said, images, severity)


def _images(dataset: PARDataset, rows: np.ndarray) -> list[str]:
    return [dataset.full_path(dataset.table.paths[int(row)]) for row in rows]
