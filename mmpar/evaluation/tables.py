"""Tables in the log."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.logging import MMLogger
from terminaltables import AsciiTable


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows, the first the header, as a table with all but the first column right."""
    table = AsciiTable([list(row) for row in rows])
    table.justify_columns = dict.fromkeys(range(1, len(rows[0])), "right")
    text: str = table.table
    return text


def log_table(table: str) -> None:
    """Log a table, so marked: a training keeps those of each epoch from the console."""
    MMLogger.get_current_instance().info("\n%s", table, extra=dict(is_table=True))
