"""OpenMMLab 2.0 annotation files, which prepare.py writes and every class reads."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mmpar.datasets.formats.annotation import COLUMNS, Annotation, AnnotationTable
from mmpar.datasets.formats.files import (
    Number,
    entry,
    log_once,
    parse_json,
    portable_path,
    read_json,
    read_utf8,
    texts,
)
from mmpar.datasets.formats.lists import Row, named_columns, partitions_of
from mmpar.structures.attribute_schema import composed

_LABELS = ("gt_label", "gt_score")
_SEPARATORS = (",", ":")


def read_openmmlab(path: str) -> Annotation:
    """Read an annotation file of OpenMMLab 2.0, as ``MultiLabelDataset`` has it.

    ::

        {"metainfo": {"classes": ["Hat", "Boots"],
                      "schema": {"groups": {"head": ["Hat"], "foot": ["Boots"]}}},
         "data_list": [
          {"img_path": "a.jpg", "gt_label": [0], "split": "train", "person_id": 7},
          {"img_path": "b.jpg", "gt_score": [1, null], "split": "val"}]}

    ``gt_label`` lists the positions of the attributes present, all others are absent.
    ``gt_score`` has a label for each attribute, so that some can be unknown. Where no
    image has either, and ``classes`` is empty, the file is for prediction. The further
    entries of the images are columns if all images have them, of one kind: numbers,
    text, or as many numbers; those of ``COLUMNS`` may be missing in some. ``split`` and
    the number ``partition`` say where an image belongs. ``schema`` may be left out.

    The two forms that mmpar had before are read, too: ``attributes`` and ``images``
    with ``path`` and ``labels`` in place of the names above, and see
    :func:`read_json_lines`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not JSON, or not of that form.
    """
    return annotation_of(read_json(path), path)


def annotation_of(content: Any, path: str) -> Annotation:
    """The annotation that the content of such a file is."""
    if isinstance(content, dict) and "metainfo" not in content:
        content = _from_json_list(content, path)
    metainfo = entry(content, "metainfo", dict, path)
    data_list = entry(content, "data_list", list, path)
    return _annotation(metainfo, data_list, path, lambda i: f"{path}, data_list[{i}]")


def _annotation(
    metainfo: Any,
    data_list: Sequence[Any],
    path: str,
    place: Callable[[int], str],
    lines: np.ndarray | None = None,
) -> Annotation:
    """The annotation of a file; ``place`` gives that of an image, for errors."""
    where = f"{path}, metainfo"
    names = [composed(name) for name in texts(metainfo, "classes", where)]
    further = {name: None for one in data_list if isinstance(one, dict) for name in one}
    columns = [n for n in further if n not in ("img_path", *_LABELS, *names)]
    known = [name for name in columns if name in COLUMNS]
    annotation = named_columns(
        path,
        [*names, *known],
        _rows(data_list, names, known, place),
        names,
        schema_fields=_schema_fields(metainfo, where),
        lines=lines,
    )
    others = {n: _column(n, data_list) for n in columns if n not in COLUMNS}
    unread = [name for name, column in others.items() if column is None]
    if unread:
        log_once(
            f"{path}: the entries {unread} do not have one type in all images (number, "
            "text, or lists of equally many numbers), and are not read"
        )
    read = {name: column for name, column in others.items() if column is not None}
    found = {**annotation.columns, **read}
    numbers = found.get("partition")
    if numbers is not None and numbers.dtype.kind == "i" and "split" in found:
        del found["partition"]
    else:
        numbers = None
    partitions = partitions_of(found, numbers)
    return replace(annotation, columns=found, partitions=partitions)


def _schema_fields(metainfo: Any, where: str) -> dict[str, Any]:
    """What the file says of its schema beside names and title."""
    fields = (
        dict(entry(metainfo, "schema", dict, where)) if "schema" in metainfo else {}
    )
    if "groups" in fields:
        groups = entry(fields, "groups", dict, f"{where}, schema")
        where = f"{where}, groups"
        fields["groups"] = {
            name: [composed(one) for one in texts(groups, name, where)]
            for name in groups
        }
    return {n: value for n, value in fields.items() if n not in ("names", "title")}


def _rows(
    data_list: Sequence[Any],
    names: Sequence[str],
    columns: Sequence[str],
    place: Callable[[int], str],
) -> Iterator[Row]:
    for i, image in enumerate(data_list):
        name = entry(image, "img_path", str, place(i))
        where = f"{place(i)} ({name})"
        labels = _labels(image, names, where)
        cells = [_cell(image, column, where) for column in columns]
        yield Row(i + 1, portable_path(name), [*labels, *cells])


def _labels(image: Mapping[str, Any], names: Sequence[str], where: str) -> list[Any]:
    given = [name for name in _LABELS if image.get(name) is not None]
    if not names and not given:
        return []
    if len(given) != 1:
        raise ValueError(
            f"{where}: found the labels {given}, expected either 'gt_score', a label "
            "per attribute, or 'gt_label', the positions of those present"
        )
    found = entry(image, given[0], list, where)
    if given[0] == "gt_label":
        wrong = [
            one for one in found if type(one) is not int or not 0 <= one < len(names)
        ]
        if wrong:
            raise ValueError(
                f"{where}: 'gt_label' holds {wrong[0]!r}, expected positions of "
                f"attributes from 0 to {len(names) - 1}"
            )
        labels: list[Any] = [0] * len(names)
        for place in found:
            labels[place] = 1
        return labels
    if len(found) != len(names):
        raise ValueError(
            f"{where}: found {len(found)} labels, expected {len(names)}, one for each "
            "attribute"
        )
    return [None if label != label else label for label in found]


def _cell(image: Mapping[str, Any], name: str, where: str) -> Any:
    """The cell of a column; None where it has no value."""
    value = image.get(name)
    if value is None or value != value:
        return None
    return entry(image, name, (*Number, str), where)


def _column(name: str, data_list: Sequence[Any]) -> np.ndarray | None:
    """Text, numbers, or lists of as many numbers; None if images differ in kind."""
    values = [image.get(name) for image in data_list]
    kinds = {_kind(value) for value in values}
    return np.array(values) if len(kinds) == 1 and kinds != {None} else None


def _kind(value: Any) -> Any:
    if isinstance(value, list):
        return (list, len(value)) if all(isinstance(v, Number) for v in value) else None
    if isinstance(value, str):
        return str
    return float if isinstance(value, Number) else None


# --- forms of before ------------------------------------------------------------------


def _from_json_list(content: dict[str, Any], path: str) -> dict[str, Any]:
    """``attributes``, ``groups`` and ``images`` as an OpenMMLab file has them."""
    if "attributes" not in content and "images" not in content:
        raise ValueError(
            f"{path}: expected an object with 'metainfo' and 'data_list', found the "
            f"entries {sorted(content)[:8]}"
        )
    names = [composed(name) for name in texts(content, "attributes", path)]
    images = entry(content, "images", list, path)
    schema = {"groups": content["groups"]} if "groups" in content else {}
    data_list = [
        _from_image(image, names, f"{path}, images[{i}]")
        for i, image in enumerate(images)
    ]
    return dict(metainfo=dict(classes=names, schema=schema), data_list=data_list)


def _from_image(image: Any, names: Sequence[str], where: str) -> dict[str, Any]:
    path = entry(image, "path", str, where)
    labels = image.get("labels")
    if isinstance(labels, dict):
        named = {composed(name): label for name, label in labels.items()}
        unknown = [name for name in named if name not in names]
        if unknown:
            raise ValueError(
                f"{where} ({path}): labels for {unknown}, which are not in "
                f"'attributes' {list(names)}"
            )
        labels = [named.get(name) for name in names]
    known = {name: image[name] for name in COLUMNS if name in image}
    return dict(
        known, img_path=path, **({} if labels is None else {"gt_score": labels})
    )


def read_json_lines(path: str) -> Annotation:
    """Read what mmpar wrote before as ``annotation.jsonl``.

    The first line is the schema, each other an image with ``path``, ``labels``,
    ``split``, ``partition`` and columns.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not of that form.
    """
    lines = enumerate(read_utf8(path).split("\n"), start=1)
    found = ((number, line) for number, line in lines if line.strip())
    number, line = next(found, (1, "{}"))
    where = f"{path}, line {number}"
    first = parse_json(line, where)
    if not isinstance(first, dict) or first.get("format") != "mmpar-annotation-1":
        raise ValueError(
            f"{where} does not name the format 'mmpar-annotation-1'; write the file "
            "with tools/dataset_converters/prepare.py"
        )
    schema = entry(first, "schema", dict, where)
    metainfo = dict(classes=texts(schema, "names", where), schema=schema)
    numbers, data_list = array("q"), []
    for number, line in found:
        numbers.append(number)
        data_list.append(_from_line(line, f"{path}, line {number}"))
    return _annotation(
        metainfo,
        data_list,
        path,
        lambda i: f"{path}, line {numbers[i]}",
        np.array(numbers),
    )


def _from_line(line: str, where: str) -> dict[str, Any]:
    image = parse_json(line, where)
    entry(image, "path", str, where)
    entry(image, "labels", list, where)
    new = {"path": "img_path", "labels": "gt_score", "person_box": "bbox"}
    return {new.get(name, name): value for name, value in image.items()}


# --- writing --------------------------------------------------------------------------


def openmmlab_text(
    metainfo: Mapping[str, Any],
    tables: Iterable[tuple[str, int, AnnotationTable]],
) -> Iterator[str]:
    """An OpenMMLab 2.0 annotation file, one line per image.

    Labels are ``gt_label`` in a file without unknown ones, else ``gt_score``.

    Args:
        metainfo: As of the dataset.
        tables: Split, partition and rows of each part.

    Raises:
        ValueError: A column has the name of an entry, and says something else.
    """
    tables = list(tables)
    are_known = all((table.labels >= 0).all() for _, _, table in tables)
    yield f'{{"metainfo":{_dumps(metainfo)},\n"data_list":['
    separator = "\n"
    for split, partition, table in tables:
        fixed = dict(split=split, partition=partition)
        _require_free(table, fixed)
        columns = {n: c.tolist() for n, c in table.columns.items() if n not in fixed}
        for i, path in enumerate(table.paths):
            row = table.labels[i]
            labels = (
                {"gt_label": np.flatnonzero(row).tolist()}
                if are_known
                else {"gt_score": row.tolist()}
            )
            more = {name: column[i] for name, column in columns.items()}
            yield separator + _dumps(dict(img_path=path, **labels, **fixed, **more))
            separator = ",\n"
    yield "\n]}\n"


def _require_free(table: AnnotationTable, fixed: Mapping[str, Any]) -> None:
    for name in [*fixed, "img_path", *_LABELS]:
        if name in table.columns:
            others = {*table.columns[name].tolist()} - {fixed.get(name)}
            if others:
                raise ValueError(
                    f"the column {name!r} holds {sorted(others, key=str)[:5]} in rows "
                    f"that are written as {name}={fixed.get(name)!r}; rename the column"
                )


def _dumps(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=_SEPARATORS)
