"""JSON lists: ``{"attributes": [...], "groups": {...}, "images": [...]}``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.logging import print_log

from mmpar.datasets.formats.files import portable_path
from mmpar.datasets.formats.json_file import Number, entry, read_json, texts
from mmpar.datasets.formats.labels import label_codes
from mmpar.datasets.formats.named_list import COLUMNS, NamedList, Row
from mmpar.structures.attribute_schema import composed


class JSONList(NamedList):
    """A JSON list.

    ::

        {"attributes": ["Hat", "Boots"],
         "groups": {"head": ["Hat"], "foot": ["Boots"]},
         "images": [{"path": "a.jpg", "labels": [1, null], "person_id": 7},
                    {"path": "b.jpg", "labels": {"Boots": 0}}]}

    ``groups`` may be left out. Labels are listed in the order of ``attributes`` or
    given by name; one that is not named is unknown. Entries of an image beside these
    two are columns, see :class:`NamedList`. NaN, as pandas has a missing value, is
    null. Without ``attributes`` the images have no labels.

    Args:
        path: The file.
        one_hot: Attributes whose labels are classes.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not JSON or not of that form.
    """

    def __init__(self, path: str, one_hot: Sequence[str] = ()) -> None:
        content = read_json(path)
        _check_form(content, path)
        self._images = content["images"]
        attributes = texts(content, "attributes", path)
        _check_attributes(attributes, path)
        groups = {
            name: texts(content["groups"], name, f"{path}, groups")
            for name in content.get("groups", {})
        }
        further = _further_entries(self._images, path, attributes)
        super().__init__(path, [*attributes, *further], attributes, groups, one_hot)
        self._further = further
        self._names = self.columns[: len(attributes)]

    def rows(self) -> Iterator[Row]:
        for i, image in enumerate(self._images):
            where = f"{self.path}, images[{i}]"
            path = entry(image, "path", str, where)
            where = f"{where} ({path})"
            labels = self._labels(image.get("labels"), where)
            further = [_cell(image, name, where) for name in self._further]
            yield Row(where, portable_path(path), [*labels, *further])

    def _labels(self, found: Any, where: str) -> list[Any]:
        names = self._names
        if not names and found is None:
            return []
        if isinstance(found, dict):
            named = {composed(name): label for name, label in found.items()}
            unknown = [name for name in named if name not in names]
            if unknown:
                raise ValueError(
                    f"{where}: labels for {unknown}, which are not in 'attributes' "
                    f"{list(names)}"
                )
            found = [named.get(name) for name in names]
        if not isinstance(found, list) or len(found) != len(names):
            size = len(found) if isinstance(found, list) else "no list of"
            raise ValueError(
                f"{where}: found {size} labels, expected {len(names)}, one for each of "
                "'attributes', or an object of labels by name"
            )
        return [None if label != label else label for label in found]


def _check_form(content: Any, path: str) -> None:
    for name in ("attributes", "images"):
        if not isinstance(content, dict) or not isinstance(content.get(name), list):
            raise ValueError(
                f"{path}: expected an object with the lists 'attributes' (empty if "
                f"there are no labels) and 'images'; {name!r} is missing or is no list"
            )
    if "groups" in content:
        entry(content, "groups", dict, path)


def _cell(image: Mapping[str, Any], name: str, where: str) -> Any:
    """The cell of a further column; None where it has no value."""
    value = image.get(name)
    if value is None or value != value:
        return None
    return entry(image, name, (*Number, str), where)


def _check_attributes(attributes: Sequence[str], path: str) -> None:
    codes = label_codes()
    labels = [name for name in attributes if name in codes]
    if labels:
        raise ValueError(
            f"{path}: 'attributes' holds labels, {labels}, where names are expected"
        )


def _further_entries(
    images: Sequence[Any], path: str, attributes: Sequence[str]
) -> list[str]:
    """Those of ``COLUMNS`` that some image has; a line in the log names the others."""
    found = {name for image in images if isinstance(image, dict) for name in image}
    known = [name for name in COLUMNS if name in found and name not in attributes]
    unread = sorted(found - {"path", "labels", *known})
    if unread:
        print_log(f"{path}: the entries {unread} of the images are not read", "current")
    return known
