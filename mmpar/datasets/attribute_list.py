"""A user's own pictures and attributes, listed in a file, with no code."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Callable

from mmpar.datasets.annotations import AnnotationTable
from mmpar.datasets.annotations.attribute_lists import AttributeList
from mmpar.datasets.annotations.csv_list import CSVList
from mmpar.datasets.annotations.json_list import JSONList
from mmpar.datasets.annotations.text_list import TextList
from mmpar.datasets.base import PARDataset
from mmpar.registry import DATASETS
from mmpar.structures import AttributeSchema

_FORMATS: dict[str, Callable[[str], AttributeList]] = {
    ".txt": TextList,
    ".csv": CSVList,
    ".json": JSONList,
}


@DATASETS.register_module()
class AttributeListDataset(PARDataset):
    """Pictures and labels from a list, one file a split.

    The ending of ``ann_file`` says its format: ``.txt``, ``path 0 1 ...`` a line
    (:class:`TextList`); ``.csv`` with a header ``path,Hat,...`` (:class:`CSVList`);
    ``.json`` (:class:`JSONList`). Labels are 1, 0, or unknown: -1 or ?, in CSV an empty
    cell, in JSON null. Paths are relative to ``data_prefix``, with slashes of either
    kind.

    Args:
        ann_file: The list.
        schema: Attributes and their body-region groups. A ``.txt`` list needs it; for
            the others it is taken from the file by default, or else the columns of
            the file are matched to it by name.
        kwargs: As for :class:`PARDataset`.

    Raises:
        ValueError: The ending is none of the three, or see the formats.
    """

    def __init__(self, *, ann_file: str, **kwargs: Any) -> None:
        super().__init__(ann_file=ann_file, **kwargs)

    def resolve_schema(
        self, schema: str | Mapping[str, Any] | AttributeSchema | None
    ) -> AttributeSchema:
        self._list: AttributeList | None = self._open()
        if schema is not None:
            return super().resolve_schema(schema)
        if self._list.schema is None:
            raise ValueError(
                f"{self.ann_file} has no attribute names; give them as "
                "schema=dict(names=[...]), or the name of a published schema"
            )
        return self._list.schema

    def _open(self) -> AttributeList:
        ending = os.path.splitext(self.ann_file)[1].lower()
        if ending not in _FORMATS:
            raise ValueError(
                f"{self.ann_file!r} ends in {ending!r}; attribute lists end in one of "
                f"{sorted(_FORMATS)}"
            )
        return _FORMATS[ending](self.ann_file)

    def load_annotations(self) -> AnnotationTable:
        attribute_list = self._list or self._open()
        self._list = None  # its text is not needed any more
        return attribute_list.read(self.schema)
