"""COCO's JSON: boxes of attributes and persons, body keypoints as detectors write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmpar.datasets.formats.files import (
    Number,
    entry,
    numbers,
    portable_path,
    read_json,
    shown,
)
from mmpar.datasets.formats.mot import PersonBoxes, Persons
from mmpar.structures import AttributeSchema
from mmpar.structures.attribute_schema import composed
from mmpar.structures.boxes import clip_boxes, xywh_to_xyxy
from mmpar.structures.keypoints import NUM_KEYPOINTS, scores_to_visibility

_ID = (*Number, str)
_BOX_TOLERANCE = 1.0
"""Pixels by which a box may exceed its image; it is clipped then."""
_MAX_SIDE = 2**31 - 1
_PIXEL_CENTRE = 0.5
"""COCO's keypoints are pixel indices: 0 is the place 0.5, as Detectron2 reads them."""
_MAX_COORDINATE = 2.0**31
"""Larger than any image, and within float32."""


# --- which image is meant -------------------------------------------------------------


class ImageIndex:
    """Finds images by name, whatever folders either side saw them in.

    Two names may mean one image if they are equal or one ends with the other, by whole
    folders: ``images/0001.jpg`` and ``/data/set/images/0001.jpg``. Kept in a few
    arrays, which forked data loader workers share.

    Args:
        names: Name of each image.
        source: The file that names or looks up the images, for errors.
    """

    def __init__(self, names: Sequence[str], source: str) -> None:
        self._source = source
        self._names = _sorted_index([portable_path(name) for name in names])
        self._base_names = _sorted_index([_base_name(name) for name in names])

    def find(self, name: str) -> int | None:
        """Position of an image, the longest of the names that ``name`` ends with.

        Without such a name, it is the one name that ends with ``name``; None if there
        is none either.

        Raises:
            ValueError: Several names end with ``name``.
        """
        name = portable_path(name)
        parts = name.split("/")
        for start in range(len(parts)):
            positions = _lookup(self._names, "/".join(parts[start:]))
            if len(positions):
                return int(positions[0])
        longer = {
            known: int(position)
            for position in _lookup(self._base_names, parts[-1])
            if (known := _decode(self._names[0][position])).endswith(f"/{name}")
        }
        if len(longer) > 1:
            raise ValueError(
                f"{self._source}: the image {name!r} could be any of "
                f"{list(longer)[:3]}; give image names with their folders"
            )
        return next(iter(longer.values()), None)

    def first_repeated(self) -> str | None:
        """A name that several images have, if there is one."""
        names, order = self._names
        ordered = names[order]
        same = np.flatnonzero(ordered[1:] == ordered[:-1])
        return _decode(ordered[same[0]]) if len(same) else None


