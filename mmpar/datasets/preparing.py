"""From a release to one portable annotation file, resumable and atomic."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mmpar.datasets.annotations.files import read_bytes
from mmpar.datasets.annotations.portable import header_line, row_lines
from mmpar.datasets.release import ReleaseDataset
from mmpar.registry import DATASETS

FILE_NAME = "annotation.jsonl"
_ROWS_A_REPORT = 1_000

Report = Callable[[str, int, int], None]
"""Called with the part's name, rows written of it, rows in all."""


def release_classes() -> dict[str, type[ReleaseDataset]]:
    """Names to the classes that read a release."""
    return {
        name: kind
        for name, kind in DATASETS.module_dict.items()
        if isinstance(kind, type) and issubclass(kind, ReleaseDataset)
    }


def splits_of(kind: type[ReleaseDataset]) -> list[str]:
    """Without ``trainval`` where it is only train and val."""
    return [s for s in kind.SPLITS if s != "trainval" or "train" not in kind.SPLITS]


def prepare(
    kind: type[ReleaseDataset],
    partitions: Iterable[int],
    out_dir: str,
    report: Report = lambda part, done, total: None,
    split: str = "",
    **kwargs: Any,
) -> Path:
    """Write every split of some partitions to ``out_dir/annotation.jsonl``.

    Each split is finished on its own, so that a run that was stopped goes on where it
    was; the file appears only when it is whole. Splits that were finished before their
    annotation file changed are written anew.

    Args:
        kind: The class that reads the release.
        partitions: Which partitions.
        out_dir: Folder to write to.
        report: For progress.
        split: Only this one; a list of one split does not say which it is.
        kwargs: As for the class: ``data_root``, ``ann_file``, ``schema``, ...

    Returns:
        The file.

    Raises:
        ValueError: A list of one split is given without ``split``.
        ValueError, FileNotFoundError: As the class does for a faulty release.
    """
    out = Path(out_dir)
    splits = [split] if split else _all_splits(kind, kwargs.get("ann_file", ""))
    parts = [(name, number) for number in partitions for name in splits]
    unfinished = out / ".unfinished"
    _begin(unfinished, kind, kwargs)
    schema = None
    files = []
    for part in parts:
        name, number = part
        dataset = kind(split=name, partition=number, lazy_init=True, **kwargs)
        schema = dataset.schema
        stamp = _stamp(dataset.annotation_file())
        file = unfinished / f"{name}-{number}-{stamp}.jsonl"
        files.append(file)
        if not file.exists():
            _write_part(file, dataset, part, report)
    if schema is None:
        raise ValueError("no partition is given; there is nothing to write")
    whole = unfinished / FILE_NAME
    with whole.open("w", encoding="utf-8") as target:
        target.write(header_line(kind.METAINFO["dataset_name"], schema, parts))
        for file in files:
            with file.open(encoding="utf-8") as source:
                shutil.copyfileobj(source, target)
    os.replace(whole, out / FILE_NAME)
    shutil.rmtree(unfinished)
    return out / FILE_NAME


def _all_splits(kind: type[ReleaseDataset], ann_file: str) -> list[str]:
    splits = splits_of(kind)
    if kind.holds_one_split(ann_file):
        raise ValueError(
            f"{ann_file} holds one split and does not say which; each of {splits} "
            f"would get the same pictures. Name it: --split {splits[0]}"
        )
    return splits


def _begin(folder: Path, kind: type[ReleaseDataset], kwargs: dict[str, Any]) -> None:
    """Make the folder of parts; throw away those of another job."""
    job = json.dumps([kind.__name__, kwargs], default=str, sort_keys=True)
    note = folder / "job.json"
    if folder.exists() and (not note.exists() or note.read_text() != job):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    note.write_text(job)


def _stamp(ann_file: str) -> str:
    """Of the content, as a file may change within one tick of the clock."""
    return hashlib.sha1(read_bytes(ann_file)).hexdigest()[:16]


def _write_part(
    file: Path, dataset: ReleaseDataset, part: tuple[str, int], report: Report
) -> None:
    dataset.full_init()
    name, total = f"{part[0]} {part[1]}", len(dataset)
    begun = file.with_suffix(".begun")
    with begun.open("w", encoding="utf-8") as target:
        for i, line in enumerate(row_lines(dataset.table, *part)):
            target.write(line)
            if i % _ROWS_A_REPORT == 0:
                report(name, i, total)
    os.replace(begun, file)
    report(name, total, total)
