"""The published attribute schemas, one file per dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmpar.structures.attribute_schema import AttributeSchema
from mmpar.structures.schemas.dukemtmc import DUKEMTMC
from mmpar.structures.schemas.market1501 import MARKET1501
from mmpar.structures.schemas.msp60k import MSP60K
from mmpar.structures.schemas.pa100k import PA100K
from mmpar.structures.schemas.peta import PETA
from mmpar.structures.schemas.peta105 import PETA105
from mmpar.structures.schemas.rapv1 import RAPV1
from mmpar.structures.schemas.rapv1_92 import RAPV1_92
from mmpar.structures.schemas.rapv2 import RAPV2
from mmpar.structures.schemas.rapzs import RAPZS
from mmpar.structures.schemas.upar import UPAR
from mmpar.structures.schemas.wider import WIDER

SCHEMAS: Mapping[str, AttributeSchema] = {
    "pa100k": PA100K,
    "peta": PETA,
    "peta105": PETA105,
    "rapv1": RAPV1,
    "rapv1_92": RAPV1_92,
    "rapv2": RAPV2,
    "rapzs": RAPZS,
    "upar": UPAR,
    "market1501": MARKET1501,
    "dukemtmc": DUKEMTMC,
    "msp60k": MSP60K,
    "wider": WIDER,
}
"""Schemas that a config may name."""


def build_schema(spec: str | Mapping[str, Any] | AttributeSchema) -> AttributeSchema:
    """Make a schema from what a config may hold.

    Args:
        spec: A schema, the name of a published one (a key of ``SCHEMAS``), or
            ``dict(names=[...], groups=dict(head=[...], ...), exclusive=[[...]],
            meanings={...})`` for one's own, of which only ``names`` is needed.

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
    # MMEngine leaves its key where a child config had nothing to delete.
    spec = {key: value for key, value in spec.items() if key != "_delete_"}
    unknown = sorted(set(spec) - {"names", "groups", "title", "exclusive", "meanings"})
    if unknown or "names" not in spec:
        raise ValueError(
            "an attribute schema is a dict with the keys 'names' and optionally "
            f"'groups', 'exclusive', 'meanings' and 'title'; got {sorted(spec)}"
        )
    return AttributeSchema(**spec)