def _sorted_index(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The names as bytes, and the order that sorts them."""
    encoded = np.array([_encode(name) for name in names], np.bytes_)
    return encoded, encoded.argsort(kind="stable")


def _lookup(index: tuple[np.ndarray, np.ndarray], name: str) -> np.ndarray:
    """All positions of a name."""
    names, order = index
    encoded = _encode(name)
    if len(encoded) > names.itemsize:
        return order[:0]  # NumPy would copy all names to compare a longer one
    start, stop = (
        np.searchsorted(names, encoded, side, order) for side in ("left", "right")
    )
    return order[start:stop]


def _base_name(name: str) -> str:
    return portable_path(name).rpartition("/")[2]


def _encode(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _decode(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _by_id(content: Any, name: str, path: str) -> dict[Any, Any]:
    """The entries of COCO's ``images`` or ``categories``."""
    found: dict[Any, Any] = {}
    for one in entry(content, name, list, path):
        key = entry(one, "id", _ID, f"{path}, {name}")
        if key in found:
            raise ValueError(f"{path}: two {name} have the id {key!r}")
        found[key] = one
    return found


def _two_for_one(path: str, name: str, other: str, image: str) -> ValueError:
    if name == other:
        return ValueError(f"{path}: two images have the file_name {name!r}")
    return ValueError(
        f"{path}: {name!r} and {other!r} may both be {image}; give images with the "
        "folders that the file names, or a file that has only these images"
    )


# --- boxes of attributes --------------------------------------------------------------


class COCOBoxes:
    """Boxes of attributes, looked up by image.

    Reads ``images`` (id, file_name, width, height), ``categories`` (id, name: an
    attribute of the schema) and ``annotations`` (image_id, category_id, bbox: x, y,
    width, height in pixels), and ignores everything else. Several boxes of one
    attribute in one image, such as two boots, become the box around them, as an
    explanation is of both at once.

    Args:
        path: The file.
        schema: Gives the attributes and their order.

    Attributes:
        boxes: float32, ``(N, A, 4)``, xyxy in pixels, NaN where there is none.
        sizes: int32, ``(N, 2)``, height and width of the images.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not of that form, a category is not an attribute, or a
            box is empty or outside its image.
    """

    def __init__(self, path: str, schema: AttributeSchema) -> None:
        self.path = path
        content = read_json(path)
        annotations = entry(content, "annotations", list, path)
        images = _by_id(content, "images", path)
        attributes = _attributes(_by_id(content, "categories", path), schema, path)
        rows = {image_id: row for row, image_id in enumerate(images)}
        sizes = [_size(image, f"{path}, images") for image in images.values()]
        self.sizes = np.array(sizes, np.int32).reshape(len(images), 2)
        self.boxes = np.full((len(images), len(schema), 4), np.nan, np.float32)
        for number, annotation in enumerate(annotations):
            where = f"{path}, annotations[{number}]"
            row = _position(rows, annotation, "image_id", where)
            column = _position(attributes, annotation, "category_id", where)
            box = _box(annotation, self.sizes[row], where)
            known = self.boxes[row, column]
            known[:2] = np.fmin(known[:2], box[:2])
            known[2:] = np.fmax(known[2:], box[2:])
        names = [
            entry(image, "file_name", str, f"{path}, images")
            for image in images.values()
        ]
        self._index = ImageIndex(names, path)
        repeated = self._index.first_repeated()
        if repeated is not None:
            raise ValueError(f"{path}: two images have the file_name {repeated!r}")

    def find(self, img_path: str) -> int | None:
        """Row of an image in ``boxes`` and ``sizes``; see :meth:`ImageIndex.find`."""
        return self._index.find(img_path)


def _attributes(
    categories: Mapping[Any, Any], schema: AttributeSchema, path: str
) -> dict[Any, int]:
    """Category id to position in the schema."""
    where = f"{path}, categories"
    names = {
        key: composed(entry(category, "name", str, where))
        for key, category in categories.items()
    }
    unknown = [name for name in names.values() if name not in schema.names]
    if unknown:
        raise ValueError(
            f"{path}: the categories {unknown} are not attributes of the schema "
            f"{schema.title!r}, which has {list(schema.names)}; name the categories as "
            "in the schema, or give the schema that they belong to"
        )
    return {key: schema.names.index(name) for key, name in names.items()}


def _size(image: Any, where: str) -> tuple[int, int]:
    """Height and width."""
    height, width = (entry(image, name, Number, where) for name in ("height", "width"))
    if not all(0 < side <= _MAX_SIDE and side % 1 == 0 for side in (height, width)):
        raise ValueError(
            f"{where}: width and height are whole numbers of pixels, found {width} and "
            f"{height}"
        )
    return int(height), int(width)


def _position(known: Mapping[Any, Any], annotation: Any, name: str, where: str) -> Any:
    value = entry(annotation, name, _ID, where)
    if value not in known:
        raise ValueError(
            f"{where}: {name} {value!r} is not among the ids of "
            f"{'images' if name == 'image_id' else 'categories'}"
        )
    return known[value]


def _box(annotation: Any, size: np.ndarray, where: str) -> np.ndarray:
    """xyxy, clipped to the image; ``size`` is its height and width."""
    given = _bbox(annotation, where)
    box = xywh_to_xyxy(np.array(given, np.float64))
    clipped = clip_boxes(box, width=size[1], height=size[0])
    if not np.abs(box - clipped).max() <= _BOX_TOLERANCE:  # NaN outside the image
        raise ValueError(
            f"{where}: the bbox {given} (x, y, width, height) is not inside its "
            f"image, {size[1]} wide and {size[0]} high; is it (x1, y1, x2, y2), or of "
            "an image of another size?"
        )
    return clipped


def _bbox(annotation: Any, where: str) -> list[float]:
    """Left edge, upper edge, width and height."""
    given = numbers(annotation, "bbox", 4, where)
    if not (given[2] > 0 and given[3] > 0):
        raise ValueError(f"{where}: the bbox {given} has no area")
    return given


# --- boxes of persons -----------------------------------------------------------------

PERSON = "person"
"""COCO's name of the category."""


def read_coco_persons(file: str, paths: Sequence[str]) -> PersonBoxes:
    """Persons of images, in the order of ``annotations``.

    Reads ``images`` (id, file_name), ``categories`` (id, name), and of ``annotations``
    (id, image_id, category_id, bbox: x, y, width, height in pixels) those of the
    category ``person`` that are no crowd.

    Args:
        file: The JSON file.
        paths: The images; see :class:`ImageIndex` for how names are matched.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not of that form, has no such category, or speaks of
            none of the images, or an image is given twice.
    """
    content = read_json(file)
    persons = _person_categories(content, file)
    rows = _rows_of_images(content, file, paths)
    found: list[Persons] = [[] for _ in paths]
    crowds = 0
    for number, annotation in enumerate(entry(content, "annotations", list, file)):
        where = f"{file}, annotations[{number}]"
        row = _position(rows, annotation, "image_id", where)
        if row is None or entry(annotation, "category_id", _ID, where) not in persons:
            continue
        if annotation.get("iscrowd"):
            crowds += 1
        else:
            key = entry(annotation, "id", int, where)
            found[row].append((_bbox(annotation, where), key))
    silent = len(paths) - len({*rows.values()} - {None})
    notes = {
        f"{file}: left out {crowds} crowds, which are no single persons": crowds,
        f"{file} does not list {silent} of the {len(paths)} images: they have no "
        "persons": silent,
    }
    return PersonBoxes.of(found, [note for note, count in notes.items() if count])


def _index_of(paths: Sequence[str], file: str) -> ImageIndex:
    """Of images that are each named once."""
    index = ImageIndex(paths, file)
    repeated = index.first_repeated()
    if repeated is not None:
        raise ValueError(
            f"the image {repeated!r}, to be found in {file}, is given twice; give each "
            "image once"
        )
    return index


def _rows_of_images(
    content: Any, file: str, paths: Sequence[str]
) -> dict[Any, int | None]:
    """Id of an image to its position in ``paths``, None if it is not there."""
    index = _index_of(paths, file)
    rows: dict[Any, int | None] = {}
    names: dict[int, str] = {}
    for key, image in _by_id(content, "images", file).items():
        name = entry(image, "file_name", str, f"{file}, images")
        row = rows[key] = index.find(name)
        if row in names:
            raise _two_for_one(file, names[row], name, paths[row])
        if row is not None:
            names[row] = name
    if not names:
        raise ValueError(
            f"{file} lists none of the {len(paths)} images {list(paths[:3])}"
        )
    return rows


def _person_categories(content: Any, file: str) -> set[Any]:
    """Ids: files that were put together may have several."""
    where = f"{file}, categories"
    names = {
        key: entry(category, "name", str, where)
        for key, category in _by_id(content, "categories", file).items()
    }
    persons = {key for key, name in names.items() if name == PERSON}
    if not persons:
        raise ValueError(
            f"{where}: none has the name {PERSON!r}; found {shown([*names.values()])}"
        )
    return persons


# --- keypoints ------------------------------------------------------------------------


class KeypointResults(NamedTuple):
    """What a file says about N images."""

    keypoints: np.ndarray
    """float32, (N, 17, 3): x, y, visibility; zeros where nobody was found."""
    num_low_scores: int
    """Keypoints, of the people kept, whose scores were too low."""
    unknown_images: list[str]
    """Names of images in the file that are not among the N."""


def read_coco_keypoints(
    file: str | Path,
    paths: Sequence[str],
    images_file: str | Path | None = None,
    min_score: float = 0.3,
) -> KeypointResults:
    """Keypoints of the main person of each image: the largest score times area.

    The file is either COCO's list of results, as detectors write it: ``[{"image_id":
    ..., "keypoints": [x, y, score, ...], "score": ...}]``; or COCO's annotation:
    ``{"images": [...], "annotations": [...]}``, where the third number is 0 not
    labelled, 1 hidden, 2 visible. The area is ``area``, or that of ``bbox``, or of the
    box around the keypoints; ``score`` is 1 if there is none.

    Args:
        file: The JSON file.
        paths: The images, as the dataset lists them.
        images_file: A COCO file whose ``images`` say which ``image_id`` is which image.
            Not needed if ``image_id``, or ``file_name`` of the entry, is the name.
        min_score: Keypoints of lower scores are missing. Hidden ones of an annotation
            are not: where they are is known.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is of another format, an entry does not have 51 finite
            numbers, an ``image_id`` or a file name cannot be resolved, two images may
            be one, an image is given twice, or ``min_score`` is not in [0, 1].
    """
    if not 0 <= min_score <= 1:  # above, the 1 of a hidden keypoint would be too low
        raise ValueError(
            f"min_score must be in [0, 1], found {min_score}; bring scores of another "
            "range into this one first"
        )
    content = _read_results(file)
    name_of = _image_names(content, file, images_file)
    index = _index_of(paths, str(file))
    keypoints = np.zeros((len(paths), NUM_KEYPOINTS, 3), np.float32)
    weights = np.zeros(len(paths))
    images: dict[int, tuple[str, Any]] = {}
    unknown: dict[str, None] = {}
    for where, person, points in _people(content, file):
        name, image_id = _image_of(person, name_of, where)
        row = index.find(name)
        if row is None:
            unknown[name] = None
            continue
        image = portable_path(name), image_id
        if images.setdefault(row, image) != image:
            raise _two_for_one(str(file), images[row][0], image[0], paths[row])
        weight = _weight(person, points, where)
        if weight > weights[row]:
            weights[row], keypoints[row] = weight, points
    num_low = scores_to_visibility(keypoints, min_score)
    return KeypointResults(keypoints, num_low, list(unknown))


def _read_results(file: str | Path) -> Any:
    try:
        return read_json(str(file))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"no file {str(file)!r} of keypoints") from error


