"""Ways to group the images of a split: by labels, person, source, camera, size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mmpar.evaluation.functional import set_truth
from mmpar.evaluation.predictions import Predictions, in_counting_order
from mmpar.structures import AttributeSchema

_OF_THE_IMAGE = ("age", "gender", "view")
"""Schema groups whose attributes say who or how, not what is worn."""


@dataclass(frozen=True)
class Grouping:
    """A way to group images.

    Attributes:
        title: What it groups by.
        names: Of the G groups.
        member: ``(N,)``, int: the group of each image, -1 for none.
    """

    title: str
    names: tuple[str, ...]
    member: np.ndarray


def group_images(
    schema: AttributeSchema, predictions: Predictions
) -> tuple[list[Grouping], list[str]]:
    """All groupings that divide the images.

    By each exclusive set of the schema; by each other attribute of its groups age,
    gender and view; by whether the person is in the training data; by source dataset;
    by camera; by quartiles of the height of the person crop.

    Returns:
        The groupings of two groups or more, and a line about each of the others.
    """
    kept, notes = [], []
    for grouping in _all(schema, predictions):
        used, member = np.unique(grouping.member, return_inverse=True)
        names = tuple(grouping.names[group] for group in used if group >= 0)
        if len(names) < 2:
            found = f"all images are {names[0]}" if names else "known of no image"
            notes.append(f"not grouped by {grouping.title}: {found}")
        else:
            member = member - int(used[0] < 0)
            kept.append(Grouping(grouping.title, names, member))
    return kept, notes


def _all(schema: AttributeSchema, predictions: Predictions) -> Iterator[Grouping]:
    labels = predictions.labels
    for members in schema.exclusive_indices:
        names = tuple(schema.names[i] for i in members)
        truth = set_truth(labels[:, list(members)])
        yield Grouping(_set_title(schema, names), (*names, "none of them"), truth)
    in_sets = {i for members in schema.exclusive_indices for i in members}
    for i in schema.indices(_OF_THE_IMAGE):
        if i not in in_sets:
            name = schema.names[i]
            yield Grouping(name, (f"not {name}", name), labels[:, i].astype(int))
    seen = predictions.seen.astype(int)
    yield Grouping("person in training data", ("unseen", "seen"), seen)
    yield _by_name("source", predictions.domain)
    yield _by_name("camera", predictions.camera)
    yield _by_quartile("image height", predictions.image_size[:, 1])


def _set_title(schema: AttributeSchema, names: tuple[str, ...]) -> str:
    """The schema group that is the set; else its members."""
    homes = [group for group, members in schema.groups.items() if members == names]
    return homes[0] if homes else " / ".join(names)


def _by_name(title: str, values: np.ndarray) -> Grouping:
    """By a text that is empty where it is not known."""
    names = in_counting_order({*values.tolist()} - {""})
    position = {name: i for i, name in enumerate(names)}
    member = np.array([position.get(value, -1) for value in values.tolist()])
    return Grouping(title, tuple(names), member)


def _by_quartile(title: str, pixels: np.ndarray) -> Grouping:
    """By the quartiles of known, positive numbers; equal numbers stay together."""
    known = pixels > 0
    if not known.any():
        return Grouping(title, (), np.full(len(pixels), -1))
    inner = np.quantile(pixels[known], (0.25, 0.5, 0.75))
    member = np.where(known, np.searchsorted(inner, pixels), -1)
    names = []
    for quartile in range(4):
        inside = pixels[member == quartile]
        low, high = (inside.min(), inside.max()) if inside.size else (0, 0)
        names.append(f"{low} px" if low == high else f"{low} to {high} px")
    return Grouping(title, tuple(names), member)
