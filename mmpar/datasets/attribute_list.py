"""A user's own images and attributes, listed in a file, with no code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmpar.datasets.base import PARDataset
from mmpar.datasets.formats.annotation import Annotation
from mmpar.registry import DATASETS
from mmpar.structures import AttributeSchema


@DATASETS.register_module()
class AttributeListDataset(PARDataset):
    """Images and labels from a list.

    The ending of ``ann_file`` says its format: ``.txt``, ``path 0 1 ...`` per line
    (:func:`read_text`); ``.csv`` with a header ``path,Hat,...`` (:func:`read_csv`);
    ``.json``, OpenMMLab's annotation file (:func:`read_openmmlab`). Labels are 1, 0, or
    unknown: -1 or ?, in CSV an empty cell, in JSON null; ``label_map`` reads other
    codings. Paths are relative to ``data_prefix``, with slashes of either kind.

    The columns ``split``, ``person_id``, ``camera``, ``domain`` and ``partition`` of a
    ``.csv`` or ``.json`` are not attributes but further entries of the samples. A list
    without labels gives unknown ones, for prediction.

    Args:
        ann_file: The list.
        split: Only the rows whose column ``split`` says so; by default all.
        one_hot: Columns of classes, each of which becomes an attribute: ``age`` with
            young and old gives ``age:young`` and ``age:old``
            (:meth:`Annotation.with_classes`).
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
        if schema is not None and schema != "all":
            return super().resolve_schema(schema)
        found = self.annotation().with_classes(self.one_hot).schema()
        if found is None:
            raise ValueError(
                f"{self.ann_file} has no attribute names; give them as "
                "schema=dict(names=[...]), or the name of a published schema"
            )
        return found

    def complete(self, annotation: Annotation) -> Annotation:
        schema = self.schema
        found = annotation.with_classes(self.one_hot, schema)
        attributes = found.attributes or ()
        unknown = sorted({*attributes} - {*schema.names}, key=attributes.index)
        if unknown:
            held = {*attributes, *found.columns}
            lacking = [name for name in schema.names if name not in held]
            raise ValueError(
                f"{self.ann_file} and the schema {schema.title!r} name different "
                f"attributes: the file lacks {lacking}, the schema lacks {unknown}. "
                "Leave out the argument schema to take the attributes from the file"
            )
        if self.split and found.partitions is None:
            raise ValueError(
                f"{self.ann_file} has no column 'split', got split={self.split!r}; "
                "give one file per split as ann_file and no split"
            )
        return found