def _image_names(
    content: Any, file: str | Path, images_file: str | Path | None
) -> dict[Any, str]:
    """Name of each image that has an id."""
    path = str(images_file or file)
    if images_file:
        content = _read_results(images_file)
    elif not isinstance(content, Mapping):
        return {}
    where = f"{path}, COCO's 'images'"
    images = _by_id(content, "images", path)
    return {key: entry(image, "file_name", str, where) for key, image in images.items()}


def _people(
    content: Any, file: str | Path
) -> Iterator[tuple[str, Mapping[str, Any], np.ndarray]]:
    """Place in the file, entry, and keypoints of all people who have any."""
    is_annotation = isinstance(content, Mapping)
    entries = content.get("annotations") if is_annotation else content
    if not isinstance(entries, list):
        raise ValueError(
            f"{file} is neither a list of results nor has it COCO's 'annotations'"
        )
    for i, person in enumerate(entries):
        where = f"{file}, entry {i}"
        points = _points(person, where)
        if (points[:, 2] > 0).any():
            yield where, person, points


def _points(person: Any, where: str) -> np.ndarray:
    """``(17, 3)``: x, y and score, which is 1 or 2 for what was labelled by hand."""
    given = person.get("keypoints") if isinstance(person, Mapping) else None
    try:
        points = np.array(given, np.float64)
        right = points.shape == (3 * NUM_KEYPOINTS,)
        right = right and bool((np.abs(points) < _MAX_COORDINATE).all())
    except (TypeError, ValueError):
        right = False
    if not right:
        raise ValueError(
            f"{where}: 'keypoints' are {3 * NUM_KEYPOINTS} finite numbers, x, y and "
            f"score of COCO's {NUM_KEYPOINTS}; found {str(given)[:60]}"
        )
    points = points.reshape(NUM_KEYPOINTS, 3)
    points[:, :2] += _PIXEL_CENTRE
    return points


