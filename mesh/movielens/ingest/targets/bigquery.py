"""The operational tables in BigQuery: staged in a local DuckDB, loaded as Parquet, published by one
transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from mesh.bigquery import Warehouse, connect, explained, warehouse
from mesh.errors import WrongUse
from mesh.files.scratch import scratch
from mesh.movielens.ingest.history import History
from mesh.movielens.ingest.lake import Lake
from mesh.movielens.ingest.literals import literal, only_row
from mesh.movielens.ingest.progress import Observer, Step, unobserved
from mesh.movielens.ingest.schema import (
    ALL_TABLES,
    INGESTS,
    MOVIES,
    REJECTED_LINES,
    SCHEMA,
    Table,
    create_operational_tables_sql,
)
from mesh.movielens.ingest.stage import REJECTED, Stage
from mesh.movielens.ingest.targets.base import Target
from mesh.movielens.ingest.targets.bigquery_jobs import Jobs, patient
from mesh.movielens.ingest.targets.statements import Engine

if TYPE_CHECKING:
    from google.cloud import bigquery

STAGING = "operational_staging"
OVERTAKEN = "mesh: another ingest published"
# What is staged is gone after so many days at the latest.
CREATE_STAGING = (
    f"CREATE SCHEMA IF NOT EXISTS {STAGING} OPTIONS (default_table_expiration_days = 2)"
)
# BigQuery's transactions take SELECT, DML and nothing that defines a table: so the tables are
# emptied and filled, not exchanged.
ENGINE = Engine(
    dialect="bigquery",
    day="DATE({})",
    month="DATE_TRUNC({}, MONTH)",
    number="SAFE_CAST(REGEXP_EXTRACT({}, '^[^0-9]*([0-9]+)') AS NUMERIC)",
    matches="REGEXP_CONTAINS({}, '{}')",
    mix="BIT_XOR(FARM_FINGERPRINT(TO_JSON_STRING(STRUCT({}))))",
    place="incoming.place",
    working="TABLE",
    exchange=(
        "TRUNCATE TABLE {table}",
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM {staged}",
    ),
    source=lambda _text: "@source",
)
# Google's client repeats a part of an upload so often, with pauses that double from a second.
UPLOAD_RETRIES = 4
MEMORY_LIMIT = "3GB"


class BigQueryTarget(Target):
    """The operational tables of the BigQuery project that the environment variables name.

    Schema and tables are created when missing.
    observer: is told what is loaded, and when it is published.
    """

    engine = ENGINE

    def __init__(self, observer: Observer = unobserved) -> None:
        self.place: Warehouse
        self.observer = observer
        self.client: bigquery.Client
        self.connection: duckdb.DuckDBPyConnection
        self.work: Path
        self.past = History()
        self.script: tuple[str, str, str] | None = None
        self.staged_tables: dict[Table, str] = {}

    @contextmanager
    def session(self) -> Iterator[BigQueryTarget]:
        """Connect, and open an empty local stage that is gone afterwards."""
        with explained():
            self.place = warehouse()
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
            self.ask(";\n".join([*create_operational_tables_sql("bigquery"), CREATE_STAGING]))

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
        missing = table.missing("bigquery", shape)
        if missing is None:
            expected = table.shape("bigquery")
            raise WrongUse(
                f"the table {SCHEMA}.{table.name} of the project {self.place.project} has other "
                f"columns than {', '.join(f'{name} {kind}' for name, kind in expected)}.",
                fix="Move that table away, or let MESH_BIGQUERY_PROJECT name another project.",
            )
        if missing:
            self.ask(f"ALTER TABLE {self.name(table)} {', '.join(missing)}")
        return True

    def ask(self, sql: str) -> Iterable[tuple]:
        """As one job; the rows come in pages."""
        rows = self.client.query_and_wait(sql, job_config=self._config(), retry=patient())
        return (tuple(row) for row in rows)

    def _config(self, **options: Any) -> bigquery.QueryJobConfig:
        from google.cloud.bigquery import QueryJobConfig

        return QueryJobConfig(maximum_bytes_billed=self.place.maximum_bytes_billed, **options)

    def name(self, table: Table) -> str:
        """In the project of the warehouse."""
        return f"`{self.client.project}`.`{SCHEMA}`.`{table.name}`"

    def staged(self, table: Table) -> str:
        """In a dataset of its own, under a name that says what is in it."""
        return f"`{self.client.project}`.`{STAGING}`.`{self.staged_tables[table]}`"

    def compared(self, table: Table) -> str:
        """Beside the staged table."""
        return self.staged(table).removesuffix("`") + "_compared`"

    def stage(self, mode: str) -> Stage:
        """Staging tables in a local DuckDB, in one transaction."""
        known = self.ask(f"SELECT movieId FROM {self.name(MOVIES)}") if mode == "append" else ()
        movies = pa.table({"movieId": pa.array((row[0] for row in known), pa.int64())})
        self.connection.register("fetched", movies)
        self.connection.execute("CREATE TABLE known AS FROM fetched; BEGIN")
        return Stage(self.connection, _incoming, self._restart, "SELECT movieId FROM known")

    def _restart(self) -> None:
        self.connection.execute("ROLLBACK; BEGIN")

    def load(self, stage: Stage, tables: Iterable[Table], mode: str) -> None:
        """Load what is staged into BigQuery, for all tables side by side."""
        loads = [self._load(stage, table, placed=mode == "append") for table in tables]
        for job, what in loads:
            self.jobs.wait(job, what)
        self.observer(Step("comparing with what is there", 0.0))

    def prepare(self, job: str, steps: list[str], source: str) -> None:
        """One transaction, unless another ingest came before."""
        staged = "".join(f"-{name.rpartition('_')[2]}" for name in self.staged_tables.values())
        first = (
            f"SELECT IF((SELECT COALESCE(MAX(ingest_id), 0) FROM {self.name(INGESTS)}) = "
            f"{self.past.newest_id}, TRUE, ERROR('{OVERTAKEN}'))"
        )
        parts = ["BEGIN TRANSACTION", first, *steps, "COMMIT TRANSACTION"]
        self.script = (job + staged, ";\n".join(parts) + ";", source)

    def _load(self, stage: Stage, table: Table, *, placed: bool) -> tuple[Any, str]:
        """Start to load one staged table; its name says what is in it. placed: with the place of
        each row in the stage."""
        from google.cloud import bigquery

        columns = [(column.name, column.bigquery) for column in table.columns]
        relation = stage.qualify(table)
        if table is REJECTED_LINES:
            columns, relation = columns[1:], REJECTED
        elif placed:
            columns.append(("place", "INT64"))
            relation = f"(SELECT *, rowid AS place FROM {relation})"
        listed = ", ".join(f'"{name}"' for name, _ in columns)
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
            schema=[bigquery.SchemaField(name, kind) for name, kind in columns],
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
        from google.cloud.bigquery import ScalarQueryParameter

        assert self.script
        name, sql, source = self.script
        config = self._config(query_parameters=[ScalarQueryParameter("source", "STRING", source)])

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
            for made in (self.staged(table), self.compared(table)):
                self.client.delete_table(made.replace("`", ""), not_found_ok=True, retry=patient())


def _incoming(table: Table) -> str:
    return f"main.{table.name}_incoming"
