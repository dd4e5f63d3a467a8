"""The operational tables in a DuckDB file: everything happens in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from mesh.database import cannot_open
from mesh.errors import Location, WrongUse
from mesh.files.scratch import scratch
from mesh.movielens.ingest.history import History
from mesh.movielens.ingest.lake import Lake
from mesh.movielens.ingest.literals import literal, only_row
from mesh.movielens.ingest.schema import (
    ALL_TABLES,
    DELIVERED,
    MOVIES,
    REJECTED_LINES,
    SCHEMA,
    Table,
    create_table_sql,
)
from mesh.movielens.ingest.stage import REJECTED, Stage
from mesh.movielens.ingest.targets.base import Target
from mesh.movielens.ingest.targets.statements import Engine

CATALOG = "mesh"
MEMORY_LIMIT = "3GB"
ENGINE = Engine(
    dialect="duckdb",
    # Without its zone: many times faster than calendar functions on time zones.
    day="make_timestamp(epoch_us({}))::DATE",
    month="date_trunc('month', {})::DATE",
    number="TRY_CAST(regexp_extract({}, '^[^0-9]*([0-9]+)', 1) AS DECIMAL(38, 0))",
    matches="regexp_matches({}, '{}')",
    mix="bit_xor(hash({}))",
    place="incoming.rowid",
    working="TEMP TABLE",
    exchange=("DROP TABLE {table}", "ALTER TABLE {staged} RENAME TO {short}"),
    source=literal,
)


def _incoming(table: Table) -> str:
    return f"{CATALOG}.{SCHEMA}.{table.name}_incoming"


class DuckDBTarget(Target):
    """The local DuckDB file; it is created in the newest storage format when missing."""

    engine = ENGINE

    def __init__(self, database: Path) -> None:
        self.database = database
        self.past = History()
        self.connection: duckdb.DuckDBPyConnection

    @contextmanager
    def session(self) -> Iterator[DuckDBTarget]:
        """Open the file in one transaction, which is rolled back unless it is committed."""
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
                # After a signal its other threads go on with a query, and this would wait for them.
                con.interrupt()
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
            self.connection.execute(create_table_sql(table, "duckdb", self.name(table)))
            self._check_shape(table)

    def _check_shape(self, table: Table) -> None:
        """A table that someone else made is not touched; one of an older version of this project
        gets the columns that came later."""
        if not only_row(
            self.connection.execute(
                f"SELECT count(*) FROM duckdb_tables() WHERE database_name = '{CATALOG}' "
                f"AND schema_name = '{SCHEMA}' AND table_name = '{table.name}'"
            )
        )[0]:
            raise WrongUse(
                f"{SCHEMA}.{table.name} is a view, not a table.",
                where=Location(self.database),
                fix="Let MESH_DUCKDB name another file, or drop that view.",
            )
        described = self.connection.execute(f"DESCRIBE {self.name(table)}").fetchall()
        missing = table.missing("duckdb", [(name, kind) for name, kind, *_ in described])
        if missing is None:
            raise WrongUse(
                f"the table {SCHEMA}.{table.name} has other columns than "
                f"{', '.join(f'{name} {kind}' for name, kind in table.shape('duckdb'))}.",
                where=Location(self.database),
                fix="Let MESH_DUCKDB name another file, or move that table away.",
            )
        for column in missing:
            self.connection.execute(f"ALTER TABLE {self.name(table)} {column}")

    def _remove(self) -> None:
        """A file that did not exist before a failed ingest does not exist after it."""
        for path in (self.database, Path(f"{self.database}.wal")):
            path.unlink(missing_ok=True)

    def name(self, table: Table) -> str:
        """In the file, which is attached."""
        return f"{CATALOG}.{SCHEMA}.{table.name}"

    def staged(self, table: Table) -> str:
        """Beside the table, whose place it may take."""
        return REJECTED if table is REJECTED_LINES else _incoming(table)

    def compared(self, table: Table) -> str:
        """In memory."""
        return f"{table.name}_compared"

    def ask(self, sql: str) -> Iterable[tuple]:
        """In the one transaction. Millions of rows fit, and other statements may run meanwhile."""
        found = self.connection.execute(sql).to_arrow_table()
        return (
            row
            for batch in found.to_batches()
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        )

    def stage(self, mode: str) -> Stage:
        """Staging tables beside the operational ones, in the same transaction."""
        known = f"SELECT movieId FROM {self.name(MOVIES)}" if mode == "append" else ""
        return Stage(self.connection, _incoming, self._restart, known)

    def _restart(self) -> None:
        self.connection.execute("ROLLBACK")
        self._begin()

    def load(self, stage: Stage, tables: Iterable[Table], mode: str) -> None:
        """It was staged here."""

    def prepare(self, job: str, steps: list[str], source: str) -> None:
        """Done at once: the transaction is not over."""
        for step in steps:
            self.connection.execute(step)
        for table in DELIVERED:
            self.connection.execute(f"DROP TABLE IF EXISTS {_incoming(table)}")

    def export(self, lake: Lake) -> None:
        """Write the operational tables, as they will be after the commit."""
        lake.write(self.connection, self.name)

    def commit(self) -> None:
        """Make it last."""
        self.connection.execute("COMMIT")
