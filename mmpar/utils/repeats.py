"""What is there more than once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any


def repeated(items: Iterable[Any]) -> list[Any]:
    """Those that are there more than once, in the order of their first places.

    >>> repeated("abcbca")
    ['a', 'b', 'c']
    """
    return [item for item, count in Counter(items).items() if count > 1]
