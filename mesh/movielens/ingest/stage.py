"""Loads a delivery into staging tables: good rows in three tables, rejected lines in a fourth.

The rows of a staging table stand in the order of the file, so that a row found wrong later (an
unknown movie, a key that stood already in an earlier line) can still be traced to its line.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from mesh.movielens.ingest.early import EarlyLoad
from mesh.movielens.ingest.lines import UNIX, WINDOWS
from mesh.movielens.ingest.literals import literal, only_row
from mesh.movielens.ingest.parquet_source import FIRST_ROW, load_parquet, texts_of_rows
from mesh.movielens.ingest.prepare import FIRST_DATA_LINE, line_end_of, prepare_csv, texts_of_lines
from mesh.movielens.ingest.progress import Observer, Step
from mesh.movielens.ingest.rules import BLANK, BREAK, NOT_NEWEST, REPLACED
from mesh.movielens.ingest.schema import RATINGS, Table
from mesh.movielens.ingest.source import Delivery, TableFiles

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
    and stay, or nothing. origins: of the staged rows of each table. notes: sentences for whoever
    delivers.
    """

    connection: duckdb.DuckDBPyConnection
    qualify: Callable[[Table], str]
    restart: Callable[[], None]
    known: str = ""
    counts: dict[str, Counts] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @cached_property
    def rejections(self) -> Rejections:
        return Rejections(self.connection)

    def without_breaks(self, table: Table, column: str, *, trimmed: bool = False) -> None:
        """Clean a column of staged texts: what would break the lines of whoever shows one, or move
        the cursor of a terminal, becomes a blank. trimmed: also of what nobody sees at its ends."""
        kept, asked = column, BREAK
        if trimmed:
            kept = f"regexp_replace({column}, {literal(f'^{BLANK}+|{BLANK}+$')}, '', 'g')"
            asked = f"^{BLANK}|{BLANK}$|{BREAK}"
        self.connection.execute(
            f"UPDATE {self.qualify(table)} "
            f"SET {column} = regexp_replace({kept}, {literal(f'{BREAK}+')}, ' ', 'g') "
            f"WHERE regexp_matches({column}, {literal(asked)})"
        )

    def count(self, relation: str) -> int:
        return only_row(self.connection.execute(f"SELECT count(*) FROM {relation}"))[0]


@dataclass
class Kind:
    """The rejected lines with one kind of reason. first: the first of them, and the detail of its
    reason. consequences: lines that were rejected only because these were."""

    count: int = 0
    first: tuple[str, int, str] = ("", 0, "")
    consequences: int = 0


