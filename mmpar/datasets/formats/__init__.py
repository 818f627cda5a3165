"""Readers of annotation files; nothing else in mmpar knows their layouts."""

from mmpar.datasets.formats.labels import checked_labels
from mmpar.datasets.formats.table import UNKNOWN, AnnotationTable, PackedStrings

__all__ = ["UNKNOWN", "AnnotationTable", "PackedStrings", "checked_labels"]
