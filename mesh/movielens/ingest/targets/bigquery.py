"""The operational tables in BigQuery: staged in a local DuckDB, loaded as Parquet, published by one
transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from mesh.bigquery import Warehouse, connect, explained, warehouse
from mesh.errors import WrongUse
from mesh.files.scratch import scratch
from mesh.movielens.ingest.history import READ_COLUMNS, Entry, History
from mesh.movielens.ingest.lake import Lake
from mesh.movielens.ingest.literals import literal, only_row
from mesh.movielens.ingest.progress import Observer, Step, unobserved
from mesh.movielens.ingest.schema import (
    ALL_TABLES,
    DELIVERED,
    INGESTS,
    MOVIES,
    REJECTED_LINES,
    SCHEMA,
    Table,
    add_columns_sql,
    create_operational_tables_sql,
)
from mesh.movielens.ingest.stage import REJECTED, Stage
from mesh.movielens.ingest.targets.base import Published, Record
from mesh.movielens.ingest.targets.bigquery_jobs import Jobs, patient
from mesh.movielens.ingest.targets.bigquery_sql import STAGING, Statements, create_staging_sql, undo
from mesh.movielens.ingest.targets.undo_sql import (
    emptied_by_undo,
    logged_sql,
    months_by_table,
    months_sql,
)

if TYPE_CHECKING:
    from google.cloud import bigquery

STAGED_DAYS = 2
# Google's client repeats a part of an upload so often, with pauses that double from a second.
UPLOAD_RETRIES = 4
MEMORY_LIMIT = "3GB"


class BigQueryTarget:
    """The operational tables of a BigQuery project; schema and tables are created when missing.

    place: by default as the variables, or those in the file `dotenv`, describe it.
    observer: is told how far loading and publishing are, by the jobs' own statistics.
    """

    def __init__(
        self,
        place: Warehouse | None = None,
        observer: Observer = unobserved,
        *,
        dotenv: Path | None = None,
    ) -> None:
        self.stated_place = place
        self.place: Warehouse
        self.dotenv = dotenv
        self.observer = observer
        self.client: bigquery.Client
        self.connection: duckdb.DuckDBPyConnection
        self.work: Path
        self.past = History()
        self.script: tuple[str, str, list[Any]] | None = None
        self.staged_tables: dict[Table, str] = {}

    @contextmanager
    def session(self) -> Iterator[BigQueryTarget]:
        """Connect, and open an empty local stage that is gone afterwards."""
        with explained():
            self.place = self.stated_place or warehouse(self.dotenv)
            self.client = connect(self.place)
            self.jobs = Jobs(self.client, self.observer)
            self._create_tables()
            with scratch("mesh-bigquery") as work:
                self.work = work
                with duckdb.connect(
                    str(self.work / "stage.duckdb"),
                    config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(work)},
                ) as self.connection:
                    self.connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
                    yield self
            self.client.close()

    def _create_tables(self) -> None:
        missing = [table for table in ALL_TABLES if not self._is_there(table)]
        if missing:
            statements = [
                *create_operational_tables_sql("bigquery"),
                create_staging_sql(STAGED_DAYS),
            ]
            self._query(";\n".join(statements))

    def _is_there(self, table: Table) -> bool:
        """Whether a table exists. One of an older version of this project gets the columns that
        came later. WrongUse when it is one that someone else made: it is not touched."""
        from google.api_core.exceptions import NotFound

        try:
            found = self.client.get_table(f"{SCHEMA}.{table.name}", retry=patient())
        except NotFound:
            return False
        names = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
        shape = []
        for field in found.schema:
            kind = names.get(field.field_type, field.field_type)
            shape.append((field.name, f"ARRAY<{kind}>" if field.mode == "REPEATED" else kind))
        if shape == table.older_shape("bigquery"):
            for statement in add_columns_sql(table, "bigquery", self._name(table)):
                self._query(statement)
            return True
        expected = table.shape("bigquery")
        if shape != expected:
            raise WrongUse(
                f"the table {SCHEMA}.{table.name} of the project {self.place.project} has other "
                f"columns than {', '.join(f'{name} {kind}' for name, kind in expected)}.",
                fix="Move that table away, or let MESH_BIGQUERY_PROJECT name another project.",
            )
        return True

    def _query(self, sql: str, parameters: list[Any] | None = None) -> list[tuple]:
        """Run a query that may be run twice without harm."""
        from google.cloud.bigquery import QueryJobConfig

        config = QueryJobConfig(
            query_parameters=parameters or [],
            maximum_bytes_billed=self.place.maximum_bytes_billed,
        )
        rows = self.client.query_and_wait(sql, job_config=config, retry=patient())
        return [tuple(row) for row in rows]

    def _name(self, table: Table) -> str:
        return f"`{self.client.project}`.`{SCHEMA}`.`{table.name}`"

    def _staged(self, table: Table) -> str:
        return f"`{self.client.project}`.`{STAGING}`.`{self.staged_tables[table]}`"

    def history(self) -> History:
        """All ingests so far, and how many rows the tables have."""
        counts = ", ".join(f"(SELECT COUNT(*) FROM {self._name(table)})" for table in DELIVERED)
        columns = ", ".join(READ_COLUMNS)
        rows = self._query(
            f"SELECT {columns}, {counts} FROM {self._name(INGESTS)} ORDER BY ingest_id"
        )
        if rows:
            now = rows[0][len(READ_COLUMNS) :]
            names = [table.name for table in DELIVERED]
            entries = tuple(Entry.of(row[: len(READ_COLUMNS)]) for row in rows)
            self.past = History(entries, dict(zip(names, now, strict=True)))
        return self.past

    def stage(self, mode: str) -> Stage:
        """Staging tables in a local DuckDB, in one transaction."""
        self.connection.execute("BEGIN")
        if mode == "append":
            known = [row[0] for row in self._query(f"SELECT movieId FROM {self._name(MOVIES)}")]
            self._know(known)
        else:
            known = []
        return Stage(self.connection, _incoming, lambda: self._restart(mode, known))

    def _know(self, movies: list[int]) -> None:
        self.connection.register("known", pa.table({"movieId": pa.array(movies, pa.int64())}))
        self.connection.execute("CREATE TEMP TABLE known_movies AS SELECT movieId FROM known")
        self.connection.unregister("known")

    def _restart(self, mode: str, known: list[int]) -> None:
        self.connection.execute("ROLLBACK")
        self.connection.execute("BEGIN")
        if mode == "append":
            self._know(known)

    def publish(self, stage: Stage, record: Record) -> Published:
        """Load the staged rows beside the tables, and ask which months they change."""
        rejected = bool(stage.count(REJECTED))
        tables = [*DELIVERED, *([REJECTED_LINES] if rejected else [])]
        loads = [self._load(stage, table) for table in tables]
        for job, what in loads:
            self.jobs.wait(job, what)
        statements = Statements(self._name, self._staged, record.mode)
        self.observer(Step("comparing with what is there", 0.0))
        changed = self._query(statements.changed_months())
        published = Published(self.past.newest_id + 1, months_by_table(changed))
        staged = "-".join(name.rpartition("_")[2] for name in self.staged_tables.values())
        self.script = (
            f"mesh-publish-{published.ingest_id}-{record.mode}-{record.checksum[:16]}-{staged}",
            statements.publish(rejected=rejected, kept=self.past.kept_with(published.ingest_id)),
            _parameters(record, published, self.past.newest_id),
        )
        return published

    def undo(self, delivery: Entry, record: Record) -> Published:
        """Ask what the delivery changed, and prepare to take it out."""
        number = delivery.ingest_id
        months = months_by_table(self._query(months_sql(self._name, number)))
        changed = {name for name, some in months.items() if some}
        logged = {row[0] for row in self._query(logged_sql(self._name, number))}
        published = Published(self.past.newest_id + 1, months)
        # When the delivery came in tells it from one of the same number in tables that are gone.
        came_in = int(delivery.finished_at.timestamp() * 1_000_000)
        self.script = (
            f"mesh-undo-{published.ingest_id}-of-{number}-{delivery.checksum[:16]}-{came_in}",
            undo(self._name, number, emptied_by_undo(logged, changed)),
            _parameters(record, published, self.past.newest_id),
        )
        return published

    def _load(self, stage: Stage, table: Table) -> tuple[Any, str]:
        """Start to load one staged table; its name says what is in it."""
        from google.cloud import bigquery

        columns = table.column_names
        relation = stage.qualify(table)
        if table is REJECTED_LINES:
            columns, relation = columns[1:], REJECTED
        listed = ", ".join(f'"{name}"' for name in columns)
        query = f"SELECT coalesce(bit_xor(hash({listed})), 0), count(*) FROM {relation}"
        mix, rows = only_row(self.connection.execute(query))
        print_of = f"{mix:016x}{rows:x}"
        self.staged_tables[table] = f"{table.name}_{print_of}"
        file = self.work / f"{table.name}.parquet"
        self.connection.execute(
            f"COPY (SELECT {listed} FROM {relation}) TO {literal(str(file))} "
            "(FORMAT parquet, COMPRESSION zstd)"
        )
        destination = f"{self.client.project}.{STAGING}.{self.staged_tables[table]}"
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
            schema=[
                bigquery.SchemaField(column.name, column.bigquery)
                for column in table.columns
                if column.name in columns
            ],
        )

        def begin(job_id: str) -> Any:
            with file.open("rb") as parquet:
                return self.client.load_table_from_file(
                    parquet,
                    destination,
                    job_id=job_id,
                    location=self.place.location,
                    size=file.stat().st_size,
                    num_retries=UPLOAD_RETRIES,
                    job_config=config,
                )

        def still_good(_job: Any) -> bool:
            from google.api_core.exceptions import NotFound

            try:
                return self.client.get_table(destination, retry=patient()).num_rows == rows
            except NotFound:
                return False

        name = f"mesh-load-{self.past.newest_id + 1}-{table.name}-{print_of}"
        return self.jobs.start(name, begin, still_good), f"loading {table.name} into BigQuery"

    def export(self, lake: Lake) -> None:
        """A full snapshot is here, in the stage; anything else would have to be fetched back."""
        if self.script is None or "-snapshot-" not in self.script[0]:
            raise WrongUse(
                "--parquet writes what was just read, and on BigQuery that is the whole of the "
                "tables only for a full snapshot that was not loaded before.",
                fix="Leave --parquet out, or use BigQuery's EXPORT DATA.",
            )
        lake.write(self.connection, _incoming)

    def commit(self) -> None:
        """Publish all tables at once, and drop the staging tables."""
        from google.cloud.bigquery import QueryJobConfig

        assert self.script
        name, sql, parameters = self.script
        config = QueryJobConfig(
            query_parameters=parameters, maximum_bytes_billed=self.place.maximum_bytes_billed
        )

        def begin(job_id: str) -> Any:
            return self.client.query(
                sql,
                job_config=config,
                job_id=job_id,
                job_retry=None,
                retry=patient(),
                location=self.place.location,
            )

        job = self.jobs.start(name, begin, lambda _job: True)
        self.jobs.wait(job, "publishing")
        for table in self.staged_tables:
            self.client.delete_table(
                self._staged(table).replace("`", ""), not_found_ok=True, retry=patient()
            )


def _incoming(table: Table) -> str:
    return f"main.{table.name}_incoming"


def _parameters(record: Record, published: Published, last_id: int) -> list[Any]:
    """The columns of `ingests` that the script does not find out itself, the changed months and
    the newest ingest's id."""
    from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter

    totals = [record.total(what) for what in ("read", "loaded", "rejected")]
    loaded = [record.counts[table.name].loaded for table in DELIVERED]
    values: list[Any] = [
        published.ingest_id,
        record.source,
        record.checksum,
        record.mode,
        *totals,
        *loaded,
    ]
    columns = INGESTS.columns[: len(values)]
    return [
        *(
            ScalarQueryParameter(column.name, column.bigquery, value)
            for column, value in zip(columns, values, strict=True)
        ),
        ArrayQueryParameter("changed_months", "DATE", list(published.changed_months)),
        ScalarQueryParameter("started_at", "TIMESTAMP", record.started_at),
        ScalarQueryParameter("undoes", "INT64", record.undoes),
        ScalarQueryParameter("last_id", "INT64", last_id),
        *(
            ArrayQueryParameter(f"months_of_{name}", "DATE", list(months))
            for name, months in published.months.items()
        ),
    ]
