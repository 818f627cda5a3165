"""A user's own pictures and attributes, listed in a file, with no code."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from logging import WARNING
from typing import Any, Callable

import numpy as np
from mmengine.logging import print_log

from mmpar.datasets.base import PARDataset
from mmpar.datasets.formats import AnnotationTable
from mmpar.datasets.formats.lists import AttributeList, CSVList, TextList
from mmpar.datasets.formats.openmmlab_json import JSONList, PortableList
from mmpar.registry import DATASETS
from mmpar.structures import AttributeSchema

_UNNAMED: dict[str, Callable[[str], AttributeList]] = {
    ".txt": TextList,
    ".jsonl": PortableList,
}
_NAMED: dict[str, Callable[..., AttributeList]] = {".csv": CSVList, ".json": JSONList}


@DATASETS.register_module()
class AttributeListDataset(PARDataset):
    """Pictures and labels from a list.

    The ending of ``ann_file`` says its format: ``.txt``, ``path 0 1 ...`` a line
    (:class:`TextList`); ``.csv`` with a header ``path,Hat,...`` (:class:`CSVList`);
    ``.json`` (:class:`JSONList`); ``.jsonl`` as ``tools/dataset_converters/prepare.py``
    writes it. Labels are 1, 0, or unknown: -1 or ?, in CSV an empty cell, in JSON null;
    ``label_map`` reads other codings. Paths are relative to ``data_prefix``, with
    slashes of either kind.

    The columns ``split``, ``person_id``, ``camera``, ``domain`` and ``partition`` of a
    ``.csv`` or ``.json`` are no attributes but further entries of the samples. A list
    without labels gives unknown ones, for prediction.

    Args:
        ann_file: The list.
        split: Only the rows whose column ``split`` says so; by default all.
        one_hot: Columns of classes, each of which becomes an attribute: ``age`` with
            young and old gives ``age:young`` and ``age:old`` (:class:`NamedList`).
        schema: Attributes and their body-region groups. A ``.txt`` list, and one
            without labels, needs it; for the others it is taken from the file by
            default, or else the columns of the file are matched to it by name.
        kwargs: As for :class:`PARDataset`.

    Raises:
        ValueError: The ending is none of these, there is no such split, or see the
            formats.
    """

    def __init__(
        self, *, ann_file: str, one_hot: Sequence[str] = (), **kwargs: Any
    ) -> None:
        self.one_hot = [one_hot] if isinstance(one_hot, str) else list(one_hot)
        super().__init__(ann_file=ann_file, **kwargs)

    @classmethod
    def _checked_split(cls, split: str) -> str:
        return split  # the file says which there are

    def resolve_schema(
        self, schema: str | Mapping[str, Any] | AttributeSchema | None
    ) -> AttributeSchema:
        self._list: AttributeList | None = self._open()
        if schema is not None:
            return super().resolve_schema(schema)
        found = self._list.schema
        if found is None:
            raise ValueError(
                f"{self.ann_file} has no attribute names; give them as "
                "schema=dict(names=[...]), or the name of a published schema"
            )
        return found

    def _open(self) -> AttributeList:
        ending = os.path.splitext(self.ann_file)[1].lower()
        if ending in _NAMED:
            return _NAMED[ending](self.ann_file, one_hot=self.one_hot)
        if ending not in _UNNAMED:
            raise ValueError(
                f"{self.ann_file!r} ends in {ending!r}; attribute lists end in one of "
                f"{sorted([*_NAMED, *_UNNAMED])}"
            )
        if self.one_hot:
            raise ValueError(
                f"one_hot={self.one_hot} names columns of a .csv or .json list; "
                f"{self.ann_file} has none"
            )
        return _UNNAMED[ending](self.ann_file)

    def load_annotations(self) -> AnnotationTable:
        attribute_list = self._list or self._open()
        self._list = None  # its text is not needed any more
        return self._of_split(attribute_list.read(self.schema, self.label_map))

    def _of_split(self, table: AnnotationTable) -> AnnotationTable:
        """The rows of ``self.split``; all, with a warning, where it is not given."""
        splits = table.columns.get("split", np.empty(0, dtype=str))
        counts = dict(zip(*(a.tolist() for a in np.unique(splits, return_counts=True))))
        if not self.split:
            if len(counts) > 1:
                print_log(
                    f"{self.ann_file} has the splits {counts}, and all of them are "
                    "read; choose one with split=...",
                    "current",
                    WARNING,
                )
            return table
        if self.split not in counts:
            found = f"has the splits {counts}" if counts else "has no column 'split'"
            raise ValueError(
                f"{self.ann_file} {found}, got split={self.split!r}; give one that it "
                "has, or one file a split as ann_file and no split"
            )
        return table.take(splits == self.split).without_column("split")
