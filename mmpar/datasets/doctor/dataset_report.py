"""All checks of one dataset, and the figures that go with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mmpar.datasets.base import PARDataset
from mmpar.datasets.doctor import images, label_vectors, labels, near_copies
from mmpar.datasets.doctor.agreement import (
    Comparison,
    agreement_issues,
    compare_datasets,
)
from mmpar.datasets.doctor.issue import Issue
from mmpar.datasets.doctor.label_errors import LabelXRay, x_ray
from mmpar.datasets.doctor.label_vectors import ExclusiveSetCounts, LabelVectors
from mmpar.datasets.doctor.near_copies import CopyGroup
from mmpar.datasets.doctor.published import Published
from mmpar.evaluation.predictions import Predictions
from mmpar.structures import AttributeSchema


@dataclass(frozen=True)
class DatasetReport:
    """What the doctor found.

    Args:
        issues: Errors, warnings and notes.
        counts: Images of each split.
        ratios: Positive ratios of each split, shape (A,); NaN where none is known.
        attributes: The A names.
        sizes: Smallest, median and largest width, then height, in pixels.
        copies: Files of one image, those with most differing labels first.
        exclusive_sets: How many members of each set images have, by split.
        label_vectors: What the labels of other splits have in common with training's.
        x_ray: Suspected label errors; ``None`` without predictions.
        comparison: With another dataset's labels of the same images, if asked for.
    """

    issues: list[Issue]
    counts: Mapping[str, int]
    ratios: Mapping[str, np.ndarray]
    attributes: tuple[str, ...]
    sizes: tuple[tuple[int, int, int], tuple[int, int, int]] | None
    copies: list[CopyGroup] = field(default_factory=list)
    exclusive_sets: list[ExclusiveSetCounts] = field(default_factory=list)
    label_vectors: list[LabelVectors] = field(default_factory=list)
    x_ray: LabelXRay | None = None
    comparison: Comparison | None = None

    @property
    def faults(self) -> list[Issue]:
        """The errors and warnings."""
        return [issue for issue in self.issues if issue.severity != "note"]


def check_dataset(
    splits: Mapping[str, PARDataset],
    published: Published | None = None,
    workers: int = 4,
    report: Callable[[int, int], None] = lambda done, total: None,
    unread: Sequence[Issue] = (),
    predictions: tuple[AttributeSchema, Predictions] | None = None,
    against: Mapping[str, PARDataset] | None = None,
) -> DatasetReport:
    """Check splits that do not overlap.

    Args:
        splits: Name to dataset, of one schema; without its own look for images.
        published: What a perfect copy looks like; ``None`` for a list of one's own.
        workers: Images read at a time.
        report: Called with the number of images read, and in all.
        unread: Faults of the annotation because of which a split is not here.
        predictions: Of :func:`read_dump`, by a model for images that it was not trained
            on; with them labels are X-rayed.
        against: Splits of another dataset, whose labels of the same images are
            compared.

    Raises:
        ValueError: The predictions do not fit, see :func:`x_ray`, or nothing can be
            compared, see :func:`compare_datasets`.
    """
    if not splits:
        return DatasetReport(list(unread), {}, {}, (), None)
    some = next(iter(splits.values()))
    paths = sorted(
        {p for dataset in splits.values() for p in images.full_paths(dataset)}
    )
    read = images.inspect_all(
        paths, some.backend_args, workers, lambda done: report(done, len(paths))
    )
    copies = near_copies.find_near_copies(splits, read)
    comparison = compare_datasets(splits, read, against, workers) if against else None
    released = published or Published()
    issues = [
        *unread,
        *labels.sizes(splits, released.sizes),
        *labels.duplicate_paths(splits),
        *images.faults(splits, read),
        *images.duplicate_images(splits, read, released),
        *near_copies.near_copies(copies, published),
        *labels.shared_persons(splits, published),
        *labels.seen_persons(splits, released),
        *labels.copied_labels(splits),
        *labels.one_sided(splits, published),
        *labels.contradictions(splits, released),
        *(agreement_issues(comparison) if comparison else ()),
    ]
    return DatasetReport(
        issues=issues,
        counts={name: len(dataset) for name, dataset in splits.items()},
        ratios={name: _ratios(dataset) for name, dataset in splits.items()},
        attributes=some.schema.names,
        sizes=_sizes([image.size for image in read.values() if not image.fault]),
        copies=copies,
        exclusive_sets=list(label_vectors.count_exclusive_sets(splits)),
        label_vectors=list(label_vectors.compare_label_vectors(splits)),
        x_ray=x_ray(splits, *predictions, copies) if predictions else None,
        comparison=comparison,
    )


def _ratios(dataset: PARDataset) -> np.ndarray:
    positives, known = dataset.label_counts()
    return np.where(known > 0, positives / np.maximum(known, 1), np.nan)


def _sizes(
    found: list[tuple[int, int]],
) -> tuple[tuple[int, int, int], tuple[int, int, int]] | None:
    if not found:
        return None
    widths, heights = np.array(found).T
    return _min_median_max(widths), _min_median_max(heights)


def _min_median_max(values: np.ndarray) -> tuple[int, int, int]:
    return int(values.min()), int(np.median(values)), int(values.max())
