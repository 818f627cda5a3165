"""JSON lists: ``{"attributes": [...], "groups": {...}, "images": [...]}``."""

from __future__ import annotations

import io
import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from mmengine.logging import print_log

from mmpar.datasets.formats.annotation import (
    AnnotationTable,
    LabelMap,
    PackedStrings,
    label_codes,
    wrong_label,
)
from mmpar.datasets.formats.files import (
    Number,
    entry,
    parse_json,
    portable_path,
    read_bytes,
    read_json,
    texts,
)
from mmpar.datasets.formats.lists import COLUMNS, NamedList, Row, schema_of
from mmpar.structures import AttributeSchema
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


FORMAT = "mmpar-annotation-1"

Part = tuple  # (split, partition)


class Header(NamedTuple):
    """What the first line says."""

    dataset: str
    schema: AttributeSchema
    parts: list[Part]
    """Split and partition of the rows, as far as there are any."""


def header_line(dataset: str, schema: AttributeSchema, parts: Sequence[Part]) -> str:
    """The first line of a file."""
    return _line(
        dict(
            format=FORMAT,
            dataset=dataset,
            schema=schema.to_dict(),
            parts=[list(part) for part in parts],
        )
    )


def row_lines(table: AnnotationTable, split: str, partition: int) -> Iterator[str]:
    """One line for each row: path, labels, split, partition, further columns.

    Raises:
        ValueError: A column of the table has the name of one of those fields, and says
            something else.
    """
    fixed = dict(split=split, partition=partition)
    columns = {n: column for n, column in table.columns.items() if n not in fixed}
    for name in fixed.keys() & table.columns.keys():
        others = {_plain(value) for value in table.columns[name]} - {fixed[name]}
        if others:
            raise ValueError(
                f"the column {name!r} holds {sorted(others, key=str)[:5]} in rows that "
                f"are written as {name}={fixed[name]!r}; rename the column"
            )
    for i, path in enumerate(table.paths):
        more = {name: _plain(column[i]) for name, column in columns.items()}
        labels = table.labels[i].tolist()
        yield _line(dict(path=path, labels=labels, **fixed, **more))


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def read_portable(
    path: str,
    schema: AttributeSchema,
    split: str,
    partition: int,
    trainval: Sequence[str] = ("train", "val"),
    label_map: LabelMap | None = None,
) -> AnnotationTable:
    """The rows of a split, labels in the order of ``schema``, matched by name.

    ``'trainval'`` is the splits ``trainval``, in turn, where the file has no part of
    that name.

    Args:
        path: The file.
        schema: The attributes wanted.
        split: The split.
        partition: The partition.
        trainval: The splits that ``'trainval'`` is.
        label_map: As in :func:`label_codes`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not of that format, lacks an attribute, or has no such split.
    """
    content = read_bytes(path)
    header = read_header(path, content)
    parts = _wanted(header, (split, partition), trainval, path)
    table = _table(path, content, parts, schema, label_map)
    return table.without_column("split")


