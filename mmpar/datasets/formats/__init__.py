"""Readers of annotation files; nothing else in mmpar knows their layouts."""

from mmpar.datasets.formats.annotation import (
    UNKNOWN,
    AnnotationTable,
    PackedStrings,
    checked_labels,
)

__all__ = ["UNKNOWN", "AnnotationTable", "PackedStrings", "checked_labels"]
