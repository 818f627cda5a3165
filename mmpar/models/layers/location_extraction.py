"""The kinds of prior location extraction by their names in configs."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
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
            any, but bears those of the other kinds, from a config that it inherits.

    Raises:
        ValueError: The kind, or a setting of it, is unknown.
    """
    if kind == "none":
        known = (name for each in LOCATION_EXTRACTIONS for name in _settings(each))
        _check_settings(kind, settings, sorted({*known}))
        return NoLocationExtraction()
    if kind not in LOCATION_EXTRACTIONS:
        raise ValueError(
            f"the kind of PLE is one of {[*LOCATION_EXTRACTIONS, 'none']}, got {kind!r}"
        )
    _check_settings(kind, settings, _settings(kind))
    return LOCATION_EXTRACTIONS[kind](channels, **settings)


def _settings(kind: str) -> list[str]:
    parameters = inspect.signature(LOCATION_EXTRACTIONS[kind]).parameters
    return [name for name in parameters if name != "channels"]


def _check_settings(kind: str, settings: Iterable[str], known: list[str]) -> None:
    for name in settings:
        if name not in known:
            raise ValueError(
                f"PLE of the kind {kind!r} has no setting {name!r}; it takes {known}"
            )
