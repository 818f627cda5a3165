"""Body regions: a horizontal band of the image, read at one pyramid level."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmpar.structures.attribute_schema import AttributeSchema
from mmpar.structures.keypoints import COCO_KEYPOINTS


@dataclass(frozen=True)
class Region:
    """A band of the image and the attributes that are read from it.

    Args:
        name: What a person calls it, e.g. ``'head'``.
        rows: Upper and lower edge in fractions of the image height, so that a region
            fits any input size and stride.
        level: Pyramid level it is read from, 1 for P1, the finest; None if the level is
            learned.
        groups: Body-region groups of the schema whose attributes are read here.
        attributes: Names of further attributes that are read here. With neither groups
            nor attributes a region reads all that no other region reads.
        keypoints: COCO names of the body keypoints that belong here, in the order in
            which the keypoint form of PLE gives them; None for all 17.

    Raises:
        ValueError: The name is empty, a number or has a dot, the level or the rows are
            out of range, or a keypoint is none of COCO's or is repeated.
    """

    name: str
    rows: tuple[float, float]
    level: int | None = None
    groups: tuple[str, ...] | None = None
    attributes: tuple[str, ...] | None = None
    keypoints: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self.rows))
        for field in ("groups", "attributes", "keypoints"):
            names = getattr(self, field)
            if isinstance(names, str):
                raise ValueError(
                    f"{field} of region {self.name!r} is the string {names!r}; give a "
                    f"list of names, ({names!r},)"
                )
            if names is not None:
                object.__setattr__(self, field, tuple(names))
        if not self.name or "." in self.name or self.name.isdigit():
            raise ValueError(
                f"a region is called {self.name!r}; weights are stored under the names "
                "of regions, so give it one that is no number and has no dot"
            )
        self._check_keypoints()
        if self.level is not None and self.level < 1:
            raise ValueError(
                f"region {self.name!r} has level {self.level}; levels start at 1 (P1)"
            )
        top, bottom = self.rows
        if not 0 <= top < bottom <= 1:
            raise ValueError(
                f"region {self.name!r} has rows {self.rows}; give its upper and lower "
                "edge in fractions of the image height, 0 <= upper < lower <= 1"
            )

    def _check_keypoints(self) -> None:
        if self.keypoints is None:
            return
        unknown = [name for name in self.keypoints if name not in COCO_KEYPOINTS]
        repeated = len(set(self.keypoints)) < len(self.keypoints)
        if unknown or repeated or not self.keypoints:
            raise ValueError(
                f"region {self.name!r} has the keypoints {list(self.keypoints)}; give "
                f"one or more of {list(COCO_KEYPOINTS)}, each once, or None for all"
            )

    @property
    def reads_the_rest(self) -> bool:
        """Whether it reads the attributes that no other region reads."""
        return self.groups is None and self.attributes is None

    @property
    def keypoint_indices(self) -> tuple[int, ...]:
        """Positions of its keypoints in COCO's order."""
        names = COCO_KEYPOINTS if self.keypoints is None else self.keypoints
        return tuple(COCO_KEYPOINTS.index(name) for name in names)

    def attribute_indices(self, schema: AttributeSchema) -> tuple[int, ...]:
        """Schema positions, ascending, of the attributes that it names."""
        by_group = schema.indices(self.groups or ())
        by_name = (schema.index(name) for name in self.attributes or ())
        return tuple(sorted({*by_group, *by_name}))

    def row_range(self, height: int) -> tuple[int, int]:
        """First row and one past the last, on a feature map of ``height`` rows.

        Edges are rounded to the nearest row; a region keeps at least one row.
        """
        start, stop = (math.floor(edge * height + 0.5) for edge in self.rows)
        start = min(start, height - 1)
        return start, max(stop, start + 1)


def build_regions(spec: Mapping[str, Mapping[str, Any]]) -> tuple[Region, ...]:
    """Regions, from name to the other arguments of Region, in their one order.

    The order of ``spec`` has no meaning: MMEngine writes the keys of a config sorted.
    Regions go by their lower edge, then from the narrower to the wider, then by name,
    so a config and its written form draw the same random numbers.

    >>> whole, head = dict(rows=(0, 1)), dict(rows=(0, 0.5))
    >>> [region.name for region in build_regions(dict(whole=whole, head=head))]
    ['head', 'whole']
    """
    if not spec:
        raise ValueError("the model needs at least one region")
    regions = (Region(name=name, **fields) for name, fields in spec.items())
    return tuple(sorted(regions, key=lambda r: (r.rows[1], -r.rows[0], r.name)))


def assign_attributes(
    regions: Sequence[Region], schema: AttributeSchema
) -> dict[str, tuple[int, ...]]:
    """Schema positions, ascending, of the attributes that each region reads, by name.

    A region without an attribute in the schema is not in the result: region definitions
    are shared by datasets of which some label nothing there.

    Raises:
        ValueError: An attribute is read by no region or by two.
    """
    named = [region.attribute_indices(schema) for region in regions]
    taken = {index for indices in named for index in indices}
    rest = tuple(i for i in range(len(schema)) if i not in taken)
    assigned = [
        rest if region.reads_the_rest else indices
        for region, indices in zip(regions, named)
    ]
    counts = [sum(i in indices for indices in assigned) for i in range(len(schema))]
    for name, count in zip(schema.names, counts):
        if count != 1:
            raise ValueError(
                f"attribute {name!r} of the schema {schema.title!r} is read by {count} "
                "regions; each must be read by one. Give one region neither groups "
                "nor attributes, and it reads all that the others do not"
            )
    return {
        region.name: indices for region, indices in zip(regions, assigned) if indices
    }
