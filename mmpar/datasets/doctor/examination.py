"""All checks of one data set, and the figures that go with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmpar.datasets.base import PARDataset
from mmpar.datasets.doctor import labels, pictures
from mmpar.datasets.doctor.findings import Finding
from mmpar.datasets.doctor.published import Published


@dataclass(frozen=True)
class Examination:
    """What the doctor found.

    Args:
        findings: Faults and notes.
        counts: Pictures of each split.
        ratios: Positive ratios of each split, shape (A,); NaN where none is known.
        attributes: The A names.
        sizes: Smallest, median and largest width, then height, in pixels.
    """

    findings: list[Finding]
    counts: Mapping[str, int]
    ratios: Mapping[str, np.ndarray]
    attributes: tuple[str, ...]
    sizes: tuple[tuple[int, int, int], tuple[int, int, int]] | None

    @property
    def faults(self) -> list[Finding]:
        """The findings that are wrong, not only notes."""
        return [finding for finding in self.findings if finding.is_fault]


def examine(
    splits: Mapping[str, PARDataset],
    published: Published | None = None,
    workers: int = 4,
    report: Callable[[int, int], None] = lambda done, total: None,
    unread: Sequence[Finding] = (),
) -> Examination:
    """Examine splits that do not overlap.

    Args:
        splits: Name to data set, of one schema; without its own look for pictures.
        published: What a perfect copy looks like; ``None`` for a list of one's own.
        workers: Pictures read at a time.
        report: Called with the number of pictures read, and in all.
        unread: Faults of the annotation because of which a split is not here.
    """
    if not splits:
        return Examination(list(unread), {}, {}, (), None)
    some = next(iter(splits.values()))
    paths = sorted(
        {p for dataset in splits.values() for p in pictures.full_paths(dataset)}
    )
    read = pictures.inspect_all(
        paths, some.backend_args, workers, lambda done: report(done, len(paths))
    )
    released = published or Published()
    findings = [
        *unread,
        *labels.sizes(splits, released.sizes),
        *labels.listed_twice(splits),
        *pictures.faults(splits, read),
        *pictures.same_content(splits, read, released),
        *labels.shared_persons(splits, published),
        *labels.one_sided(splits, published),
        *labels.contradictions(splits, released),
    ]
    return Examination(
        findings=findings,
        counts={name: len(dataset) for name, dataset in splits.items()},
        ratios={name: _ratios(dataset) for name, dataset in splits.items()},
        attributes=some.schema.names,
        sizes=_sizes([picture.size for picture in read.values() if not picture.fault]),
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
    return _three(widths), _three(heights)


def _three(values: np.ndarray) -> tuple[int, int, int]:
    return int(values.min()), int(np.median(values)), int(values.max())
