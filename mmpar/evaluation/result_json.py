"""Results as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np

from mmpar.structures import AttributeSchema


def result_json(result: Any) -> str:
    """A result as JSON, dataclasses as dicts; null for a number that is not defined."""
    return json.dumps(_plain(result), indent=1, allow_nan=False, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, AttributeSchema):
        return value.to_dict()
    if dataclasses.is_dataclass(value):
        return {
            f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)
        }
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
