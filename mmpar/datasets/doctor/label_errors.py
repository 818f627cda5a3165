"""Labels that a model which was trained without them doubts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmpar.datasets.base import PARDataset
from mmpar.datasets.doctor.images import full_paths
from mmpar.datasets.doctor.labels import exclusive_sets
from mmpar.datasets.doctor.near_copies import CopyGroup
from mmpar.datasets.formats.files import match_images
from mmpar.evaluation.functional import LabelErrors, find_label_errors
from mmpar.evaluation.predictions import Predictions
from mmpar.structures import AttributeSchema

SAID = ("absent", "present")


@dataclass(frozen=True)
class Suspect:
    """A label that is probably wrong.

    Args:
        image: Full path.
        split: Where it is.
        attribute: Its name.
        given: 1 present, 0 absent.
        probability: Of present, by the model, in [0, 1].
        reasons: For people, the model's first.
    """

    image: str
    split: str
    attribute: str
    given: int
    probability: float
    reasons: tuple[str, ...]

    @property
    def suggested(self) -> int:
        """The other label."""
        return 1 - self.given


@dataclass(frozen=True)
class SuspectCounts:
    """How many labels of an attribute are doubted."""

    attribute: str
    known: int
    present: int
    """Suspects that are labelled present."""
    absent: int

    @property
    def share(self) -> float:
        """Of the known labels, in [0, 1]."""
        return (self.present + self.absent) / max(self.known, 1)


@dataclass(frozen=True)
class LabelXRay:
    """What a model says of the labels.

    Args:
        suspects: Most doubtful first.
        counts: One per attribute, the largest share first.
        covered: Of each split, images with a prediction.
    """

    suspects: list[Suspect]
    counts: list[SuspectCounts]
    covered: Mapping[str, int]

    def first_of_each(self, count: int) -> Iterator[Suspect]:
        """The most doubtful of all, but no more than so many of one attribute."""
        shown: Counter = Counter()
        for one in self.suspects:
            shown[one.attribute] += 1
            if shown[one.attribute] <= count:
                yield one


def x_ray(
    splits: Mapping[str, PARDataset],
    schema: AttributeSchema,
    predictions: Predictions,
    copies: Sequence[CopyGroup] = (),
) -> LabelXRay:
    """Find suspected label errors, all splits together.

    Args:
        splits: As of :func:`check_dataset`.
        schema: Names the columns of ``predictions``.
        predictions: Of a model that was not trained on the images it predicts, for all
            of them or some.
        copies: Near copies; their labels are a reason.

    Raises:
        ValueError: The predictions lack an attribute or are of other images, or images
            are listed several times.
    """
    rows = _match(splits, predictions)
    there = rows >= 0
    labels = np.concatenate([d.get_labels() for d in splits.values()])[there]
    names = next(iter(splits.values())).schema.names
    scores = predictions.scores[rows[there]][:, _columns(names, schema)]
    found = find_label_errors(labels, scores)
    images = [path for d in splits.values() for path in full_paths(d)]
    split_of = np.repeat(list(splits), [len(d) for d in splits.values()])
    reasons = _Reasons(next(iter(splits.values())).schema, labels, found, copies)
    places = np.flatnonzero(there)
    suspects = [
        Suspect(
            image=images[places[row]],
            split=str(split_of[places[row]]),
            attribute=names[column],
            given=int(labels[row, column]),
            probability=float(scores[row, column]),
            reasons=tuple(reasons.of(row, column, images[places[row]])),
        )
        for row, column in found.ranked().tolist()
    ]
    covered = {name: int((split_of[there] == name).sum()) for name in splits}
    return LabelXRay(suspects, _counts(names, labels, found), covered)


def _match(splits: Mapping[str, PARDataset], predictions: Predictions) -> np.ndarray:
    """The row of the prediction of each image, -1 without one; the splits in a row."""
    paths = [path for d in splits.values() for path in d.table.paths]
    if len(set(paths)) < len(paths):
        raise ValueError(
            "images are listed several times, so that a prediction does not say whose "
            "it is; check one split, or take the repeated rows out"
        )
    rows = np.full(len(paths), -1)
    found = match_images(predictions.img_path, paths)
    rows[found[found >= 0]] = np.flatnonzero(found >= 0)
    if (rows < 0).all():
        raise ValueError(
            f"none of the {len(predictions.img_path)} predictions is of one of the "
            f"{len(paths)} images: they begin with {predictions.img_path[0]}, the "
            f"images with {paths[0]}; give the predictions of this dataset"
        )
    return rows


def _columns(names: Sequence[str], schema: AttributeSchema) -> list[int]:
    lacking = [name for name in names if name not in schema.names]
    if lacking:
        raise ValueError(
            f"the predictions lack the attributes {lacking} of the dataset; they have "
            f"{list(schema.names)}. Select attributes with --schema"
        )
    return [schema.index(name) for name in names]


def _counts(
    names: Sequence[str], labels: np.ndarray, found: LabelErrors
) -> list[SuspectCounts]:
    counts = [
        SuspectCounts(
            name,
            int((labels[:, i] >= 0).sum()),
            int((found.suspect[:, i] & (labels[:, i] == 1)).sum()),
            int((found.suspect[:, i] & (labels[:, i] == 0)).sum()),
        )
        for i, name in enumerate(names)
    ]
    return sorted(counts, key=lambda one: -one.share)


class _Reasons:
    """Why a label is suspect, in words."""

    def __init__(
        self,
        schema: AttributeSchema,
        labels: np.ndarray,
        found: LabelErrors,
        copies: Sequence[CopyGroup],
    ) -> None:
        self.names = schema.names
        self.labels = labels
        self.found = found
        self.sets = [[*map(schema.index, names)] for names in exclusive_sets(schema)]
        self.group = {path: group for group in copies for path in group.images}

    def of(self, row: int, column: int, image: str) -> Iterator[str]:
        given = int(self.labels[row, column])
        other, doubt = SAID[1 - given], self.found.doubt[row, column]
        usual = self.found.self_confidence[1 - given, column]
        yield (
            f"the model gives {doubt:.0%} to {other}, and on average {usual:.0%} to "
            f"images that are labelled {other}"
        )
        for members in self.sets:
            present = [i for i in members if self.labels[row, i] == 1]
            if column in members and len(present) > 1 and given == 1:
                rivals = [self.names[i] for i in present if i != column]
                yield f"{', '.join(rivals)} is labelled, too, which excludes it"
            if column in members and not present:
                yield "no attribute of its exclusive set is labelled"
        group = self.group.get(image)
        if group and self.names[column] in group.differing:
            yield "a near copy of the image is labelled otherwise"
