"""What the labels of an image say together: exclusive sets, and whole vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from mmpar.datasets.base import PARDataset
from mmpar.datasets.doctor.labels import exclusive_sets


@dataclass(frozen=True)
class ExclusiveSetCounts:
    """How many images of a split have how many members of an exclusive set.

    ``several`` is a contradiction. If it is 0 and ``none`` is not, labels may have been
    made by a choice that had "nothing of it"; if both are 0, by one that had not.
    """

    split: str
    members: tuple[str, ...]
    none: int
    one: int
    several: int

    @property
    def images(self) -> int:
        """Those whose members are all known, or that have one."""
        return self.none + self.one + self.several


def count_exclusive_sets(
    splits: Mapping[str, PARDataset],
) -> Iterator[ExclusiveSetCounts]:
    """Each exclusive set in each split."""
    for name, dataset in splits.items():
        schema, labels = dataset.schema, dataset.get_labels()
        for members in exclusive_sets(schema):
            of_set = labels[:, [schema.index(member) for member in members]]
            present = (of_set == 1).sum(axis=1)
            absent = (of_set == 0).all(axis=1)
            counts = (absent, present == 1, present > 1)
            yield ExclusiveSetCounts(name, members, *(int(c.sum()) for c in counts))


@dataclass(frozen=True)
class LabelVectors:
    """How far the labels of a split are combinations that training has, too.

    Args:
        split: The split that is compared with training.
        images: Its images.
        distinct: Its distinct vectors of labels.
        training: Distinct vectors of training.
        seen: Images of the split whose vector an image of training has.
    """

    split: str
    images: int
    distinct: int
    training: int
    seen: int


def compare_label_vectors(
    splits: Mapping[str, PARDataset],
) -> Iterator[LabelVectors]:
    """Each split against training, ``train`` or ``trainval``, if there is one."""
    training = next((n for n in ("train", "trainval") if n in splits), None)
    if training is None:
        return
    known = set(_vectors(splits[training]))
    for name, dataset in splits.items():
        if name != training:
            vectors = _vectors(dataset)
            seen = sum(vector in known for vector in vectors)
            yield LabelVectors(name, len(vectors), len(set(vectors)), len(known), seen)


def _vectors(dataset: PARDataset) -> list[bytes]:
    return [row.tobytes() for row in np.ascontiguousarray(dataset.get_labels())]
