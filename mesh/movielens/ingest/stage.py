"""Loads a delivery into staging tables: good rows in three tables, rejected lines in a fourth.

The rows of a staging table stand in the order of the file, so that a row found wrong later (an
unknown movie, a key that stood already in an earlier line) can still be traced to its line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from mesh.movielens.ingest.early import EarlyLoad
from mesh.movielens.ingest.lines import UNIX, WINDOWS
from mesh.movielens.ingest.literals import literal, only_row
from mesh.movielens.ingest.parquet_source import load_parquet
from mesh.movielens.ingest.prepare import Prepared, line_end_of, prepare_csv, texts_of_lines
from mesh.movielens.ingest.progress import Observer, watched
from mesh.movielens.ingest.rules import NOT_NEWEST
from mesh.movielens.ingest.schema import RATINGS, Table
from mesh.movielens.ingest.source import Delivery, TableFiles

if TYPE_CHECKING:
    import numpy as np

    from mesh.movielens.ingest.parquet_source import ParquetRows

REJECTED = "rejected_incoming"
CHUNK = 20_000


@dataclass(frozen=True)
class Counts:
    """Lines of one table's files: read = loaded + rejected + ignored, always.

    empty: rejected lines that hold nothing; they do not count towards the limit of rejections.
    ignored: lines of whose key a newer one counts. replaced: rows of the table in whose place
    newer lines came.
    """

    read: int
    loaded: int
    rejected: int
    empty: int = 0
    ignored: int = 0
    replaced: int = 0


@dataclass
class Stage:
    """Where the staging tables are.

    connection: an in-process DuckDB. qualify: the full name, as SQL, of the staging table of an
    operational table. Rejected lines are in the temporary table `rejected_incoming` (file,
    line_number, raw_text, reason). restart: puts everything on the connection back to the empty
    stage, also after a statement failed. known: a query of the ids of movies that were there before
    and stay, or nothing. origins: of the staged rows of each table.
    """

    connection: duckdb.DuckDBPyConnection
    qualify: Callable[[Table], str]
    restart: Callable[[], None]
    known: str = ""
    counts: dict[str, Counts] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)

    @cached_property
    def rejections(self) -> Rejections:
        return Rejections(self.connection)

    def count(self, relation: str) -> int:
        return only_row(self.connection.execute(f"SELECT count(*) FROM {relation}"))[0]


class Rejections:
    """Collects lines and rows that do not stay, and stages some thousands at a time."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.rows: list[tuple[str, int | None, str, str]] = []
        self.counts: Counter[str] = Counter()
        self.ignored: Counter[str] = Counter()

    def add(self, file: str, line_number: int | None, raw_text: str, reason: str) -> None:
        self.rows.append((file, line_number, raw_text, reason))
        (self.ignored if reason.startswith(f"{NOT_NEWEST}:") else self.counts)[file] += 1
        if len(self.rows) >= CHUNK:
            self.flush()

    def flush(self) -> None:
        """Must have been called before the rejected lines are read."""
        self.connection.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS {REJECTED} "
            "(file VARCHAR, line_number BIGINT, raw_text VARCHAR, reason VARCHAR)"
        )
        if not self.rows:
            return

        columns = [pa.array(column) for column in zip(*self.rows, strict=True)]
        names = ["file", "line_number", "raw_text", "reason"]
        self.connection.register("rejected_chunk", pa.table(columns, names=names))
        self.connection.execute(f"INSERT INTO {REJECTED} SELECT * FROM rejected_chunk")
        self.connection.unregister("rejected_chunk")
        self.rows.clear()