class Rejections:
    """Collects lines and rows that do not stay, and stages some thousands at a time.

    kinds: of reasons for which lines were rejected.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.rows: list[tuple[str, int | None, str, str]] = []
        self.counts: Counter[str] = Counter()
        self.ignored: Counter[str] = Counter()
        self.kinds: defaultdict[str, Kind] = defaultdict(Kind)

    def add(
        self,
        file: str,
        line_number: int | None,
        raw_text: str,
        reason: str,
        cause: str | None = None,
    ) -> None:
        """reason: '<kind>: <detail>'. cause: the kind of reason for which another line was rejected
        that would have kept this one."""
        self.rows.append((file, line_number, raw_text, reason))
        name, _, detail = reason.partition(": ")
        if name == NOT_NEWEST:
            self.ignored[file] += 1
        elif name != REPLACED:
            self.counts[file] += 1
            self._note(name, cause, (file, line_number or 0, detail))
        if len(self.rows) >= CHUNK:
            self.flush()

    def _note(self, name: str, cause: str | None, place: tuple[str, int, str]) -> None:
        if cause:
            self.kinds[cause].consequences += 1
            return
        kind = self.kinds[name]
        kind.count += 1
        if kind.count == 1 or place[:2] < kind.first[:2]:
            kind.first = place

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
    """Where the rows of one staging table came from, to trace a row back to its line.

    first_row: row ids count on from here; in a transaction they do not start at 0. ends: for each
    file, the number of lines in it and all before. left_out: the lines (0-based over all files,
    ascending) that are no rows. first_line: the number of the first line of a file. texts: of lines
    with these files (as indexes) and numbers, ascending.
    """

    files: TableFiles
    first_row: int
    lines_read: int
    empty_lines: int
    ends: np.ndarray
    left_out: np.ndarray
    first_line: int
    texts: Callable[[np.ndarray, np.ndarray], Iterable[str]]

    def _lines(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """File index and line number of the rows (row ids)."""
        gaps = self.left_out - np.arange(len(self.left_out))
        rows = rows - self.first_row
        lines = rows + np.searchsorted(gaps, rows, side="right")
        file = np.searchsorted(self.ends, lines, side="right")
        starts = np.concatenate(([0], self.ends[:-1]))
        return file, lines - starts[file] + self.first_line

    def trace(self, rows: np.ndarray) -> Iterator[tuple[str, int, str]]:
        """File, line number and text of the rows (row ids, ascending)."""
        files, numbers = self._lines(rows)
        for file, number, text in zip(files, numbers, self.texts(files, numbers), strict=True):
            yield self.files.names[file], int(number), text

    def place(self, rows: np.ndarray) -> list[str]:
        """'line 17' or, of Parquet, 'file:17', of the row ids."""
        files, numbers = self._lines(rows)
        if self.files.kind == "csv":
            return [f"line {number}" for number in numbers]
        return [f"{self.files.names[f]}:{n}" for f, n in zip(files, numbers, strict=True)]


def load_table(
    stage: Stage, delivery: Delivery, files: TableFiles, *, work: Path, observer: Observer
) -> Origin:
    """Load one table's good lines into its staging table and reject those that cannot be read.

    The ratings come first: their load may have to put the stage back to its start.

    work: a folder for a copy of the file, should one be needed.
    """
    source = Path(delivery.source)
    staged = stage.qualify(files.table)
    name = files.names[0]
    if files.kind == "parquet":
        ends, left_out = load_parquet(stage.connection, files, source, staged, stage.rejections.add)
        texts = partial(texts_of_rows, stage.connection, files)
        lines, first = int(ends[-1]), _first_row(stage, staged)
        return Origin(files, first, lines, 0, ends, left_out, FIRST_ROW, texts)
    path, shown = files.paths[0], source / name
    loading = Step(f"loading {name}", 0.0)
    prepare = partial(
        prepare_csv,
        path,
        files.table,
        shown=shown,
        copy=work / f"{files.table.name}.plain.csv",
        reject=partial(stage.rejections.add, name),
        observer=observer,
    )
    if files.table is RATINGS:
        whole = _load_sql(path, 1, line_end_of(path), files.table, staged)
        with EarlyLoad(stage.connection, whole, stage.restart) as early:
            prepared = prepare(differs=early.give_up)
            observer(loading)
            loaded = early.finish()
    else:
        prepared = prepare()
        loaded = False
    if not loaded:
        observer(loading)
        stage.connection.execute(
            _load_sql(prepared.path, prepared.skip, prepared.line_end, files.table, staged)
        )
    expected = prepared.lines - len(prepared.left_out)
    if (rows := stage.count(staged)) != expected:
        raise RuntimeError(f"{name}: {expected} good lines, but {rows} rows were loaded")
    return Origin(
        files,
        _first_row(stage, staged),
        prepared.records,
        prepared.empty_lines,
        np.array([prepared.lines]),
        prepared.left_out - FIRST_DATA_LINE,
        FIRST_DATA_LINE,
        lambda _files, numbers: texts_of_lines(path, shown, numbers, prepared.joined),
    )


def _first_row(stage: Stage, staged: str) -> int:
    return only_row(stage.connection.execute(f"SELECT min(rowid) FROM {staged}"))[0] or 0


def _load_sql(path: Path, skip: int, line_end: str, table: Table, staged: str) -> str:
    """Loads a file of good lines. Everything is explicit: nothing about it may be guessed."""
    # Only a copy may hold parts of seconds, which take half as long again to read.
    seconds = "BIGINT" if skip else "DOUBLE"
    types = {
        column.name: seconds if column.name == "timestamp" else column.duckdb
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
    instant = "make_timestamptz(round(timestamp * 1000000)::BIGINT) AS timestamp"
    return instant if name == "timestamp" else name
