"""Readers of annotation files; nothing else in mmpar knows their layouts."""

from mmpar.datasets.formats.annotation import (
    UNKNOWN,
    Annotation,
    AnnotationTable,
    PackedStrings,
)

__all__ = ["UNKNOWN", "Annotation", "AnnotationTable", "PackedStrings"]
