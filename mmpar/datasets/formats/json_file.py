"""JSON of others: one parse, one way to take a value out of it, one form of errors."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from mmpar.datasets.formats.files import read_utf8, shown

_LONGEST_NUMBER = 18
"""Digits of a whole number: all such fit into 64 bits."""
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"0" * 9)
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

Number = (int, float)
_CALLED: dict[Any, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    Number: "a number",
    (int, float, str): "a number or text",
}


def read_json(path: str) -> Any:
    """What a JSON file holds.

    Its whole numbers fit into 64 bits and its texts are Unicode that a file's name may
    hold, whatever reads them further.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not JSON, or holds other numbers or texts.
    """
    return parse_json(read_utf8(path), path)


def parse_json(text: str, where: str) -> Any:
    """What a JSON text holds, as :func:`read_json`; ``where`` is for errors."""
    remedy = "save it anew, or copy or download it again"
    try:
        content = _CAREFUL.decode(text) if _has_long_number(text) else json.loads(text)
    except RecursionError as error:
        raise ValueError(
            f"{where} is not JSON of any list: it is nested too deeply; {remedy}"
        ) from error
    except ValueError as error:
        raise ValueError(f"{where} is not JSON: {error}; {remedy}") from error
    if not _is_unicode(content, text):
        raise ValueError(
            f"{where}: a text has \\u0000 or half a character, which no name has; "
            f"{remedy}"
        )
    return content


def entry(found: Any, name: str, kind: Any, where: str) -> Any:
    """An entry of an object.

    Args:
        found: The object, of which nothing is known.
        name: Of the entry.
        kind: ``dict``, ``list``, ``str``, ``Number``, or a tuple as of ``isinstance``.
        where: The file and the place in it, for errors.

    Raises:
        ValueError: It is no object, has no such entry, or one of another kind.
    """
    value = found.get(name) if isinstance(found, dict) else None
    if isinstance(value, kind):
        return value
    expected = f"expected an object with {name!r}, {_CALLED[kind]}"
    if not isinstance(found, dict) or name not in found:
        raise ValueError(f"{where}: {expected}; found {shown(found)}")
    raise ValueError(f"{where}: {expected}; found {shown(value)} there")


def texts(found: Any, name: str, where: str) -> list[str]:
    """An entry that is a list of texts; errors as of :func:`entry`."""
    values = entry(found, name, list, where)
    for value in values:
        if not isinstance(value, str):
            raise ValueError(
                f"{where}: {name!r} holds {shown(value)} where text is expected"
            )
    return values


def numbers(found: Any, name: str, count: int, where: str) -> list[float]:
    """An entry that is a list of so many finite numbers; true is 1, and false 0.

    Raises:
        ValueError: As of :func:`entry`, or another count, or not all are numbers.
    """
    values = entry(found, name, list, where)
    right = all(isinstance(value, Number) and math.isfinite(value) for value in values)
    if len(values) != count or not right:
        raise ValueError(
            f"{where}: {name!r} is {shown(values)}, expected {count} numbers"
        )
    return values


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > _LONGEST_NUMBER:
        raise ValueError(
            f"the number {digits[:30]}... has more than {_LONGEST_NUMBER} digits"
        )
    return int(digits)


_CAREFUL = json.JSONDecoder(parse_int=_whole)
"""Takes twice as long: only for texts that may have such numbers."""


def _has_long_number(text: str) -> bool:
    """Whether there may be one; a pattern would take as long as the parse."""
    alike = text.encode("utf-8", "surrogatepass").translate(_DIGITS_ALIKE)
    return b"0" * (_LONGEST_NUMBER + 1) in alike


def _is_unicode(content: Any, text: str) -> bool:
    """Whether no text has a NUL or half a character, but bytes of a file's name."""
    if "\\u0000" in text and _NUL.search(text):
        return False
    if not _ESCAPED_SURROGATE.search(text):
        return True
    try:
        written = json.dumps(content, ensure_ascii=False)
        return bool(written.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return False