class PortableList:
    """A portable annotation as an attribute list: its first partition, all splits.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not of that format.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._content = read_bytes(path)
        self._header = read_header(path, self._content)

    @property
    def schema(self) -> AttributeSchema:
        """The attributes of the file."""
        return self._header.schema

    def read(
        self, schema: AttributeSchema, label_map: LabelMap | None = None
    ) -> AnnotationTable:
        """The rows, with the column ``split``; labels in the order of ``schema``.

        Args:
            schema: The attributes wanted.
            label_map: As in :func:`label_codes`.

        Raises:
            ValueError: The file lacks an attribute, or a label is none.
        """
        first = min(partition for _, partition in self._header.parts)
        parts = [part for part in self._header.parts if part[1] == first]
        return _table(self.path, self._content, parts, schema, label_map)


def _table(
    path: str,
    content: bytes,
    parts: Sequence[Part],
    schema: AttributeSchema,
    label_map: LabelMap | None,
) -> AnnotationTable:
    """The rows of some parts, with the column ``split``."""
    names = read_header(path, content).schema.names
    lacking = [name for name in schema.names if name not in names]
    if lacking:
        raise ValueError(f"{path} lacks the attributes {lacking}; it has {list(names)}")
    order = [names.index(name) for name in schema.names]
    codes = label_codes(label_map)
    labels = array("b")
    columns: dict[str, list[Any]] = {"split": []}

    def paths() -> Iterator[str]:
        for part in parts:
            for row, where in _rows(path, content, part):
                found = _labels(row.pop("labels", None), names, codes, where)
                labels.extend([found[i] for i in order])
                yield portable_path(row.pop("path"))
                for name, value in {**row, "split": part[0]}.items():
                    columns.setdefault(name, []).append(value)

    packed = PackedStrings.pack(paths())
    matrix = np.array(labels, np.int8).reshape(-1, len(schema))
    more = {
        name: _column(name, values, len(packed), path)
        for name, values in columns.items()
    }
    return AnnotationTable(packed, matrix, more)


def _column(name: str, values: list[Any], count: int, path: str) -> np.ndarray:
    """Text, numbers, or lists of as many numbers, one for each row."""
    kinds = {_kind(value) for value in values}
    if len(values) != count or len(kinds) != 1 or kinds == {None}:
        raise ValueError(
            f"{path}: the column {name!r} is not in all {count} rows of one kind, "
            "numbers, text, or lists of numbers of one length; write it with "
            "tools/dataset_converters/prepare.py"
        )
    return np.array(values)


def _kind(value: Any) -> Any:
    if isinstance(value, list):
        numbers = all(isinstance(one, (int, float)) for one in value)
        return (list, len(value)) if numbers else None
    if isinstance(value, str):
        return str
    return float if isinstance(value, (int, float)) else None


def read_header(path: str, content: bytes) -> Header:
    """The schema and the parts of a file of these bytes."""
    where = f"{path}, line 1"
    first = _parsed(content.split(b"\n", 1)[0], where)
    if first.get("format") != FORMAT:
        raise ValueError(
            f"{path}: the first line names the format {first.get('format')!r}, "
            f"expected {FORMAT!r}; write it with tools/dataset_converters/prepare.py"
        )
    schema = entry(first, "schema", dict, where)
    groups = entry(schema, "groups", dict, where) if "groups" in schema else {}
    groups = {name: texts(groups, name, f"{where}, groups") for name in groups}
    names = texts(schema, "names", where)
    parts = [_part(part, where) for part in entry(first, "parts", list, where)]
    if not parts:
        raise ValueError(f"{where}: 'parts' is empty; the file has no rows")
    return Header(
        entry(first, "dataset", str, where),
        schema_of(names, path, groups=groups),
        parts,
    )


def _part(found: Any, where: str) -> Part:
    pair = tuple(found) if isinstance(found, list) else ()
    if [type(one) for one in pair] != [str, int]:
        raise ValueError(f"{where}: 'parts' holds {found!r}, expected [split, number]")
    return pair


def _wanted(
    header: Header, part: Part, trainval: Sequence[str], path: str
) -> list[Part]:
    if part in header.parts:
        return [part]
    split, partition = part
    several = [(name, partition) for name in trainval]
    if split == "trainval" and all(one in header.parts for one in several):
        return several
    raise ValueError(
        f"{path} has no split={split!r}, partition={partition}; it has {header.parts}"
    )


def rows_of(path: str, content: bytes) -> Iterator[tuple[Part, bytes]]:
    """Part, and line, of every row of a file of these bytes."""
    parts = read_header(path, content).parts
    for where, line, row in _lines(path, content):
        part = (row.get("split"), row.get("partition"))
        if part not in parts:
            raise ValueError(f"{where}: split and partition are {part}, not of {parts}")
        yield part, line


def _rows(
    path: str, content: bytes, part: Part
) -> Iterator[tuple[dict[str, Any], str]]:
    for where, _, row in _lines(path, content):
        if (row.pop("split", None), row.pop("partition", None)) == part:
            if not isinstance(row.get("path"), str):
                raise ValueError(f"{where}: the row has no 'path'")
            yield row, where


def _lines(path: str, content: bytes) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Where it stands, the line, and what it says, of every row."""
    lines = io.BytesIO(content)
    next(lines)
    for number, line in enumerate(lines, start=2):
        if line.strip():
            where = f"{path}, line {number}"
            yield where, line, _parsed(line, where)


def _parsed(line: bytes, where: str) -> dict[str, Any]:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{where} is not UTF-8 text: {error}") from error
    content = parse_json(text, where)
    if not isinstance(content, dict):
        raise ValueError(f"{where}: expected an object, got {line[:80]!r}")
    return content


def _labels(
    found: Any, names: Sequence[str], codes: Mapping[Any, int], where: str
) -> list[int]:
    if not isinstance(found, list) or len(found) != len(names):
        size = len(found) if isinstance(found, list) else "no list of"
        raise ValueError(f"{where}: found {size} labels, expected {len(names)}")
    labels = []
    for name, label in zip(names, found):
        try:
            labels.append(codes[label])
        except (KeyError, TypeError):
            raise wrong_label(where, name, label) from None
    return labels
