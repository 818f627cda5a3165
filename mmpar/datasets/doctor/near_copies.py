"""Checks of images that were stored again: other compression or size, mirrored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmpar.datasets.base import PARDataset
from mmpar.datasets.doctor.images import ImageFile, full_paths
from mmpar.datasets.doctor.issue import Issue, Severity
from mmpar.datasets.doctor.published import Published
from mmpar.utils.perceptual_hash import group_near_copies


@dataclass(frozen=True)
class CopyGroup:
    """Files of one image.

    Args:
        images: Full paths.
        splits: Of each.
        differing: Attributes that one is labelled to have and another not to.
        same_content: Whether the files are equal byte by byte.
    """

    images: tuple[str, ...]
    splits: tuple[str, ...]
    differing: tuple[str, ...]
    same_content: bool


def find_near_copies(
    splits: Mapping[str, PARDataset], images: Mapping[str, ImageFile]
) -> list[CopyGroup]:
    """Groups of near copies, those with most differing labels first.

    Labels are not compared where an image shows several persons.
    """
    listed: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, dataset in splits.items():
        for row, path in enumerate(full_paths(dataset)):
            listed[path].append((name, row))
    paths = list(listed)
    groups = []
    for rows in group_near_copies([images[path].hash for path in paths]):
        alike = [paths[row] for row in rows]
        first = [listed[path][0] for path in alike]
        labels = np.stack([splits[name].get_labels()[row] for name, row in first])
        differ = (labels == 1).any(axis=0) & (labels == 0).any(axis=0)
        if any(len(listed[path]) > 1 for path in alike):
            differ[:] = False
        names = splits[first[0][0]].schema.names
        groups.append(
            CopyGroup(
                tuple(alike),
                tuple(name for name, _ in first),
                tuple(names[i] for i in np.flatnonzero(differ)),
                len({images[path].digest for path in alike}) == 1,
            )
        )
    return sorted(groups, key=lambda group: -len(group.differing))


def near_copies(
    groups: Sequence[CopyGroup], published: Published | None
) -> Iterator[Issue]:
    """Near copies inside a split and across, and those that are labelled differently.

    Those inside are a note, as the frames of a video are alike, and so is all that is
    in a release.
    """
    found: dict[tuple[str, str], list[CopyGroup]] = defaultdict(list)
    for group in groups:
        names = sorted(set(group.splits))
        where = ", ".join(names)
        check = f"near copies {'in a split' if len(names) == 1 else 'across splits'}"
        if not group.same_content:
            found[check, where].append(group)
        if group.differing:
            found["copies with differing labels", where].append(group)
    for (check, where), some in sorted(found.items()):
        images = [image for group in some for image in group.images]
        inside = check == "near copies in a split"
        severity: Severity = "note" if inside or published else "warning"
        message = f"{len(images)} images in {len(some)} groups"
        yield Issue(check, where, message, images, severity)
