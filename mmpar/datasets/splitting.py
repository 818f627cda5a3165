"""Splitting a dataset so that no person is in two splits and all have all labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from mmpar.datasets.formats.annotation import (
    UNKNOWN,
    AnnotationTable,
)
from mmpar.structures.persons import UNKNOWN_PERSON
from mmpar.utils.atomic import require_absent, write_atomically

_PASSES = 10
"""Over all persons; on PETA's the fourth moves few."""


def split_by_person(
    labels: np.ndarray,
    persons: np.ndarray,
    shares: Sequence[float],
    seed: int = 0,
) -> np.ndarray:
    """Assign persons to splits so that each split has its share of every label.

    Iterative stratification (Sechidis et al., "On the Stratification of Multi-Label
    Data", ECML PKDD 2011) of persons instead of images: the rarest label goes first,
    the person with most of it to the split that lacks most of it. Three things differ.
    "Absent" counts as a label, too, as few may lack a common attribute; a split that
    has nothing of a label comes before one that has some; and in the end persons move
    while that brings the splits closer to their shares.

    Args:
        labels: (N, A): 1 present, 0 absent, -1 unknown.
        persons: (N,), equal for images of one person.
        shares: Of each of the S splits, positive; they are divided by their sum.
        seed: For breaking ties.

    Returns:
        The split of each image, int64, (N,), in [0, S).

    Raises:
        ValueError: A share is not positive, or there are fewer persons than splits.
    """
    wanted = np.asarray(shares, np.float64)
    if not (wanted > 0).all():
        raise ValueError(f"the shares of the splits must be positive, got {shares}")
    _, person_of = np.unique(persons, return_inverse=True)
    counts = _label_counts(labels, person_of)
    if len(counts) < len(wanted):
        raise ValueError(
            f"{len(counts)} persons cannot be assigned to {len(wanted)} splits"
        )
    rng = np.random.default_rng(seed)
    wanted = np.outer(wanted / wanted.sum(), counts.sum(axis=0))
    return _improved(_assigned(counts, wanted, rng), counts, wanted, rng)[person_of]


def assign_folds(table: AnnotationTable, folds: int, seed: int = 0) -> np.ndarray:
    """The fold of each image, int64, (N,), for cross-validation.

    Persons, as far as they are known, are in one fold each, which all have all labels.
    """
    persons = np.arange(len(table))
    if "person_id" in table.columns:
        persons, _ = _with_unknown_apart(table.columns["person_id"])
    return split_by_person(table.labels, persons, [1] * folds, seed)


def _label_counts(labels: np.ndarray, person_of: np.ndarray) -> np.ndarray:
    """Images of each person with each label, absent ones apart, and at all.

    Returns:
        int64, (P, 2 A + 1).
    """
    known = np.hstack([labels == 1, labels == 0, np.ones((len(labels), 1), bool)])
    counts = np.zeros((int(person_of.max(initial=-1)) + 1, known.shape[1]), np.int64)
    np.add.at(counts, person_of, known)
    return counts


