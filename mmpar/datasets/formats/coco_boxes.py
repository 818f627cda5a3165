"""Attribute boxes in COCO's JSON format, such as an annotation tool exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mmpar.datasets.formats.files import (
    Number,
    entry,
    numbers,
    portable_path,
    read_json,
    same_image,
)
from mmpar.structures import AttributeSchema
from mmpar.structures.attribute_schema import composed

_TOLERANCE = 1.0
"""Pixels that an annotator's box may stick out of the picture; it is clipped then."""
_ID = (*Number, str)
_LARGEST_SIDE = 2**31 - 1


class COCOBoxes:
    """Boxes of attributes, looked up by picture.

    Read are ``images`` (id, file_name, width, height), ``categories`` (id, name: an
    attribute of the schema) and ``annotations`` (image_id, category_id, bbox: x, y,
    width, height in pixels); all else is ignored. Several boxes of an attribute in one
    picture, such as two boots, become the box around them, as one answer explains them.

    Kept in four arrays, which forked data loader workers share.

    Args:
        path: The file.
        schema: Gives the attributes and their order.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not of that form, names a category that is no attribute, or
            has a box that is empty or not in its picture.
    """

    def __init__(self, path: str, schema: AttributeSchema) -> None:
        self.path = path
        content = _read(path)
        images: dict[Any, Any] = {}
        for image in content["images"]:
            image_id = entry(image, "id", _ID, f"{path}, images")
            if image_id in images:
                raise ValueError(f"{path}: two images have the id {image_id!r}")
            images[image_id] = image
        attributes = _attributes(content["categories"], schema, path)
        rows = {image_id: row for row, image_id in enumerate(images)}
        sizes = [_size(image, f"{path}, images") for image in images.values()]
        self.sizes = np.array(sizes, np.int32).reshape(-1, 2)
        self.boxes = np.full((len(images), len(schema), 4), np.nan, np.float32)
        for number, annotation in enumerate(content["annotations"]):
            where = f"{path}, annotations[{number}]"
            row = _found(rows, annotation, "image_id", where)
            column = _found(attributes, annotation, "category_id", where)
            box = _box(annotation, self.sizes[row], where)
            known = self.boxes[row, column]
            known[:2] = np.fmin(known[:2], box[:2])
            known[2:] = np.fmax(known[2:], box[2:])
        names = [
            portable_path(entry(image, "file_name", str, f"{path}, images"))
            for image in images.values()
        ]
        self._by_path = _Index(names)
        self._by_base_name = _Index([name.rpartition("/")[2] for name in names])
        repeated = self._by_path.first_repeated()
        if repeated is not None:
            raise ValueError(f"{path}: two images have the file_name {repeated!r}")

    def find(self, img_path: str) -> int | None:
        """The row of a picture in ``boxes`` and ``sizes``; None if it has none.

        A file_name fits if the path ends with it, folder by folder, the longest first;
        else if it ends with the path.

        Raises:
            ValueError: Several pictures could be meant.
        """
        img_path = portable_path(img_path)
        parts = img_path.split("/")
        for start in range(len(parts)):
            rows = self._by_path.rows("/".join(parts[start:]))
            if len(rows):
                return int(rows[0])
        same_base = {
            self._by_path.name(row): int(row)
            for row in self._by_base_name.rows(parts[-1])
        }
        fitting = [name for name in same_base if same_image(name, img_path)]
        if len(fitting) > 1:
            raise ValueError(
                f"{self.path}: the picture {img_path!r} could be {fitting[:3]}; give "
                "the data set paths with these folders"
            )
        return same_base[fitting[0]] if fitting else None


class _Index:
    """Strings to their positions, in two arrays instead of a dict of objects."""

    def __init__(self, names: list[str]) -> None:
        self.names = np.array([_encoded(name) for name in names], np.bytes_)
        self.order = self.names.argsort(kind="stable")

    def name(self, position: int) -> str:
        """The name at a position."""
        return self.names[position].decode("utf-8", "surrogateescape")

    def rows(self, name: str) -> np.ndarray:
        """All positions of a name."""
        if len(self.names) == 0:
            return self.order
        start, stop = (
            np.searchsorted(self.names, _encoded(name), side, self.order)
            for side in ("left", "right")
        )
        return self.order[start:stop]

    def first_repeated(self) -> str | None:
        """A name that has two positions, if there is one."""
        ordered = self.names[self.order]
        same = np.flatnonzero(ordered[1:] == ordered[:-1])
        return self.name(int(self.order[same[0]])) if len(same) else None


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _read(path: str) -> Mapping[str, Any]:
    content = read_json(path)
    for name in ("images", "categories", "annotations"):
        if not isinstance(content, dict) or not isinstance(content.get(name), list):
            raise ValueError(
                f"{path}: expected COCO's object with the lists 'images', 'categories' "
                f"and 'annotations'; {name!r} is missing or is no list"
            )
    return content


def _attributes(
    categories: list[Any], schema: AttributeSchema, path: str
) -> dict[Any, int]:
    """Category id to position in the schema."""
    where = f"{path}, categories"
    names = {
        entry(category, "id", _ID, where): composed(entry(category, "name", str, where))
        for category in categories
    }
    unknown = [name for name in names.values() if name not in schema.names]
    if unknown:
        raise ValueError(
            f"{path}: the categories {unknown} are no attributes of the schema "
            f"{schema.title!r}, which has {list(schema.names)}; name the categories as "
            "the schema does, or give the schema that they belong to"
        )
    return {key: schema.names.index(name) for key, name in names.items()}


def _size(image: Any, where: str) -> tuple[int, int]:
    """Height and width."""
    height, width = (entry(image, name, Number, where) for name in ("height", "width"))
    if not all(0 < side <= _LARGEST_SIDE and side % 1 == 0 for side in (height, width)):
        raise ValueError(
            f"{where}: width and height are whole numbers of pixels, found {width} and "
            f"{height}"
        )
    return int(height), int(width)


def _found(known: Mapping[Any, int], annotation: Any, name: str, where: str) -> int:
    value = entry(annotation, name, _ID, where)
    if value not in known:
        raise ValueError(
            f"{where}: {name} {value!r} is not among the ids of "
            f"{'images' if name == 'image_id' else 'categories'}"
        )
    return known[value]


def _box(annotation: Any, size: np.ndarray, where: str) -> np.ndarray:
    """(x1, y1, x2, y2), clipped to the picture."""
    given = numbers(annotation, "bbox", 4, where)
    x, y, width, height = given
    if not (width > 0 and height > 0):
        raise ValueError(f"{where}: the bbox {given} has no area")
    box = np.array((x, y, x + width, y + height))
    limits = np.tile(size[::-1], 2)
    clipped = box.clip(0, limits)
    sticks_out = np.abs(box - clipped).max() > _TOLERANCE
    if sticks_out or not (clipped[2:] > clipped[:2]).all():
        raise ValueError(
            f"{where}: the bbox {given} (x, y, width, height) is not in its "
            f"picture, {size[1]} wide and {size[0]} high; is it (x1, y1, x2, y2), or "
            "of a picture of another size?"
        )
    return clipped
