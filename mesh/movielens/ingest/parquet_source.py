"""Loads a table from Parquet files: the same rules as for lines, said in SQL.

A row is named by its file and its number in it, counted from 1; its text is its values, joined
with commas.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from mesh.errors import Location, WrongUse
from mesh.movielens.ingest import rules
from mesh.movielens.ingest.literals import literal, literals, only_row
from mesh.movielens.ingest.schema import Column, Table
from mesh.movielens.ingest.source import EXPANSION_MATTERS, MOST_EXPANSION, TableFiles
from mesh.plain import one_line

# A row is called by its number in its file, counted from this one.
FIRST_ROW = 1
CHUNK = 20_000
BEYOND = "beyond every calendar"
_WHOLE = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
)  # fmt: skip
_FLOATS = ("FLOAT", "DOUBLE")
_NUMBERS = (*_FLOATS, "DECIMAL", *_WHOLE)
_TIMES = (
    "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE",
)  # fmt: skip
_FITTING = {
    "BIGINT": _NUMBERS,
    "VARCHAR": ("VARCHAR",),
    "DOUBLE": _NUMBERS,
    "TIMESTAMP WITH TIME ZONE": (*_NUMBERS, *_TIMES),
}


def texts_of_rows(
    connection: duckdb.DuckDBPyConnection,
    files: TableFiles,
    indexes: np.ndarray,
    numbers: np.ndarray,
) -> list[str]:
    """The texts of rows with these files (as indexes) and numbers, ascending."""
    wanted = pa.table(
        {"position": np.arange(len(numbers)), "file": indexes, "number": numbers - FIRST_ROW}
    )
    connection.register("wanted_rows", wanted)
    found = connection.execute(
        f"SELECT raw_text FROM ({_rows_sql(files)}) JOIN wanted_rows "
        "USING (file, number) ORDER BY position"
    ).fetchall()
    connection.unregister("wanted_rows")
    return [text for (text,) in found]


def load_parquet(
    connection: duckdb.DuckDBPyConnection,
    files: TableFiles,
    source: Path,
    staged: str,
    reject: Callable[[str, int, str, str], None],
) -> tuple[np.ndarray, np.ndarray]:
    """Load the good rows into the table `staged`; tell `reject` the others.

    Returns, for each file, the number of rows in it and all before, and the rows (0-based over all
    files, ascending) that were rejected. Raises WrongUse when a file is no Parquet, is damaged, has
    other columns, or holds more than a file of its size can.
    """
    types = _check_columns(connection, files, source)
    values = ", ".join(_value_sql(column, types) for column in files.table.columns)
    reason = _reason_sql(files.table, types)
    try:
        ends = _row_counts(connection, files, source)
        return ends, _load_rows(connection, files, ends, staged, values, reason, reject)
    except (duckdb.IOException, duckdb.OutOfMemoryException):
        raise
    except duckdb.Error as error:
        if "to Timestamp(US)" in str(error):
            # DuckDB reads none of its rows then.
            raise WrongUse(
                "a timestamp in it lies hundreds of thousands of years from now.",
                where=Location(source / files.names[0]),
                fix="Correct it, or write the column in microseconds or as seconds since 1970, "
                "where such a row is rejected alone.",
            ) from error
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
    ends: np.ndarray,
    staged: str,
    values: str,
    reason: str,
    reject: Callable[[str, int, str, str], None],
) -> np.ndarray:
    """values, reason: SQL of the columns, and of why a row is rejected or NULL."""
    starts = np.concatenate(([0], ends[:-1]))
    left_out = array("q")
    with connection.cursor() as reading:
        reading.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        reading.execute(
            f"SELECT file, number, raw_text, {reason} AS reason FROM ({_rows_sql(files)}) "
            "WHERE reason IS NOT NULL ORDER BY file, number"
        )
        while bad := reading.fetchmany(CHUNK):
            for file, number, text, why in bad:
                reject(files.names[file], number + FIRST_ROW, text, why)
                left_out.append(starts[file] + number)
    connection.execute(
        f"CREATE TABLE {staged} AS SELECT {values} FROM ({_rows_sql(files)}) WHERE {reason} IS NULL"
    )
    return np.array(left_out, dtype=np.int64)


def _rows_sql(files: TableFiles) -> str:
    """All rows with file index, row number and text."""
    names = [f'"{name}"' for name in files.table.column_names]
    # A moment may lie beyond all that the engine can write.
    text = " || ',' || ".join(
        f"coalesce(TRY({name}::VARCHAR), IF({name} IS NULL, '', '{BEYOND}'))" for name in names
    )
    return (
        f"SELECT {', '.join(names)}, file_row_number AS number, file_index AS file, "
        f"{text} AS raw_text FROM read_parquet([{literals(map(str, files.paths))}], "
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
                f"the column types differ from those in {one_line(files.names[0])}.",
                where=shown,
                fix="Write all files of a table with the same types.",
            )
        first = types
    return first or {}


def _row_counts(
    connection: duckdb.DuckDBPyConnection, files: TableFiles, source: Path
) -> np.ndarray:
    """For each file, the number of rows in it and all files before."""
    counts = []
    texts = [f'strlen("{c.name}")' for c in files.table.columns if c.duckdb == "VARCHAR"]
    for path, name in zip(files.paths, files.names, strict=True):
        where = literal(str(path))
        (rows,) = only_row(
            connection.execute(f"SELECT num_rows FROM parquet_file_metadata({where})")
        )
        packed, unpacked = path.stat().st_size, 8 * rows * len(files.table.columns)
        most = max(EXPANSION_MATTERS, MOST_EXPANSION * packed)
        if texts and unpacked <= most:
            (length,) = only_row(
                connection.execute(f"SELECT sum({' + '.join(texts)}) FROM read_parquet({where})")
            )
            unpacked += int(length or 0)
        if unpacked > most:
            raise WrongUse(
                f"{packed:,} bytes hold {rows:,} rows of {unpacked:,} bytes, more than "
                f"{MOST_EXPANSION} times as much, so this is no MovieLens file.",
                where=Location(source / name),
                fix="Do not use this file; get it from a source that you trust.",
            )
        counts.append(rows)
    return np.cumsum(np.array(counts, dtype=np.int64))


def _value_sql(column: Column, types: dict[str, str]) -> str:
    name = f'"{column.name}"'
    if column.name == "timestamp" and types[column.name] not in _TIMES:
        number = "BIGINT" if types[column.name] in _WHOLE else "DOUBLE"
        return f"make_timestamptz(round({name}::{number} * 1000000)::BIGINT) AS {name}"
    return f"{name}::{column.duckdb} AS {name}"


def _reason_sql(table: Table, types: dict[str, str]) -> str:
    """An SQL expression: why a row is rejected before it can be looked at closer, or NULL."""
    cases: list[tuple[str, str]] = []
    for column in table.columns:
        name, quoted, kind = column.name, f'"{column.name}"', types[column.name]
        shown = f"coalesce(TRY({quoted}::VARCHAR), '{BEYOND}')"
        if column.duckdb == "VARCHAR":
            cases.append((f"contains({quoted}, chr(0))", f"'{rules.NUL_BYTE}'"))
            continue
        unreadable = rules.UNREADABLE_TIME if name == "timestamp" else rules.UNREADABLE_NUMBER
        cases.append((f"{quoted} IS NULL", f"'{unreadable}: {name} is missing'"))
        if kind in _FLOATS:
            cases.append((f"isnan({quoted})", f"'{unreadable}: {name} NaN'"))
        if column.duckdb == "BIGINT":
            outside = f"TRY_CAST({quoted} AS BIGINT) IS NULL OR {quoted} < {rules.SMALLEST_ID}"
            cases.append((outside, f"'{rules.NUMBER_OUTSIDE}: {name} ' || {shown}"))
            if kind not in _WHOLE:
                told = f"'{unreadable}: {name} ' || {shown} || ', {rules.EXPECTED[name]}'"
                cases.append((f"{quoted} <> trunc({quoted})", told))
        elif column.duckdb == "DOUBLE":
            outside = f"{quoted} NOT BETWEEN {rules.STARS[0]} AND {rules.STARS[-1]}"
            cases.append((outside, f"'{rules.RATING_OUTSIDE}: ' || {shown}"))
            between = f"{quoted}::DOUBLE NOT IN {rules.STARS}"
            cases.append((between, f"'{rules.RATING_BETWEEN_STEPS}: ' || {shown}"))
        elif kind in _TIMES:
            beyond = f"TRY({quoted}::{column.duckdb}) IS NULL"
            cases.append((beyond, f"'{rules.TIME_OUTSIDE}: ' || {shown}"))
        else:
            told = f"'{rules.TIME_OUTSIDE}: ' || {shown} || ', {rules.EXPECTED[name]}'"
            cases.append((f"{quoted} NOT BETWEEN 0 AND {rules.LARGEST_SECOND}", told))
    return "CASE " + " ".join(f"WHEN {test} THEN {why}" for test, why in cases) + " END"
