"""Body regions: a horizontal band of the picture, read at one pyramid level."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmpar.structures.attribute_schema import AttributeSchema


@dataclass(frozen=True)
class Region:
    """A band of the image and the attributes that are read from it.

    Args:
        name: What a person calls it, e.g. ``'head'``.
        level: Pyramid level it is read from, 1 for P1, the finest.
        rows: Upper and lower edge in fractions of the image height, so that a region
            fits any input size and stride.
        groups: Body-region groups of the schema whose attributes are read here; None
            for all attributes that no other region reads.

    Raises:
        ValueError: The level or the rows are out of range.
    """

    name: str
    level: int
    rows: tuple[float, float]
    groups: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self.rows))
        if self.groups is not None:
            object.__setattr__(self, "groups", tuple(self.groups))
        if self.level < 1:
            raise ValueError(
                f"region {self.name!r} has level {self.level}; levels start at 1 (P1)"
            )
        top, bottom = self.rows
        if not 0 <= top < bottom <= 1:
            raise ValueError(
                f"region {self.name!r} has rows {self.rows}; give its upper and lower "
                "edge in fractions of the image height, 0 <= upper < lower <= 1"
            )

    def row_range(self, height: int) -> tuple[int, int]:
        """First row and one past the last, on a feature map of ``height`` rows.

        Edges are rounded to the nearest row; a region keeps at least one row.
        """
        start, stop = (math.floor(edge * height + 0.5) for edge in self.rows)
        start = min(start, height - 1)
        return start, max(stop, start + 1)


def build_regions(spec: Mapping[str, Mapping[str, Any]]) -> tuple[Region, ...]:
    """Regions, in the order of ``spec``, from name to the other arguments of Region."""
    if not spec:
        raise ValueError("the model needs at least one region")
    return tuple(Region(name=name, **fields) for name, fields in spec.items())


def assign_attributes(
    regions: Sequence[Region], schema: AttributeSchema
) -> tuple[tuple[int, ...], ...]:
    """Schema positions of the attributes that each region reads, ascending.

    Raises:
        ValueError: An attribute is read by no region or by two, or a region by none.
    """
    named = [schema.indices(r.groups) if r.groups is not None else () for r in regions]
    taken = {index for indices in named for index in indices}
    rest = tuple(i for i in range(len(schema)) if i not in taken)
    assigned = tuple(
        rest if region.groups is None else indices
        for region, indices in zip(regions, named)
    )
    counts = [sum(i in indices for indices in assigned) for i in range(len(schema))]
    for name, count in zip(schema.names, counts):
        if count != 1:
            raise ValueError(
                f"attribute {name!r} of the schema {schema.title!r} is read by {count} "
                "regions; each must be read by one. Give one region groups=None to "
                "read all that the others do not"
            )
    for region, indices in zip(regions, assigned):
        if not indices:
            raise ValueError(
                f"region {region.name!r} (groups {region.groups}) has no attribute in "
                f"the schema {schema.title!r}, whose groups are {list(schema.groups)}; "
                "remove the region from the config or name the groups of the schema"
            )
    return assigned
