"""Writes down what a delivery does to a table of the DuckDB file, row by row."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import duckdb

from mesh.movielens.ingest.schema import UNDO_LOGS, Table

# Days since 1970, by integer arithmetic: many times faster than calendar functions on time zones.
DAY = "epoch_us(timestamp) // 86400000000"


@dataclass(frozen=True)
class Log:
    """The log of one ingest, inside the caller's transaction.

    name, incoming: the full names, as SQL, of an operational table and of its staging table.
    """

    connection: duckdb.DuckDBPyConnection
    name: Callable[[Table], str]
    incoming: Callable[[Table], str]
    ingest_id: int

    def replaced(self, table: Table, days: Collection[int] | None = None) -> None:
        """The rows that a table and its staged successor have not in common.

        days: the days (since 1970) to which they belong, where the table has a time.
        """
        if days is not None and not days:
            return
        # As a subquery the days are joined; a list of thousands is looked through row by row.
        listed = ", ".join(map(str, sorted(days or ())))
        where = f"WHERE {DAY} IN (SELECT unnest([{listed}]))" if days else ""
        columns = ", ".join(table.column_names)
        self._insert(
            table,
            f"surplus > 0, {columns} FROM (SELECT {columns}, sum(weight) AS surplus FROM ("
            f"SELECT {columns}, 1 AS weight FROM {self.name(table)} {where} UNION ALL "
            f"SELECT {columns}, -1 AS weight FROM {self.incoming(table)} {where}) "
            f"GROUP BY {columns} HAVING sum(weight) <> 0)",
        )

    def upserted(self, table: Table) -> None:
        """The rows of the temporary table `upserted`, and those in whose place they come."""
        self._insert(table, f"false, {', '.join(table.column_names)} FROM upserted")
        values = ", ".join((*table.key, *(f"old_{name}" for name in table.values)))
        self._insert(table, f"true, {values} FROM upserted WHERE was_there")

    def _insert(self, table: Table, selected: str) -> None:
        self.connection.execute(
            f"INSERT INTO {self.name(UNDO_LOGS[table])} SELECT {self.ingest_id}, {selected}"
        )
