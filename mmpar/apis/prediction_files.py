"""Answers as files, JSON lines, CSV or Parquet, all made of the same lines of JSON."""

from __future__ import annotations

import csv
import importlib.util
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from mmpar.structures.image_quality import ImageQuality
from mmpar.structures.par_result import PARResult, json_text

PLACE = ("img_path", "id", "x1", "y1", "x2", "y2", "error")
"""First columns of CSV and Parquet: whose row it is."""

_FIELDS: dict[str, Any] = dict(
    img_path=(str, type(None)),
    id=(int, type(None)),
    box=(list, type(None)),
    error=(str, type(None)),
    present=list,
    **dict.fromkeys(("scores", "texts", "answers", "reasons", "quality"), dict),
)
"""What a row is read for, and its type."""

Columns = Sequence[tuple[str, str]]
"""Kind of the columns after those, and the attribute or measure."""
Write = Callable[[Iterable[Path], Path, Columns], None]
"""From files of lines to one file."""


def line_of(result: PARResult, person_id: int | None) -> bytes:
    """A result as a line of JSON, with the id that its box has.

    Bytes of a file name that are not UTF-8 are escapes, as of ``PARResult.to_json``.
    """
    found = result.to_dict()
    row = dict(img_path=found.pop("img_path"), id=person_id, **found)
    return json_text(row).encode() + b"\n"


def read_lines(file: Path) -> list[dict[str, Any]]:
    """The rows of a file of such lines.

    Raises:
        ValueError: A line is of another form.
    """
    with file.open("rb") as lines:
        return [_row(line, f"{file}, line {i}") for i, line in enumerate(lines, 1)]


def _row(line: bytes, where: str) -> dict[str, Any]:
    try:
        row: dict[str, Any] = json.loads(line)
        whole = all(isinstance(row[name], kinds) for name, kinds in _FIELDS.items())
        whole = whole and len(row["box"] or range(4)) == 4
        whole = whole and all(isinstance(name, str) for name in row["present"])
    except (ValueError, LookupError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise ValueError(
            f"{where}: {line[:60]!r} is no answer as mmpar writes it; delete the file "
            "to have its images answered again"
        )
    return row


def answer_columns(
    names: Iterable[str], abstain: bool, texts: Iterable[str] = ()
) -> Columns:
    """Scores of all attributes, then decisions, what abstaining adds, and texts.

    >>> [":".join(column) for column in answer_columns(["Hat", "Bag"], abstain=False)]
    ['score:Hat', 'score:Bag', 'decision:Hat', 'decision:Bag']
    """
    kinds = ("score", "decision", *(("answer", "reason") if abstain else ()))
    columns = [(kind, name) for kind in kinds for name in names]
    measures = [field.name for field in fields(ImageQuality)] if abstain else []
    columns += [("quality", name) for name in measures]
    return columns + [("text", text) for text in texts]


def writer_of(out: str | Path) -> Write:
    """What writes a file with this ending.

    Raises:
        ModuleNotFoundError: It needs a library that is not installed.
        ValueError: There is none.
    """
    ending = Path(out).suffix.lower()
    if ending not in _WRITERS:
        raise ValueError(
            f"{out}: answers are written to files that end in {', '.join(_WRITERS)}"
        )
    if ending == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ModuleNotFoundError(
            f"{out}: Parquet files are written by pyarrow, which is not installed: pip "
            "install pyarrow, or write .jsonl or .csv"
        )
    return _WRITERS[ending]


def _write_json_lines(parts: Iterable[Path], out: Path, columns: Columns) -> None:
    """One object a line, with everything that the results say."""
    with out.open("wb") as whole:
        for part in parts:
            with part.open("rb") as lines:
                shutil.copyfileobj(lines, whole)


def _write_csv(parts: Iterable[Path], out: Path, columns: Columns) -> None:
    """One row per person; spreadsheets take it for UTF-8 by its byte order mark."""
    with out.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow([*PLACE, *map(":".join, columns)])
        for part in parts:
            writer.writerows(_table_rows(part, columns))


def _write_parquet(parts: Iterable[Path], out: Path, columns: Columns) -> None:
    """The columns of CSV with their types; each part is a row group."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    numbers = ("x1", "y1", "x2", "y2", "score", "quality", "text")
    types = dict(id=pa.int64(), decision=pa.int8())
    types.update(dict.fromkeys(numbers, pa.float64()))
    named = [(name, types.get(name, pa.string())) for name in PLACE]
    named += [
        (f"{kind}:{name}", types.get(kind, pa.string())) for kind, name in columns
    ]
    schema = pa.schema(named)
    with ParquetWriter(out, schema) as writer:
        for part in parts:
            values = zip(*_table_rows(part, columns))
            arrays = [pa.array(v, kind) for v, kind in zip(values, schema.types)]
            if arrays:
                writer.write_table(pa.table(arrays, schema=schema))


_WRITERS: dict[str, Write] = {
    ".jsonl": _write_json_lines,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
"""By the ending of the file."""


def _table_rows(part: Path, columns: Columns) -> Iterator[list[Any]]:
    """The values of all columns, None where there is none."""
    for row in read_lines(part):
        box = row["box"] or [None] * 4
        place = [_text(row["img_path"]), row["id"], *box, _text(row["error"])]
        decisions = dict.fromkeys(row["scores"], 0)
        decisions.update(dict.fromkeys(row["present"], 1))
        values = dict(
            score=row["scores"],
            decision=decisions,
            answer=row["answers"],
            reason=row["reasons"],
            quality=row["quality"],
            text=row["texts"],
        )
        yield place + [_text(values[kind].get(name)) for kind, name in columns]


def _text(value: Any) -> Any:
    """The same value; of a text, what is not UTF-8 becomes escapes, as in JSON."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "backslashreplace").decode()
