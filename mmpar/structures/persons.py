"""Who an image shows: persons by the names that annotations give them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

UNKNOWN_PERSON = -1
"""``person_id`` of an image of an unknown person."""


def person_keys(persons: Iterable[Any]) -> list[str]:
    """Persons in one spelling, empty for unknown ones.

    One list may hold a person as the number 7, another as the text ``'007'``.

    >>> person_keys([7, "007", "anna", -1, None])
    ['7', '7', 'anna', '', '']

    Args:
        persons: Numbers or texts; -1, None and the empty text are unknown.
    """
    texts = (str(person).strip() for person in persons)
    unknown = ("", str(UNKNOWN_PERSON), str(None))
    known = ("" if text in unknown else text for text in texts)
    return [str(int(text)) if text.isdecimal() else text for text in known]
