"""From a release or lists to one portable annotation file, resumable and atomic."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmpar.datasets.base import PARDataset
from mmpar.datasets.formats.files import read_bytes
from mmpar.datasets.formats.openmmlab_json import (
    header_line,
    read_header,
    row_lines,
    rows_of,
)
from mmpar.datasets.sources import Part, find_parts
from mmpar.structures import AttributeSchema

FILE_NAME = "annotation.jsonl"
_ROWS_A_REPORT = 1_000

Report = Callable[[str, int, int], None]
"""Called with the part's name, rows written of it, rows in all."""

_Key = tuple[str, int]  # split, partition


def prepare(
    kind: type[PARDataset],
    partitions: Sequence[int],
    out_dir: str,
    report: Report = lambda part, done, total: None,
    split: str = "",
    ann_file: str | Sequence[str] = (),
    **kwargs: Any,
) -> Path:
    """Write the splits that a dataset has to ``out_dir/annotation.jsonl``.

    Each split is finished on its own, so that a run that was stopped goes on where it
    was; the file appears only when it is whole. Splits that were finished before their
    annotation file changed are written anew. What the file has of former runs stays.

    Args:
        kind: The class that reads the release or the lists.
        partitions: Which partitions; lists have the one, 0.
        out_dir: Folder to write to.
        report: For progress.
        split: Only this one; a list of one split may not say which it is.
        ann_file: The annotation file, or several lists.
        kwargs: As for the class: ``data_root``, ``schema``, ``missing_images``, ...

    Returns:
        The file.

    Raises:
        ValueError: There is no such split or partition, or ``split`` is needed; splits
            have different attributes; or the file is there and has other attributes, or
            other rows of one of the splits.
        ValueError, FileNotFoundError: As the class does for a faulty annotation.
    """
    files = [ann_file] if isinstance(ann_file, str) else list(ann_file)
    files = [file for file in files if file]
    parts = find_parts(kind, files, partitions, split, must_be_named=True, **kwargs)
    if not parts:
        raise ValueError("no partition is given; there is nothing to write")
    out = Path(out_dir)
    schema = _common_schema(parts)
    title = kind.METAINFO.get("dataset_name", kind.__name__)
    held = _held(out / FILE_NAME, schema, title)
    unfinished = out / ".unfinished"
    _begin(unfinished, parts)
    written = {(p.split, p.partition): _written(unfinished, p, report) for p in parts}
    _refuse_changes(out / FILE_NAME, held, written)
    whole = unfinished / FILE_NAME
    with whole.open("wb") as target:
        target.write(header_line(title, schema, list({**held, **written})).encode())
        for key in {**held, **written}:
            target.write(held[key] if key in held else written[key].read_bytes())
    os.replace(whole, out / FILE_NAME)
    shutil.rmtree(unfinished)
    return out / FILE_NAME


def _common_schema(parts: Sequence[Part]) -> AttributeSchema:
    first = parts[0].open(lazy_init=True)
    for part in parts[1:]:
        schema = part.open(lazy_init=True).schema
        if schema.names != first.schema.names:
            raise ValueError(
                f"{parts[0].split} and {part.split} have different attributes: "
                f"{list(first.schema.names)} and {list(schema.names)}"
            )
    return first.schema


def _held(file: Path, schema: AttributeSchema, title: str) -> dict[_Key, bytes]:
    """The rows that a file of a former run has, by part.

    Raises:
        ValueError: They are of another dataset or have other attributes.
    """
    if not file.exists():
        return {}
    content = file.read_bytes()
    header = read_header(str(file), content)
    if (header.dataset, header.schema.names) != (title, schema.names):
        raise ValueError(
            f"{file} exists and is of {header.dataset} with {len(header.schema)} "
            f"attributes, not of {title} with these {len(schema)}; give another --out, "
            "or delete it"
        )
    rows: dict[_Key, list[bytes]] = {tuple(part): [] for part in header.parts}
    for part, line in rows_of(str(file), content):
        rows[part].append(line.rstrip(b"\n") + b"\n")
    return {key: b"".join(lines) for key, lines in rows.items()}


def _refuse_changes(
    file: Path, held: Mapping[_Key, bytes], written: Mapping[_Key, Path]
) -> None:
    changed = [
        key
        for key, part in written.items()
        if key in held and part.read_bytes() != held[key]
    ]
    if changed:
        raise ValueError(
            f"{file} exists and has other rows of {changed} (split, partition); to "
            "replace them delete it, to keep both give another --out or --split"
        )


def _begin(folder: Path, parts: Sequence[Part]) -> None:
    """Make the folder of parts; throw away those of another job."""
    fields = [(p.split, p.partition, p.kind.__name__, dict(p.kwargs)) for p in parts]
    job = json.dumps(fields, default=repr, sort_keys=True)
    note = folder / "job.json"
    if folder.exists() and (not note.exists() or note.read_text() != job):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    note.write_text(job)


def _written(folder: Path, part: Part, report: Report) -> Path:
    """The file of a part, which a former run may have finished."""
    dataset = part.open(lazy_init=True)
    # Of the content, as a file may change within one tick of the clock.
    stamp = hashlib.sha1(read_bytes(dataset.ann_file)).hexdigest()[:16]
    called = hashlib.sha1(part.split.encode()).hexdigest()[:8]
    file = folder / f"{called}-{part.partition}-{stamp}.jsonl"
    if not file.exists():
        _write(file, dataset, part, report)
    return file


def _write(file: Path, dataset: PARDataset, part: Part, report: Report) -> None:
    dataset.full_init()
    name, total = f"{part.split} {part.partition}", len(dataset)
    begun = file.with_suffix(".begun")
    with begun.open("w", encoding="utf-8") as target:
        for i, line in enumerate(row_lines(dataset.table, part.split, part.partition)):
            target.write(line)
            if i % _ROWS_A_REPORT == 0:
                report(name, i, total)
    os.replace(begun, file)
    report(name, total, total)
