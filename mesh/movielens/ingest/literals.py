"""Texts as SQL literals for DuckDB.

Bound parameters would do, but DuckDB's Python client loads pandas for the first of them, which
takes as long as a small ingest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb


def literal(text: str) -> str:
    """The literal of a text, quoted so that nothing in it can end it."""
    return "'" + text.replace("'", "''") + "'"


def only_row(found: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    """The row of a query that has just one."""
    row = found.fetchone()
    assert row is not None
    return row


def literals(texts: Iterable[str]) -> str:
    """Several, with commas between."""
    return ", ".join(map(literal, texts))
