"""The operational tables in a DuckDB file: everything happens in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from mesh.database import cannot_open
from mesh.errors import Location, WrongUse
from mesh.files.scratch import scratch
from mesh.movielens.ingest.history import READ_COLUMNS, Entry, History
from mesh.movielens.ingest.lake import Lake
from mesh.movielens.ingest.literals import literal, literals, only_row
from mesh.movielens.ingest.schema import (
    ALL_TABLES,
    CHANGED_MONTHS,
    DELIVERED,
    INGESTS,
    REJECTED_LINES,
    SCHEMA,
    Table,
    add_columns_sql,
    create_table_sql,
)
from mesh.movielens.ingest.stage import REJECTED, Stage
from mesh.movielens.ingest.targets import duckdb_changes
from mesh.movielens.ingest.targets.base import Published, Record
from mesh.movielens.ingest.targets.undo_sql import (
    emptied_by_undo,
    logged_sql,
    months_by_table,
    months_sql,
    prune_sql,
    restore_sql,
)

CATALOG = "mesh"
MEMORY_LIMIT = "3GB"


def _name(table: Table) -> str:
    return f"{CATALOG}.{SCHEMA}.{table.name}"


def _incoming(table: Table) -> str:
    return f"{CATALOG}.{SCHEMA}.{table.name}_incoming"


class DuckDBTarget:
    """The local DuckDB file; it is created in the newest storage format when missing."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.connection: duckdb.DuckDBPyConnection

    @contextmanager
    def session(self) -> Iterator[DuckDBTarget]:
        """Open the file in one transaction, which is rolled back unless `publish` commits it."""
        fresh = not self.database.exists()
        done = False
        with (
            scratch("mesh-duckdb") as spill,
            duckdb.connect(
                config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(spill)}
            ) as con,
        ):
            self.connection = con
            con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
            # The commit is a checkpoint, which lasts from one write of the file's header on. DuckDB
            # 1.5 keeps of a log that was cut off while it was written the rows of large inserts.
            con.execute(
                "SET checkpoint_threshold = '1B'; SET auto_checkpoint_skip_wal_threshold = 0"
            )
            self._attach()
            try:
                self._begin()
                yield self
                done = True
            finally:
                with suppress(duckdb.Error):
                    con.execute("ROLLBACK")
                with suppress(duckdb.Error):
                    con.execute(f"DETACH {CATALOG}")
                if fresh and not done:
                    self._remove()

    def _attach(self) -> None:
        self.database.parent.mkdir(parents=True, exist_ok=True)
        path = literal(str(self.database))
        try:
            # Told the type, DuckDB does not download what it would need for another.
            self.connection.execute(
                f"ATTACH {path} AS {CATALOG} (TYPE duckdb, STORAGE_VERSION 'latest')"
            )
        except duckdb.Error as error:
            raise cannot_open(self.database, error) from error

    def _begin(self) -> None:
        self.connection.execute("BEGIN")
        self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {CATALOG}.{SCHEMA}")
        for table in ALL_TABLES:
            self.connection.execute(
                create_table_sql(table, "duckdb", _name(table), guard="IF NOT EXISTS")
            )
            self._check_shape(table)

    def _check_shape(self, table: Table) -> None:
        """A table that someone else made is not touched; one of an older version of this project
        gets the columns that came later."""
        if not self._count(
            f"duckdb_tables() WHERE database_name = '{CATALOG}' AND schema_name = '{SCHEMA}' "
            f"AND table_name = '{table.name}'"
        ):
            raise WrongUse(
                f"{SCHEMA}.{table.name} is a view, not a table.",
                where=Location(self.database),
                fix="Let MESH_DUCKDB name another file, or drop that view.",
            )
        described = self.connection.execute(f"DESCRIBE {_name(table)}").fetchall()
        shape = [(name, kind) for name, kind, *_ in described]
        if shape == table.older_shape("duckdb"):
            for statement in add_columns_sql(table, "duckdb", _name(table)):
                self.connection.execute(statement)
            return
        expected = table.shape("duckdb")
        if shape != expected:
            raise WrongUse(
                f"the table {SCHEMA}.{table.name} has other columns than "
                f"{', '.join(f'{name} {kind}' for name, kind in expected)}.",
                where=Location(self.database),
                fix="Let MESH_DUCKDB name another file, or move that table away.",
            )

    def _remove(self) -> None:
        """A file that did not exist before a failed ingest does not exist after it."""
        for path in (self.database, Path(f"{self.database}.wal")):
            path.unlink(missing_ok=True)

    def history(self) -> History:
        """All ingests so far, and how many rows the tables have."""
        rows = self.connection.execute(
            f"SELECT {', '.join(READ_COLUMNS)} FROM {_name(INGESTS)} ORDER BY ingest_id"
        ).fetchall()
        return History(tuple(Entry.of(row) for row in rows), self._rows_now())

    def _rows_now(self) -> dict[str, int]:
        return {table.name: self._count(_name(table)) for table in DELIVERED}

    def _count(self, relation: str) -> int:
        return only_row(self.connection.execute(f"SELECT count(*) FROM {relation}"))[0]

    def stage(self, mode: str) -> Stage:
        """Staging tables beside the operational ones, in the same transaction."""
        if mode == "append":
            self.connection.execute(
                "CREATE OR REPLACE TEMP TABLE known_movies AS "
                f"SELECT movieId FROM {CATALOG}.{SCHEMA}.movies"
            )
        return Stage(self.connection, _incoming, lambda: self._restart(mode))

    def _restart(self, mode: str) -> None:
        self.connection.execute("ROLLBACK")
        self._begin()
        self.stage(mode)

    def publish(self, stage: Stage, record: Record) -> Published:
        """Put the staged rows in place. The caller commits."""
        con = self.connection
        history = self.history()
        ingest_id = history.newest_id + 1
        work = duckdb_changes.Changes(con, _name, _incoming, ingest_id)
        months = work.snapshot() if record.mode == "snapshot" else work.append()
        con.execute(
            f"INSERT INTO {_name(REJECTED_LINES)} SELECT {ingest_id}, * FROM {REJECTED} "
            "ORDER BY file, line_number"
        )
        for statement in prune_sql(_name, history.kept_with(ingest_id)):
            con.execute(statement)
        return self._record(Published(ingest_id, months), record)

    def undo(self, delivery: Entry, record: Record) -> Published:
        """Take a delivery out again. The caller commits."""
        con, number = self.connection, delivery.ingest_id
        logged = {row[0] for row in con.execute(logged_sql(_name, number)).fetchall()}
        months = months_by_table(con.execute(months_sql(_name, number)).fetchall())
        changed = {name for name, some in months.items() if some}
        for statement in restore_sql(_name, number, emptied_by_undo(logged, changed)):
            con.execute(statement)
        return self._record(Published(self.history().newest_id + 1, months), record)

    def _record(self, published: Published, record: Record) -> Published:
        """Write down the ingest and the months it changed; the tables are already as it left
        them."""
        rows = [
            f"({literals((published.ingest_id, table, month))})"
            for table, changed in published.months.items()
            for month in changed
        ]
        if rows:
            self.connection.execute(f"INSERT INTO {_name(CHANGED_MONTHS)} VALUES {', '.join(rows)}")
        totals = [record.total(what) for what in ("read", "loaded", "rejected")]
        loaded = [record.counts[table.name].loaded for table in DELIVERED]
        ingest_id = published.ingest_id
        values: tuple[Any, ...] = (
            ingest_id,
            record.source,
            record.checksum,
            record.mode,
            *totals,
            *loaded,
        )
        months = literals(published.changed_months)
        times = literals((record.started_at, datetime.now(UTC)))
        after = literals(self._rows_now().values())
        undoes = "NULL" if record.undoes is None else literal(record.undoes)
        self.connection.execute(
            f"INSERT INTO {_name(INGESTS)} VALUES "
            f"({literals(values)}, [{months}]::DATE[], {times}, {after}, {undoes})"
        )
        return published

    def export(self, lake: Lake) -> None:
        """Write the operational tables, as they will be after the commit."""
        lake.write(self.connection, _name)

    def commit(self) -> None:
        """Make it last."""
        self.connection.execute("COMMIT")
