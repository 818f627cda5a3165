"""One thing that the doctor found."""

from __future__ import annotations

from dataclasses import dataclass, field

SO_RELEASED = " (so in the release)"
"""Ends the message of a known flaw, which is a note."""


@dataclass(frozen=True)
class Finding:
    """A fault of a data set, or a note.

    Args:
        check: Which check found it.
        where: Split or splits.
        message: What was found, for people.
        pictures: Full paths of the pictures concerned.
        is_fault: ``False`` for what is so by design.
    """

    check: str
    where: str
    message: str
    pictures: list[str] = field(default_factory=list)
    is_fault: bool = True