def _assigned(
    counts: np.ndarray, wanted: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The split of each person; the last label is that of being an image."""
    lacking = wanted.copy()
    empty = np.ones(lacking.shape, bool)
    left = counts.sum(axis=0)
    split_of = np.full(len(counts), -1)
    while left.any():
        label = int(np.argmin(np.where(left > 0, left, np.iinfo(np.int64).max)))
        having = rng.permutation(
            np.flatnonzero((split_of < 0) & (counts[:, label] > 0))
        )
        for person in having[np.argsort(-counts[having, label], kind="stable")]:
            # Ties: the split that lacks most images, then at random.
            keys = (rng.random(len(wanted)), lacking[:, -1], lacking[:, label])
            split = np.lexsort((*keys, empty[:, label]))[-1]
            split_of[person] = split
            lacking[split] -= counts[person]
            empty[split] &= counts[person] == 0
            left = left - counts[person]
    return split_of


def _improved(
    split_of: np.ndarray,
    counts: np.ndarray,
    wanted: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """The split of each person after moves that lower the chi-square distance.

    No move takes from a split the last image that it has of a label.
    """
    have = np.stack([counts[split_of == s].sum(axis=0) for s in range(len(wanted))])
    weight = 1 / np.maximum(wanted, 1e-9)
    for _ in range(_PASSES):
        moves = 0
        for person in rng.permutation(len(counts)):
            count, source = counts[person], split_of[person]
            if (have[source] == count)[count > 0].any():
                continue
            excess = have - wanted
            # By how much the person's images raise each split's distance, which is
            # (have - wanted)^2 / wanted, summed over labels.
            excess[source] -= count
            raised = ((2 * excess + count) * count * weight).sum(axis=1)
            target = int(raised.argmin())
            if raised[target] < raised[source] - 1e-9:
                have[source] -= count
                have[target] += count
                split_of[person] = target
                moves += 1
        if not moves:
            break
    return split_of


@dataclass(frozen=True)
class PersonSplit:
    """A dataset that has been split.

    Args:
        table: All N images.
        attributes: The A names.
        names: Of the S splits.
        split_of: The split of each image, (N,), in [0, S).
        persons: Of each image, (N,); each unknown one has a number of its own.
        unnamed: Number of images of unknown persons.
    """

    table: AnnotationTable
    attributes: tuple[str, ...]
    names: tuple[str, ...]
    split_of: np.ndarray
    persons: np.ndarray
    unnamed: int

    def sizes(self) -> Iterator[tuple[str, int, float, int]]:
        """Name, images, their share, and persons of each split."""
        for i, name in enumerate(self.names):
            rows = self.split_of == i
            persons = len(np.unique(self.persons[rows]))
            yield name, int(rows.sum()), float(rows.mean()), persons

    def _labels(self) -> Iterator[np.ndarray]:
        """Labels of each split."""
        return (self.table.labels[self.split_of == i] for i in range(len(self.names)))

    def lacking(self) -> Iterator[str]:
        """Positives or negatives that a split lacks although another has some."""
        for value, called in ((1, "positive"), (0, "negative")):
            has = np.array([(one == value).any(axis=0) for one in self._labels()])
            for i, name in enumerate(self.names):
                without = np.flatnonzero(has.any(axis=0) & ~has[i])
                if len(without):
                    listed = ", ".join(self.attributes[a] for a in without)
                    yield f"{name} has no {called} of {listed}"

    def furthest_ratio(self) -> tuple[str, str, float, float] | None:
        """The positive ratio that departs most from that of all images.

        Returns:
            Attribute, split, its ratio there and over all; ``None`` without labels.
        """
        whole = _ratios(self.table.labels)
        found = np.stack([_ratios(one) for one in self._labels()])
        distance = np.nan_to_num(np.abs(found - whole), nan=-1.0)
        if (distance < 0).all():
            return None
        split, attribute = np.unravel_index(distance.argmax(), distance.shape)
        return (
            self.attributes[attribute],
            self.names[split],
            float(found[split, attribute]),
            float(whole[attribute]),
        )


def _ratios(labels: np.ndarray) -> np.ndarray:
    """Positive ratios, (A,), NaN where no label is known."""
    known = (labels >= 0).sum(axis=0)
    return np.where(known, (labels == 1).sum(axis=0) / np.maximum(known, 1), np.nan)


def split_tables(
    tables: Sequence[AnnotationTable],
    attributes: Sequence[str],
    shares: Mapping[str, float],
    seed: int = 0,
    person_pattern: str = "",
) -> PersonSplit:
    """Split the images of one or more tables by person.

    Args:
        tables: With the column ``person_id``, unless there is a pattern.
        attributes: The A names, of all tables.
        shares: Name of each split to its share.
        seed: As in :func:`split_by_person`.
        person_pattern: Regular expression whose first group, in a path, is the person.

    Raises:
        ValueError: Persons are not known, or see :func:`split_by_person`.
    """
    table = _joined(tables)
    if person_pattern:
        named = _persons_in(table.paths, person_pattern)
        table = table.with_column("person_id", named)
    if "person_id" not in table.columns:
        raise ValueError(
            "the images have no person_id; add a column of that name to the list, or "
            "say where it is in the paths: --person-pattern 'crops/(\\d+)_'"
        )
    persons, unnamed = _with_unknown_apart(table.columns["person_id"])
    split_of = split_by_person(table.labels, persons, list(shares.values()), seed)
    return PersonSplit(
        table, tuple(attributes), tuple(shares), split_of, persons, unnamed
    )


def _joined(tables: Sequence[AnnotationTable]) -> AnnotationTable:
    common = [
        name
        for name in tables[0].columns
        if all(name in table.columns for table in tables)
    ]
    return AnnotationTable.of(
        chain.from_iterable(table.paths for table in tables),
        np.concatenate([table.labels for table in tables]),
        {n: np.concatenate([table.columns[n] for table in tables]) for n in common},
    )


def _persons_in(paths: Iterable[str], pattern: str) -> np.ndarray:
    expression = re.compile(pattern)
    if expression.groups < 1:
        raise ValueError(
            f"the pattern {pattern!r} has no group; put the person in parentheses, "
            "such as 'crops/(\\d+)_'"
        )
    found = []
    for path in paths:
        match = expression.search(path)
        if match is None or not match.group(1):
            raise ValueError(f"the pattern {pattern!r} finds no person in {path!r}")
        found.append(match.group(1))
    return np.array(found)


def _with_unknown_apart(persons: np.ndarray) -> tuple[np.ndarray, int]:
    """Numbers of persons, one for each unknown one; and how many are unknown."""
    unknown = np.isin(persons.astype(str), ["", str(UNKNOWN_PERSON)])
    _, numbers = np.unique(persons, return_inverse=True)
    numbers[unknown] = len(persons) + np.arange(int(unknown.sum()))
    return numbers, int(unknown.sum())


def write_csv(done: PersonSplit, out: str | Path) -> None:
    """Write a list for ``AttributeListDataset(ann_file=..., split='train')``.

    Unknown labels are empty cells. The file appears only when it is complete.

    Raises:
        FileExistsError: There is such a file already.
    """
    out = Path(out)
    require_absent(out)
    columns = {
        name: column
        for name, column in done.table.columns.items()
        if column.ndim == 1 and name not in ("split", "partition")
    }
    splits = np.array(done.names)[done.split_of]
    about = pd.DataFrame(dict(path=list(done.table.paths), split=splits, **columns))
    labels = pd.DataFrame(done.table.labels, columns=list(done.attributes))
    known = labels.astype("Int8").mask(labels == UNKNOWN)
    table = pd.concat([about, known], axis=1)
    write_atomically(out, table.to_csv(index=False))
