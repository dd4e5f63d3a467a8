"""Loads a table from Parquet files: the same rules as for lines, said in SQL.

A row is named by its file and its number in it, counted from 1; its text is its values, joined
with commas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from mesh.errors import Location, WrongUse
from mesh.movielens.ingest.literals import literal, literals, only_row
from mesh.movielens.ingest.rules import (
    EMPTY_GENRE,
    FIRST_SECOND,
    MOST_CHARACTERS,
    NUL_BYTE,
    NUMBER_OUTSIDE,
    RATING_BETWEEN_STEPS,
    RATING_OUTSIDE,
    SMALLEST_ID,
    STARS,
    TIME_OUTSIDE,
    UNREADABLE_NUMBER,
)
from mesh.movielens.ingest.schema import Column, Table
from mesh.movielens.ingest.source import TableFiles

_WHOLE = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
)  # fmt: skip
_TIMES = (
    "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS",
)  # fmt: skip
_FITTING = {
    "BIGINT": _WHOLE,
    "VARCHAR": ("VARCHAR",),
    "DOUBLE": ("FLOAT", "DOUBLE", "DECIMAL", *_WHOLE),
    "TIMESTAMP WITH TIME ZONE": (*_WHOLE, *_TIMES),
}


@dataclass(frozen=True)
class ParquetRows:
    """Traces a loaded row back to its file and row number.

    ends: for each file, the number of rows in it and all files before. left_out: the rows (0-based
    over all files, ascending) that were rejected while loading.
    """

    connection: duckdb.DuckDBPyConnection
    files: TableFiles
    ends: np.ndarray
    left_out: np.ndarray

    @property
    def rows_read(self) -> int:
        return int(self.ends[-1])

    def _positions(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """File index and row number in it (0-based) of the loaded rows (0-based)."""
        gaps = self.left_out - np.arange(len(self.left_out))
        rows = rows + np.searchsorted(gaps, rows, side="right")
        file = np.searchsorted(self.ends, rows, side="right")
        starts = np.concatenate(([0], self.ends[:-1]))
        return file, rows - starts[file]

    def place(self, rows: np.ndarray) -> list[str]:
        """'file:17' for each of the rows."""
        files, numbers = self._positions(rows)
        return [f"{self.files.names[f]}:{n + 1}" for f, n in zip(files, numbers, strict=True)]

    def trace(self, rows: np.ndarray) -> list[tuple[str, int, str]]:
        """File, row number (from 1) and text of the rows (ascending)."""
        files, numbers = self._positions(rows)

        wanted = pa.table({"position": np.arange(len(rows)), "file": files, "number": numbers})
        self.connection.register("wanted_rows", wanted)
        found = self.connection.execute(
            f"SELECT raw_text FROM ({_rows_sql(self.files)}) JOIN wanted_rows "
            "USING (file, number) ORDER BY position"
        ).fetchall()
        self.connection.unregister("wanted_rows")
        return [
            (self.files.names[file], int(number) + 1, text)
            for file, number, (text,) in zip(files, numbers, found, strict=True)
        ]


def load_parquet(
    connection: duckdb.DuckDBPyConnection,
    files: TableFiles,
    source: Path,
    staged: str,
    now: int,
    reject: Callable[[str, int, str, str], None],
) -> ParquetRows:
    """Load the good rows into the table `staged`; tell `reject` the others.

    Raises WrongUse when a file is no Parquet, is damaged, or has other columns.
    """
    types = _check_columns(connection, files, source)
    values = ", ".join(_value_sql(column, types) for column in files.table.columns)
    reason = _reason_sql(files.table, types, now)
    try:
        return _load_rows(connection, files, staged, values, reason, reject)
    except (duckdb.IOException, duckdb.OutOfMemoryException):
        raise
    except duckdb.Error as error:
        raise WrongUse(
            "the rows cannot be read: a file is damaged, or a text in it is not UTF-8.",
            where=Location(
                source / (files.names[0] if len(files.names) == 1 else files.table.name)
            ),
            fix="Write it again.",
        ) from error


def _load_rows(
    connection: duckdb.DuckDBPyConnection,
    files: TableFiles,
    staged: str,
    values: str,
    reason: str,
    reject: Callable[[str, int, str, str], None],
) -> ParquetRows:
    """values, reason: SQL of the columns, and of why a row is rejected or NULL."""
    ends = _row_counts(connection, files)
    bad = connection.execute(
        f"SELECT file, number, raw_text, {reason} AS reason FROM ({_rows_sql(files)}) "
        "WHERE reason IS NOT NULL ORDER BY file, number"
    ).fetchall()
    starts = np.concatenate(([0], ends[:-1]))
    for file, number, text, why in bad:
        reject(files.names[file], number + 1, text, why)
    connection.execute(
        f"CREATE TABLE {staged} AS SELECT {values} FROM ({_rows_sql(files)}) WHERE {reason} IS NULL"
    )
    left_out = np.array([starts[file] + number for file, number, _, _ in bad], dtype=np.int64)
    return ParquetRows(connection, files, ends, left_out)


def _paths(files: TableFiles) -> list[str]:
    return [str(path) for path in files.paths]


def _rows_sql(files: TableFiles) -> str:
    """All rows with file index, row number and text."""
    names = [f'"{name}"' for name in files.table.column_names]
    text = " || ',' || ".join(f"coalesce({name}::VARCHAR, '')" for name in names)
    return (
        f"SELECT {', '.join(names)}, file_row_number AS number, file_index AS file, "
        f"{text} AS raw_text FROM read_parquet([{literals(_paths(files))}], "
        "hive_partitioning = false, file_row_number = true)"
    )


def _check_columns(
    connection: duckdb.DuckDBPyConnection, files: TableFiles, source: Path
) -> dict[str, str]:
    """The type of each column; the same in all files."""
    first: dict[str, str] | None = None
    for path, name in zip(files.paths, files.names, strict=True):
        shown = Location(source / name)
        try:
            described = connection.execute(
                f"DESCRIBE SELECT * FROM read_parquet({literal(str(path))}, "
                "hive_partitioning = false)"
            ).fetchall()
        except duckdb.Error as error:
            raise WrongUse(
                "this is not a Parquet file, or it is cut off or damaged.",
                where=shown,
                fix="Write it again.",
            ) from error
        types = {column: kind for column, kind, *_ in described}
        expected = set(files.table.column_names)
        if set(types) != expected:
            raise WrongUse(
                f"the columns are {', '.join(types)} where "
                f"{', '.join(files.table.column_names)} are expected.",
                where=shown,
                fix="Write these columns and no others.",
            )
        for column in files.table.columns:
            kind = types[column.name]
            if kind.partition("(")[0] not in _FITTING[column.duckdb]:
                raise WrongUse(
                    f"the column {column.name} is {kind} where {column.duckdb} is expected.",
                    where=shown,
                    fix="Write it with that type.",
                )
        if first is not None and types != first:
            raise WrongUse(
                f"the column types differ from those in {files.names[0]}.",
                where=shown,
                fix="Write all files of a table with the same types.",
            )
        first = types
    return first or {}


def _row_counts(connection: duckdb.DuckDBPyConnection, files: TableFiles) -> np.ndarray:
    counts = [
        only_row(
            connection.execute(f"SELECT num_rows FROM parquet_file_metadata({literal(path)})")
        )[0]
        for path in _paths(files)
    ]
    return np.cumsum(np.array(counts, dtype=np.int64))


def _value_sql(column: Column, types: dict[str, str]) -> str:
    name = f'"{column.name}"'
    if column.name == "timestamp" and types[column.name] in _WHOLE:
        return f"make_timestamptz({name}::BIGINT * 1000000) AS {name}"
    return f"{name}::{column.duckdb} AS {name}"


def _reason_sql(table: Table, types: dict[str, str], now: int) -> str:
    """An SQL expression: why a row is rejected, or NULL."""
    cases: list[tuple[str, str]] = []
    for column in table.columns:
        name, quoted = column.name, f'"{column.name}"'
        shown = f"{quoted}::VARCHAR"
        if column.duckdb == "VARCHAR":
            cases += _reasons_of_text(name, quoted)
            continue
        cases.append((f"{quoted} IS NULL", f"'{UNREADABLE_NUMBER}: {name} is missing'"))
        if column.duckdb == "BIGINT":
            cases.append(
                (
                    f"TRY_CAST({quoted} AS BIGINT) IS NULL OR {quoted} < {SMALLEST_ID}",
                    f"'{NUMBER_OUTSIDE}: {name} ' || {shown}",
                )
            )
        elif column.duckdb == "DOUBLE":
            cases.append((f"isnan({quoted}::DOUBLE)", f"'{UNREADABLE_NUMBER}: {name} NaN'"))
            cases.append(
                (
                    f"{quoted} NOT BETWEEN {STARS[0]} AND {STARS[-1]}",
                    f"'{RATING_OUTSIDE}: ' || {shown}",
                )
            )
            cases.append(
                (
                    f"{quoted}::DOUBLE NOT IN {STARS}",
                    f"'{RATING_BETWEEN_STEPS}: ' || {shown}",
                )
            )
        else:
            low, high = str(FIRST_SECOND), str(now)
            if types[name] not in _WHOLE:
                low, high = (f"make_timestamptz({s}::BIGINT * 1000000)" for s in (low, high))
                quoted = f"{quoted}::TIMESTAMPTZ"
            cases.append(
                (
                    f"{quoted} NOT BETWEEN {low} AND {high}",
                    f"'{TIME_OUTSIDE}: ' || {shown}",
                )
            )
    return "CASE " + " ".join(f"WHEN {test} THEN {why}" for test, why in cases) + " END"


# What str.strip() takes off, and no other characters.
_BLANK = r"[\s\v\x1c-\x1f\x{85}\p{Z}]*"


def _reasons_of_text(name: str, quoted: str) -> list[tuple[str, str]]:
    cases = [(f"{quoted} IS NULL OR regexp_full_match({quoted}, '{_BLANK}')", f"'empty {name}'")]
    cases.append((f"contains({quoted}, chr(0))", f"'{NUL_BYTE}'"))
    if most := MOST_CHARACTERS.get(name):
        told = f"'{name} too long: ' || length({quoted}) || ' characters, at most {most}'"
        cases.append((f"length({quoted}) > {most}", told))
    if name == "genres":
        parts = f"list_filter(string_split({quoted}, '|'), lambda part: "
        blank = f"len({parts}regexp_full_match(part, '{_BLANK}'))) > 0"
        cases.append((blank, f"'{EMPTY_GENRE}: in ''' || {quoted} || ''''"))
    return cases
