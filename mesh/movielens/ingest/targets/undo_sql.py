"""The statements that undo a delivery, the same on both engines.

The log of a delivery says which rows it took out of a table and which it put in; undoing it is the
reverse. The months that an undo changes are those that its delivery changed: what differs between
before and after is the same, whichever of them comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date

from mesh.movielens.ingest.schema import CHANGED_MONTHS, DELIVERED, UNDO_LOGS, Table

Name = Callable[[Table], str]


def emptied_by_undo(logged: Collection[str], changed: Collection[str]) -> set[str]:
    """The tables that were empty before a delivery. logged: those with rows in its log. changed:
    those with changed months of it: where rows changed and none is logged, none were there."""
    return set(changed) - set(logged)


def logged_sql(name: Name, delivery: int) -> str:
    """Asks which tables have rows in the log of a delivery: rows (table)."""
    return " UNION ALL ".join(
        f"SELECT '{table.name}' AS source_table FROM {name(UNDO_LOGS[table])} "
        f"WHERE ingest_id = {delivery} GROUP BY ingest_id"
        for table in DELIVERED
    )


def months_sql(name: Name, delivery: int) -> str:
    """Asks which months a delivery changed: rows (table, month)."""
    return (
        f"SELECT source_table, reporting_month FROM {name(CHANGED_MONTHS)} "
        f"WHERE ingest_id = {delivery}"
    )


def months_by_table(rows: Iterable[tuple[str, date]]) -> dict[str, tuple[date, ...]]:
    """The months of each delivered table, ascending, of rows (table, month)."""
    found = list(rows)
    return {
        table.name: tuple(sorted(month for name, month in found if name == table.name))
        for table in DELIVERED
    }


def restore_sql(name: Name, delivery: int, emptied: Collection[str]) -> list[str]:
    """Brings the delivered tables back to before the delivery, and drops its log."""
    statements = []
    for table in DELIVERED:
        log = name(UNDO_LOGS[table])
        if table.name in emptied:
            statements.append(f"TRUNCATE TABLE {name(table)}")
            continue
        columns = ", ".join(table.column_names)
        same = " AND ".join(f"logged.{column} = present.{column}" for column in table.key)
        statements += [
            f"DELETE FROM {name(table)} AS present WHERE EXISTS (SELECT 1 FROM {log} AS logged "
            f"WHERE logged.ingest_id = {delivery} AND NOT logged.was_there AND {same})",
            f"INSERT INTO {name(table)} ({columns}) SELECT {columns} FROM {log} "
            f"WHERE ingest_id = {delivery} AND was_there",
            f"DELETE FROM {log} WHERE ingest_id = {delivery}",
        ]
    return statements


def prune_sql(name: Name, kept: Collection[int]) -> list[str]:
    """Drops the logs of all deliveries but these."""
    numbers = ", ".join(str(int(number)) for number in kept)
    return [
        f"DELETE FROM {name(log)} WHERE ingest_id NOT IN ({numbers})" for log in UNDO_LOGS.values()
    ]
