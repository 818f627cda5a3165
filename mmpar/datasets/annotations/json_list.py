"""JSON lists: ``{"attributes": [...], "groups": {...}, "images": [...]}``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from mmpar.datasets.annotations.attribute_lists import (
    LABEL_WORDS,
    column_order,
    schema_of,
    wrong_label,
)
from mmpar.datasets.annotations.files import portable_path, read_utf8
from mmpar.datasets.annotations.table import UNKNOWN, AnnotationTable
from mmpar.structures import AttributeSchema


class JSONList:
    """A JSON list.

    ::

        {"attributes": ["Hat", "Boots"],
         "groups": {"head": ["Hat"], "foot": ["Boots"]},
         "images": [{"path": "a.jpg", "labels": [1, null]},
                    {"path": "b.jpg", "labels": {"Boots": 0}}]}

    ``groups`` may be left out. Labels are listed in the order of ``attributes`` or
    given by name; one that is not named is unknown.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not JSON or not of that form.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            content = json.loads(read_utf8(path))
        except json.JSONDecodeError as error:
            raise ValueError(f"{path} is not JSON: {error}") from error
        if not isinstance(content, dict):
            content = {}
        for name in ("attributes", "images"):
            if not isinstance(content.get(name), list):
                raise ValueError(
                    f"{path}: expected an object with the lists 'attributes' and "
                    f"'images'; {name!r} is missing or is no list"
                )
        groups = content.get("groups", {})
        self.schema = schema_of(content["attributes"], path, groups=groups)
        self.images = content["images"]

    def read(self, schema: AttributeSchema) -> AnnotationTable:
        """All rows, labels in the order of ``schema``, matched by name.

        Raises:
            ValueError: The attributes are not those of ``schema``, or an image is not
                as described.
        """
        order = column_order(self.schema, schema, self.path)
        return AnnotationTable.from_rows(self._rows(order), len(schema))

    def _rows(self, order: Sequence[int]) -> Iterator[tuple[str, list[int]]]:
        for i, image in enumerate(self.images):
            where = f"{self.path}, images[{i}]"
            if not isinstance(image, dict) or not isinstance(image.get("path"), str):
                raise ValueError(
                    f"{where}: expected an object with a 'path' and 'labels', "
                    f"got {image!r}"
                )
            labels = self._labels(image.get("labels"), f"{where} ({image['path']})")
            yield portable_path(image["path"]), [labels[i] for i in order]

    def _labels(self, found: Any, where: str) -> list[int]:
        names = self.schema.names
        if isinstance(found, dict):
            unknown = [name for name in found if name not in names]
            if unknown:
                raise ValueError(
                    f"{where}: labels for {unknown}, which are not in 'attributes' "
                    f"{list(names)}"
                )
            found = [found.get(name) for name in names]
        if not isinstance(found, list) or len(found) != len(names):
            size = len(found) if isinstance(found, list) else "no list of"
            raise ValueError(
                f"{where}: found {size} labels, expected {len(names)}, one for each of "
                "'attributes', or an object of labels by name"
            )
        return [_label(value, name, where) for name, value in zip(names, found)]


def _label(value: Any, name: str, where: str) -> int:
    if value is None:
        return UNKNOWN
    label = LABEL_WORDS.get(str(int(value) if isinstance(value, bool) else value))
    if label is None:
        raise wrong_label(where, name, value)
    return label
