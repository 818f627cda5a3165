"""The kinds of prior location extraction by their names in configs."""

from __future__ import annotations

from typing import Any, Union

from mmpar.models.layers.keypoint_location_extraction import KeypointLocationExtraction
from mmpar.models.layers.no_location_extraction import NoLocationExtraction
from mmpar.models.layers.prior_location_extraction import PriorLocationExtraction
from mmpar.models.layers.sparse_location_extraction import SparseLocationExtraction

LocationExtraction = Union[
    PriorLocationExtraction,
    SparseLocationExtraction,
    KeypointLocationExtraction,
    NoLocationExtraction,
]

LOCATION_EXTRACTIONS: dict[str, Any] = {
    "block": PriorLocationExtraction,
    "sparse": SparseLocationExtraction,
    "keypoint": KeypointLocationExtraction,
}
"""Kind to the class, built as ``(channels, **settings)``."""


def build_location_extraction(
    channels: int, kind: str = "block", **settings: Any
) -> LocationExtraction:
    """PLE of a kind: ``'block'``, ``'sparse'``, ``'keypoint'`` or ``'none'``.

    Args:
        channels: C, of the region features.
        kind: Which.
        **settings: Of its class, ``num_points`` and others; ``'none'`` has no use for
            any and takes them from a config that it inherits.
    """
    if kind == "none":
        return NoLocationExtraction()
    if kind not in LOCATION_EXTRACTIONS:
        raise ValueError(
            f"the kind of PLE is one of {[*LOCATION_EXTRACTIONS, 'none']}, got {kind!r}"
        )
    return LOCATION_EXTRACTIONS[kind](channels, **settings)
