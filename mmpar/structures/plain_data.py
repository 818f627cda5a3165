"""Data of JSON's kinds only, and the strict reading of fields from it."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from mmpar.utils.repeats import repeated


def plain(value: Any, where: str) -> Any:
    """A copy in dicts, lists, strings, finite numbers, booleans and None.

    >>> plain(dict(rows=(0, 0.5)), "region")
    {'rows': [0, 0.5]}

    Args:
        value: Of these kinds, or of mappings and tuples.
        where: What it is, for the error.

    Raises:
        ValueError: Something in it is of another kind; names where.
    """
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise ValueError(f"{where} has the key {key!r}, which is not text")
        return {key: plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
    finite = not isinstance(value, float) or math.isfinite(value)
    if value is None or (type(value) in (bool, int, float, str) and finite):
        return value
    raise ValueError(
        f"{where} is {value!r}, which is not plain data: text, a finite number, True, "
        "False, None, or a list or dict of these"
    )


def require_fields(data: Any, names: Collection[str], where: str) -> dict[str, Any]:
    """The same data, which has these fields and no others.

    Raises:
        ValueError: It is not a dict, or a field is missing or unknown; names it.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"{where} is {_short(data)}, expected a dict of {list(names)}")
    missing = [name for name in names if name not in data]
    unknown = [name for name in data if name not in names]
    found = [f"lacks {missing}"] if missing else []
    found += [f"has the unknown {unknown}"] if unknown else []
    if found:
        raise ValueError(f"{where} {' and '.join(found)}; its fields are {list(names)}")
    return dict(data)


def require_type(value: Any, kinds: type | tuple[type, ...], where: str) -> None:
    """Raise ``ValueError`` unless a value is of one of these types; True is no number.

    A number that is expected must be finite.
    """
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    if type(value) not in kinds or (type(value) is float and not math.isfinite(value)):
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"{where} is {_short(value)}, expected {expected}")


def require_sha256(value: Any, where: str) -> None:
    """Raise ``ValueError`` unless a value is 64 hexadecimal digits, lower case."""
    digits = isinstance(value, str) and set(value) <= {*"0123456789abcdef"}
    if not digits or len(value) != 64:
        raise ValueError(f"{where} is {_short(value)}, expected a SHA-256 in hex")


def to_canonical_json(data: Any) -> str:
    """The one text of plain data: sorted keys, no spaces, no NaN."""
    return json.dumps(
        data,
        sort_keys=True,
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )


LONGEST_NUMBER = 18
"""Digits of a whole number: all such fit into 64 bits."""


def whole_number(digits: str) -> int:
    """A whole number of a JSON text, for ``parse_int``.

    Raises:
        ValueError: It has more than :data:`LONGEST_NUMBER` digits.
    """
    if len(digits.lstrip("-")) > LONGEST_NUMBER:
        raise ValueError(
            f"the number {digits[:30]}... has more than {LONGEST_NUMBER} digits"
        )
    return int(digits)


def parse_json(text: str, where: str) -> Any:
    """Plain data from JSON, without NaN, long numbers, and a key given twice.

    Raises:
        ValueError: It is not such JSON.
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_constant=_no_constant,
            parse_int=whole_number,
        )
    except RecursionError:
        raise ValueError(f"{where} is nested too deep") from None
    except ValueError as error:
        raise ValueError(f"{where} is not valid JSON: {error}") from error


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"repeated keys {sorted(repeated(keys))}")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
