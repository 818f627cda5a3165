"""One thing that the doctor found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "note"]

SO_RELEASED = " (so in the release)"
"""Ends the message of a known flaw, which is a note."""


@dataclass(frozen=True)
class Issue:
    """A fault of a dataset, which is an error or a warning, or a note.

    Args:
        check: Which check found it.
        where: Split or splits.
        message: What was found, for people.
        images: Full paths of the images concerned.
        severity: ``"error"`` where figures would be wrong or a training would stop,
            ``"warning"`` where labels or files look mistaken, ``"note"`` for what is so
            by design or in every copy of the release.
    """

    check: str
    where: str
    message: str
    images: list[str] = field(default_factory=list)
    severity: Severity = "error"
