"""The published attribute schemas, one file a data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmpar.structures.attribute_schema import AttributeSchema
from mmpar.structures.schemas.pa100k import PA100K
from mmpar.structures.schemas.peta import PETA
from mmpar.structures.schemas.rapv1 import RAPV1

SCHEMAS: Mapping[str, AttributeSchema] = {
    "pa100k": PA100K,
    "peta": PETA,
    "rapv1": RAPV1,
}
"""Schemas that a config may name."""


def build_schema(spec: str | Mapping[str, Any] | AttributeSchema) -> AttributeSchema:
    """Make a schema from what a config may hold.

    Args:
        spec: A schema, the name of a published one (a key of ``SCHEMAS``), or
            ``dict(names=[...], groups=dict(head=[...], ...))`` for one's own.

    Raises:
        ValueError: Unknown name, or a dict that is not a schema.
    """
    if isinstance(spec, AttributeSchema):
        return spec
    if isinstance(spec, str):
        if spec not in SCHEMAS:
            raise ValueError(
                f"unknown attribute schema {spec!r}; known are {sorted(SCHEMAS)}. "
                "For your own attributes give dict(names=[...], groups={...})"
            )
        return SCHEMAS[spec]
    if not isinstance(spec, Mapping):
        raise ValueError(
            "an attribute schema is the name of a published one or a dict with "
            f"'names', got {type(spec).__name__}"
        )
    unknown = sorted(set(spec) - {"names", "groups", "title"})
    if unknown or "names" not in spec:
        raise ValueError(
            "an attribute schema is a dict with the keys 'names' and optionally "
            f"'groups' and 'title'; got {sorted(spec)}"
        )
    return AttributeSchema(**spec)