@dataclass(frozen=True)
class Origin:
    """Where the rows of one staging table came from, to trace a row back to its line."""

    files: TableFiles
    source: Path
    first_row: int  # row ids count on from here; in a transaction they do not start at 0
    lines_read: int
    empty_lines: int
    prepared: Prepared | None = None
    parquet: ParquetRows | None = None

    def trace(self, rows: np.ndarray) -> list[tuple[str, int, str]]:
        """File, line number and text of the rows (row ids, ascending)."""
        rows = rows - self.first_row
        if self.parquet is not None:
            return self.parquet.trace(rows)
        assert self.prepared
        numbers = self.prepared.line_numbers(rows)
        name = self.files.names[0]
        texts = texts_of_lines(self.files.paths[0], self.source / name, numbers)
        return [(name, int(number), text) for number, text in zip(numbers, texts, strict=True)]

    def place(self, rows: np.ndarray) -> list[str]:
        """'line 17' or, when a table has several files, 'file:17', of the row ids."""
        rows = rows - self.first_row
        if self.parquet is not None:
            return self.parquet.place(rows)
        assert self.prepared
        return [f"line {number}" for number in self.prepared.line_numbers(rows)]


def load_table(
    stage: Stage,
    delivery: Delivery,
    files: TableFiles,
    rejections: Rejections,
    *,
    work: Path,
    now: int,
    observer: Observer,
) -> Origin:
    """Load one table's good lines into its staging table and reject those that cannot be read.

    The ratings come first: their load may have to put the stage back to its start.

    work: a folder for a copy of the file, should one be needed. now: epoch seconds.
    """
    source = Path(delivery.source)
    staged = stage.qualify(files.table)
    name = files.names[0]
    if files.kind == "parquet":
        found = load_parquet(stage.connection, files, source, staged, now, rejections.add)
        first = _first_row(stage, staged)
        return Origin(files, source, first, found.rows_read, 0, parquet=found)
    prepare = partial(
        prepare_csv,
        files.paths[0],
        files.table,
        shown=source / name,
        copy=work / f"{files.table.name}.plain.csv",
        now=now,
        reject=partial(rejections.add, name),
        observer=observer,
    )
    if files.table is RATINGS:
        path = files.paths[0]
        whole = _load_sql(path, 1, line_end_of(path), files.table, staged)
        with EarlyLoad(stage.connection, whole, stage.restart) as early:
            prepared = prepare(differs=early.give_up)
            with watched(stage.connection, f"loading {name}", observer):
                loaded = early.finish()
    else:
        prepared = prepare()
        loaded = False
    if not loaded:
        with watched(stage.connection, f"loading {name}", observer):
            stage.connection.execute(
                _load_sql(prepared.path, prepared.skip, prepared.line_end, files.table, staged)
            )
    expected = prepared.lines_read - len(prepared.left_out)
    if (rows := stage.count(staged)) != expected:
        raise RuntimeError(f"{name}: {expected} good lines, but {rows} rows were loaded")
    first = _first_row(stage, staged)
    return Origin(
        files, source, first, prepared.lines_read, prepared.empty_lines, prepared=prepared
    )


def _first_row(stage: Stage, staged: str) -> int:
    return only_row(stage.connection.execute(f"SELECT min(rowid) FROM {staged}"))[0] or 0


def _load_sql(path: Path, skip: int, line_end: str, table: Table, staged: str) -> str:
    """Loads a file of good lines. Everything is explicit: nothing about it may be guessed."""
    types = {
        column.name: "BIGINT" if column.name == "timestamp" else column.duckdb
        for column in table.columns
    }
    quote = "" if table is RATINGS else '"'
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
    # Told that lines end in \r\n, DuckDB 1.5 reads nothing in strict mode; untold, it sees it.
    new_line = {UNIX: r"new_line = '\n', ", WINDOWS: ""}[line_end]
    return (
        f"CREATE TABLE {staged} AS SELECT {', '.join(map(_converted, types))} "
        f"FROM read_csv({literal(str(path))}, auto_detect = false, header = false, "
        # A folder that is called userId=5 says nothing about the lines below it.
        f"hive_partitioning = false, skip = {skip}, "
        f"delim = ',', quote = '{quote}', escape = '{quote}', {new_line}"
        f"strict_mode = true, columns = {{{columns}}})"
    )


def _converted(name: str) -> str:
    return "make_timestamptz(timestamp * 1000000) AS timestamp" if name == "timestamp" else name
