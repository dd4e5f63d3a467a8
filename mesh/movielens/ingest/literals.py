"""Values as SQL literals for DuckDB.

Bound parameters would do, but DuckDB's Python client loads pandas for the first of them, which
takes as long as a small ingest.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb


def literal(value: str | int | date | datetime) -> str:
    """The literal of one value; text is quoted, so that nothing in it can end the literal."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, datetime):
        return f"TIMESTAMPTZ '{value.isoformat()}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    return str(int(value))


def only_row(found: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    """The row of a query that has just one."""
    row = found.fetchone()
    assert row is not None
    return row


def literals(values: Iterable[str | int | date | datetime]) -> str:
    """Several, with commas between."""
    return ", ".join(literal(value) for value in values)
