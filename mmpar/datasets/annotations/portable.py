"""The portable annotation: JSON lines, the schema first, then one picture a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO

import numpy as np

from mmpar.datasets.annotations.attribute_lists import column_order, wrong_label
from mmpar.datasets.annotations.files import portable_path, read_utf8
from mmpar.datasets.annotations.table import UNKNOWN, AnnotationTable
from mmpar.structures import AttributeSchema

FORMAT = "mmpar-annotation-1"


def header(dataset: str, schema: AttributeSchema) -> dict[str, Any]:
    """The first line of a file."""
    return dict(format=FORMAT, dataset=dataset, schema=schema.to_dict())


def lines_of(
    table: AnnotationTable, split: str, partition: int
) -> Iterator[dict[str, Any]]:
    """One object for each row: path, labels, split, partition, further columns."""
    for i, path in enumerate(table.paths):
        line = dict(
            path=path,
            labels=table.labels[i].tolist(),
            split=split,
            partition=partition,
        )
        for name, column in table.columns.items():
            line[name] = column[i].item() if hasattr(column[i], "item") else column[i]
        yield line


def write_lines(file: TextIO, objects: Iterable[Mapping[str, Any]]) -> None:
    """Write objects, one a line."""
    for line in objects:
        file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def read_portable(
    path: str, schema: AttributeSchema, split: str, partition: int
) -> AnnotationTable:
    """The rows of a split, labels in the order of ``schema``, matched by name.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not of that format, lacks an attribute, or has no such split.
    """
    lines = read_utf8(path).split("\n")
    found = read_schema(path, lines[0])
    if len(found) == len(schema):
        order = column_order(found, schema, path)
    else:
        order = [found.index(name) for name in schema.names]
    rows = list(_rows(path, lines, split, partition))
    if not rows:
        raise ValueError(
            f"{path} has no rows of split={split!r}, partition={partition}; it has "
            f"{sorted(_splits(path, lines))}"
        )
    labels = np.array([_labels(row, len(found), path) for row in rows], np.int8)
    known = {"path", "labels", "split", "partition"}
    columns = {
        name: np.array([row[name] for row in rows])
        for name in rows[0]
        if name not in known
    }
    paths = [portable_path(row["path"]) for row in rows]
    return AnnotationTable.of(paths, labels[:, order], columns)


def read_schema(path: str, first_line: str | None = None) -> AttributeSchema:
    """The schema in the first line."""
    line = first_line if first_line is not None else read_utf8(path).split("\n")[0]
    content = _parsed(line, path, 1)
    if content.get("format") != FORMAT:
        raise ValueError(
            f"{path}: the first line names the format {content.get('format')!r}, "
            f"expected {FORMAT!r}; write it with tools/dataset_converters/prepare.py"
        )
    return AttributeSchema(**content["schema"])


def _rows(
    path: str, lines: list[str], split: str, partition: int
) -> Iterator[dict[str, Any]]:
    wanted = ("train", "val") if split == "trainval" else (split,)
    kept: dict[str, list[dict[str, Any]]] = {part: [] for part in (*wanted, split)}
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            row = _parsed(line, path, number)
            if row.get("partition") == partition and row.get("split") in kept:
                kept[row["split"]].append(row)
    if kept[split]:
        yield from kept[split]
    else:
        for part in wanted:
            yield from kept[part]


def _splits(path: str, lines: list[str]) -> set[tuple[str, int]]:
    rows = (json.loads(line) for line in lines[1:] if line.strip())
    return {(str(row.get("split")), row.get("partition", 0)) for row in rows}


def _parsed(line: str, path: str, number: int) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}, line {number} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}, line {number}: expected an object, got {line!r}")
    return content


def _labels(row: Mapping[str, Any], count: int, path: str) -> list[int]:
    labels = row.get("labels")
    where = f"{path}, {row.get('path')}"
    if not isinstance(labels, list) or len(labels) != count:
        size = len(labels) if isinstance(labels, list) else "no list of"
        raise ValueError(f"{where}: found {size} labels, expected {count}")
    for i, label in enumerate(labels):
        if label not in (1, 0, UNKNOWN):
            raise wrong_label(where, f"number {i + 1}", label)
    return labels
