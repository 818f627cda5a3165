"""One thing that the doctor found."""

from __future__ import annotations

from dataclasses import dataclass, field

SO_RELEASED = " (so in the release)"
"""Ends the message of a known flaw, which is a note."""


@dataclass(frozen=True)
class Issue:
    """A fault of a dataset, or a note.

    Args:
        check: Which check found it.
        where: Split or splits.
        message: What was found, for people.
        images: Full paths of the images concerned.
        is_fault: ``False`` for what is so by design.
    """

    check: str
    where: str
    message: str
    images: list[str] = field(default_factory=list)
    is_fault: bool = True