def _image_of(
    person: Mapping[str, Any], name_of: Mapping[Any, str], where: str
) -> tuple[str, Any]:
    """The image's name, and the id that stands for it, if one does."""
    if "file_name" in person:
        return entry(person, "file_name", str, where), None
    image_id = entry(person, "image_id", _ID, where)
    if image_id in name_of:
        return name_of[image_id], image_id
    if isinstance(image_id, str):
        return image_id, None
    raise ValueError(
        f"{where}: nothing says which image image_id={image_id!r} is; give the COCO "
        "file with the 'images' that the detector was given (--images)"
    )


def _weight(person: Mapping[str, Any], points: np.ndarray, where: str) -> float:
    """Score times area, above 0."""
    area, box, score = (person.get(name) for name in ("area", "bbox", "score"))
    try:
        if area is None:
            found = points[points[:, 2] > 0, :2]
            width, height = box[2:4] if box else np.ptp(found, axis=0)
            area = float(width) * float(height)
        weight = float(area) * float(1 if score is None else score)
    except (TypeError, ValueError, KeyError):
        weight = np.nan
    if not np.isfinite(weight):
        raise ValueError(
            f"{where}: 'area' and 'score' are numbers and 'bbox' is x, y, width, "
            f"height; found area={area!r}, score={score!r}, bbox={box!r}"
        )
    return max(weight, np.finfo(np.float64).tiny)
