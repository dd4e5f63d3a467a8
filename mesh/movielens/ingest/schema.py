"""The operational tables, once: names, columns, types on both engines, keys.

Everything that creates, fills or reads these tables takes their shape from here.
"""

from __future__ import annotations

from dataclasses import dataclass

from mesh import deliveries

SCHEMA = "operational"


@dataclass(frozen=True)
class Column:
    """A column and its physical type on each engine."""

    name: str
    duckdb: str
    bigquery: str


@dataclass(frozen=True)
class Table:
    """A table; `key` are the columns that identify one row (empty for logs).

    newest_by: how a row compares to another of its key if it is the one that counts, by the first
    of these columns in which they differ; where there are none, the later one counts.
    month_of: the timestamp by whose month BigQuery partitions the table. cluster: the columns that
    BigQuery sorts by. DuckDB knows neither. newest_columns: so many at the end came later; a table
    of an older version of this project lacks some of them, and gets them.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    newest_by: tuple[tuple[str, str], ...] = ()
    month_of: str | None = None
    cluster: tuple[str, ...] = ()
    newest_columns: int = 0

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def shape(self, dialect: str) -> list[tuple[str, str]]:
        """Name and type of each column."""
        return [(column.name, getattr(column, dialect)) for column in self.columns]

    def missing(self, dialect: str, shape: list[tuple[str, str]]) -> list[str] | None:
        """What a table of that shape has to get, each as an action of ALTER TABLE; None for one
        that is no version of this table."""
        expected, there = self.shape(dialect), len(shape)
        if shape != expected[:there] or there < len(expected) - self.newest_columns:
            return None
        return [f"ADD COLUMN {_quoted(name, dialect)} {kind}" for name, kind in expected[there:]]

    @property
    def values(self) -> tuple[str, ...]:
        """The columns beyond the key."""
        return tuple(name for name in self.column_names if name not in self.key)


def _quoted(name: str, dialect: str) -> str:
    return f"`{name}`" if dialect == "bigquery" else f'"{name}"'


def _integer(name: str) -> Column:
    return Column(name, "BIGINT", "INT64")


def _text(name: str) -> Column:
    return Column(name, "VARCHAR", "STRING")


def _instant(name: str) -> Column:
    return Column(name, "TIMESTAMP WITH TIME ZONE", "TIMESTAMP")


MOVIES = Table("movies", (_integer("movieId"), _text("title"), _text("genres")), ("movieId",))
RATINGS = Table(
    "ratings",
    (
        _integer("userId"),
        _integer("movieId"),
        Column("rating", "DOUBLE", "FLOAT64"),
        _instant("timestamp"),
    ),
    ("userId", "movieId"),
    # Of two in one second that with fewer stars, so that no order of lines or deliveries matters.
    newest_by=(("timestamp", ">"), ("rating", "<")),
    month_of="timestamp",
    cluster=("userId", "movieId"),
)
TAGS = Table(
    "tags",
    (_integer("userId"), _integer("movieId"), _text("tag"), _instant("timestamp")),
    ("userId", "movieId", "tag"),
    newest_by=(("timestamp", ">"),),
    month_of="timestamp",
    cluster=("userId", "movieId"),
)
REJECTED_LINES = Table(
    "rejected_lines",
    (
        _integer("ingest_id"),
        _text("file"),
        _integer("line_number"),
        _text("raw_text"),
        _text("reason"),
    ),
)
INGESTS = Table(
    deliveries.INGESTS,
    (
        _integer("ingest_id"),
        _text("source"),
        _text("checksum"),
        _text("mode"),
        _integer("lines_read"),
        _integer("lines_loaded"),
        _integer("lines_rejected"),
        _integer("movies_loaded"),
        _integer("ratings_loaded"),
        _integer("tags_loaded"),
        Column("changed_months", "DATE[]", "ARRAY<DATE>"),
        _instant("started_at"),
        _instant("finished_at"),
        # Columns that older versions of this project did not have: how many rows each table has
        # afterwards; the delivery that this ingest undoes; lines of which newer ones are there, and
        # rows in whose place newer lines came.
        _integer("movies_rows"),
        _integer("ratings_rows"),
        _integer("tags_rows"),
        _integer("undoes"),
        _integer("lines_ignored"),
        _integer("rows_replaced"),
    ),
    ("ingest_id",),
    newest_columns=6,
)
CHANGED_MONTHS = Table(
    deliveries.CHANGED_MONTHS,
    (_integer("ingest_id"), _text("source_table"), Column("reporting_month", "DATE", "DATE")),
    ("ingest_id", "source_table", "reporting_month"),
)

DELIVERED = (MOVIES, RATINGS, TAGS)


def _log(table: Table) -> Table:
    return Table(
        f"undo_{table.name}",
        (_integer("ingest_id"), Column("was_there", "BOOLEAN", "BOOL"), *table.columns),
        cluster=("ingest_id",),
    )


# What each of the newest deliveries did to a table, row by row, so that it can be undone.
# was_there: the row stood in the table before the delivery and does not afterwards; else the
# reverse. Nothing is logged for a delivery into an empty table.
UNDO_LOGS = {table: _log(table) for table in DELIVERED}

# What models and their audits read: a plan needs these and no more.
READ_BY_MODELS = (*DELIVERED, REJECTED_LINES, INGESTS, CHANGED_MONTHS)
ALL_TABLES = (*READ_BY_MODELS, *UNDO_LOGS.values())


def create_table_sql(table: Table, dialect: str, qualified_name: str) -> str:
    """The statement that makes one table where it is missing."""
    columns = ", ".join(f"{_quoted(name, dialect)} {kind}" for name, kind in table.shape(dialect))
    layout = _layout(table) if dialect == "bigquery" else ""
    return f"CREATE TABLE IF NOT EXISTS {qualified_name} ({columns}){layout}"


def _layout(table: Table) -> str:
    """How BigQuery lays a table out on disk: a monthly run reads the partition of its month."""
    layout = ""
    if table.month_of:
        layout += f" PARTITION BY TIMESTAMP_TRUNC(`{table.month_of}`, MONTH)"
    if table.cluster:
        layout += f" CLUSTER BY {', '.join(f'`{name}`' for name in table.cluster)}"
    return layout


def create_operational_tables_sql(dialect: str) -> list[str]:
    """Statements that make the schema and its tables where they are missing.

    dialect: 'duckdb' or 'bigquery'. Running them again changes nothing, so that a plan on an
    empty clone finds its sources.
    """
    return [
        f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
        *(create_table_sql(table, dialect, f"{SCHEMA}.{table.name}") for table in ALL_TABLES),
    ]
