"""Readers of annotation files; nothing else in mmpar knows their layouts."""

from mmpar.datasets.annotations.labels import checked_labels
from mmpar.datasets.annotations.table import UNKNOWN, AnnotationTable, PackedStrings

__all__ = ["UNKNOWN", "AnnotationTable", "PackedStrings", "checked_labels"]
