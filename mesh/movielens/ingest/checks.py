"""What is said of rows once they are read, whatever file they came from.

A check is one record in `CHECKS`. Rows that fail are taken out of the staging tables and traced
back to their lines; of those left, the newest of each key counts, in the delivery and in an append.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mesh.movielens.ingest.genres import Genres
from mesh.movielens.ingest.literals import literal, literals, only_row
from mesh.movielens.ingest.movies import clean_movies
from mesh.movielens.ingest.progress import Observer, Step
from mesh.movielens.ingest.rules import (
    BLANK,
    FIRST_SECOND,
    MOST_CHARACTERS,
    NOT_NEWEST,
    REPLACED,
    TIME_OUTSIDE,
)
from mesh.movielens.ingest.schema import MOVIES, RATINGS, SCHEMA, TAGS, Table
from mesh.movielens.ingest.source import Delivery
from mesh.movielens.ingest.stage import REJECTED, Counts, Origin, Stage, load_table

KNOWN_MOVIES = "known_movies"
# Movies whose own lines were rejected (movieId, told, kind): what is told of them, and why.
LOST_MOVIES = "lost_movies"
# The id at the beginning of a line or of a row's text.
_FIRST_ID = r'^[\s\x{feff}]*"?0*([0-9]{1,18})(?:\.0*)?"?\s*(?:,|$)'
# Rejected rows that are held in memory together.
MOST_AT_ONCE = 500_000


@dataclass(frozen=True)
class Check:
    """What no row may be.

    tables: whose rows are looked at. wrong: a condition on their columns, in DuckDB's SQL, in which
    `$now` is the second of the ingest. shown: an SQL expression of what the reason shows. reason:
    '<kind>: <detail>', where `{}` or `{!r}` is what is shown, as text. cause: an SQL expression of
    the kind of reason for which another line was rejected that would have kept this one.
    """

    tables: tuple[Table, ...]
    wrong: str
    shown: str
    reason: str
    cause: str = "NULL"


def _texts(table: Table, name: str) -> Iterator[Check]:
    most = MOST_CHARACTERS[name]
    blank = f"{name} IS NULL OR regexp_full_match({name}, {literal(f'{BLANK}*')})"
    yield Check((table,), wrong=blank, shown="NULL", reason=f"empty {name}")
    yield Check(
        (table,),
        wrong=f"length({name}) > {most}",
        shown=f"length({name})",
        reason=f"{name} too long: {{}} characters, at most {most}",
    )


CHECKS = (
    *_texts(MOVIES, "title"),
    *_texts(TAGS, "tag"),
    Check(
        (RATINGS, TAGS),
        wrong=f"timestamp < to_timestamp({FIRST_SECOND}) OR timestamp > to_timestamp($now)",
        shown="epoch_us(timestamp) // 1000000",
        reason=f"{TIME_OUTSIDE}: {{!r}}",
    ),
    Check(
        (RATINGS, TAGS),
        wrong=f"movieId NOT IN (SELECT movieId FROM {KNOWN_MOVIES})",
        shown=f"movieId || coalesce((SELECT told FROM {LOST_MOVIES} AS lost "
        "WHERE lost.movieId = staged.movieId), '')",
        reason="unknown movie: {}",
        cause=f"(SELECT kind FROM {LOST_MOVIES} AS lost WHERE lost.movieId = staged.movieId)",
    ),
)


def fill_stage(
    stage: Stage, delivery: Delivery, *, genres: Genres, work: Path, now: int, observer: Observer
) -> None:
    """Read, check and load the three tables; afterwards `stage` says what became of them.

    genres: those that are known. work: a folder for copies. now: epoch seconds.
    """
    stage.origins = origins = {
        files.table.name: load_table(stage, delivery, files, work=work, observer=observer)
        for files in (delivery.ratings, delivery.movies, delivery.tags)
    }
    for files in delivery.files:
        origin = origins[files.table.name]
        observer(Step(f"checking {files.table.name}", 0.0))
        if files.table is MOVIES:
            clean_movies(stage, origin, genres)
        if files.table is TAGS:
            stage.without_breaks(TAGS, "tag")
        for check in CHECKS:
            if files.table in check.tables:
                _check_rows(stage, origin, check, now)
        _check_keys(stage, origin)
        if files.table is MOVIES:
            _know_movies(stage, origin)
        stage.counts[files.table.name] = _counted(stage, origin)
    stage.rejections.flush()


def _counted(stage: Stage, origin: Origin) -> Counts:
    """What became of the lines of one table. Each one must be in one place or the other."""
    files = origin.files
    loaded = stage.count(stage.qualify(files.table))
    rejected = sum(stage.rejections.counts[name] for name in files.names)
    ignored = sum(stage.rejections.ignored[name] for name in files.names)
    if loaded + rejected + ignored != origin.lines_read:
        raise RuntimeError(
            f"{files.table.name}: {origin.lines_read} lines read, but {loaded} loaded, "
            f"{rejected} rejected and {ignored} ignored"
        )
    return Counts(origin.lines_read, loaded, rejected, origin.empty_lines, ignored)


def _know_movies(stage: Stage, origin: Origin) -> None:
    """Which movies there are, and which there would be if their lines had not been rejected."""
    before = f" UNION {stage.known}" if stage.known else ""
    stage.connection.execute(
        f"CREATE TEMP TABLE {KNOWN_MOVIES} AS SELECT movieId FROM {stage.qualify(MOVIES)}{before}"
    )
    stage.rejections.flush()
    stage.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {LOST_MOVIES} AS SELECT movieId, "
        "any_value(', rejected at ' || file || ':' || line_number || ' (' || kind || ')') AS told, "
        "any_value(kind) AS kind FROM (SELECT file, line_number, "
        "split_part(reason, ':', 1) AS kind, "
        f"TRY_CAST(regexp_extract(raw_text, {literal(_FIRST_ID)}, 1) AS BIGINT) AS movieId "
        f"FROM {REJECTED} WHERE file IN ({literals(origin.files.names)})) "
        "WHERE movieId IS NOT NULL GROUP BY movieId"
    )


def _check_rows(stage: Stage, origin: Origin, check: Check, now: int) -> None:
    """Reject the rows for which a check's condition holds, so many at a time that they fit."""
    while True:
        found = stage.connection.execute(
            f"SELECT rowid, ({check.shown})::VARCHAR, {check.cause} "
            f"FROM {stage.qualify(origin.files.table)} AS staged WHERE {check.wrong} "
            f"ORDER BY rowid LIMIT {MOST_AT_ONCE}",
            {"now": now} if "$now" in check.wrong else {},
        ).fetchall()
        rows = np.array([row for row, _, _ in found], dtype=np.int64)
        reasons = [check.reason.format(shown) for _, shown, _ in found]
        _reject_rows(stage, origin, rows, reasons, [cause for _, _, cause in found])
        if len(found) < MOST_AT_ONCE:
            return


def _check_keys(stage: Stage, origin: Origin) -> None:
    """Of the rows with one key the newest stays, of equal ones the first line. The others go."""
    table = origin.files.table
    staged = stage.qualify(table)
    if _in_strict_order(stage, table, staged):
        return
    key = ", ".join(table.key)
    stage.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE repeated AS SELECT {key} FROM {staged} "
        f"GROUP BY {key} HAVING count(*) > 1"
    )
    if not stage.count("repeated"):
        return
    newest = ", ".join(f"{name} {'DESC' if by == '>' else 'ASC'}" for name, by in table.newest_by)
    values = f"row({', '.join(table.values)})"
    found = stage.connection.execute(
        "SELECT row, best, same FROM ("
        f"SELECT {staged}.rowid AS row, first_value({staged}.rowid) OVER newest AS best, "
        f"{values} IS NOT DISTINCT FROM first_value({values}) OVER newest AS same "
        f"FROM {staged} JOIN repeated USING ({key}) WINDOW newest AS (PARTITION BY {key} "
        f"ORDER BY {f'{newest}, {staged}.rowid' if newest else f'{staged}.rowid DESC'})"
        ") WHERE row <> best ORDER BY row"
    ).fetchnumpy()
    reasons = [
        f"{'duplicate key' if same else NOT_NEWEST}: {', '.join(table.key)} as in {place}"
        for same, place in zip(found["same"], origin.place(found["best"]), strict=True)
    ]
    _reject_rows(stage, origin, found["row"], reasons)


def settle(stage: Stage, table: Table, found: Iterable[tuple[Any, ...]]) -> None:
    """Of a staged row and the other one of its key in the table the newer counts; that the other
    one does not is kept.

    found: whether the staged row counts, its row id (ascending), its values, those of the other.
    """
    there = f"{SCHEMA}.{table.name}"
    older, reasons, replaced = [], [], 0
    for counts, row, *values in found:
        incoming, present = (
            _as_line(some) for some in (values[: len(table.columns)], values[len(table.columns) :])
        )
        if counts:
            stage.rejections.add(there, None, present, f"{REPLACED}: by {incoming}")
            replaced += 1
        else:
            older.append(row)
            reasons.append(f"{NOT_NEWEST}: {there} has {present}")
    _reject_rows(stage, stage.origins[table.name], np.array(older), reasons)
    was = stage.counts[table.name]
    stage.counts[table.name] = replace(
        was, loaded=was.loaded - len(older), ignored=was.ignored + len(older), replaced=replaced
    )


def _as_line(values: Iterable[Any]) -> str:
    """Values as a line of a CSV file has them."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(
        f"{value.timestamp():f}".rstrip("0").rstrip(".") if isinstance(value, datetime) else value
        for value in values
    )
    return line.getvalue()


def _in_strict_order(stage: Stage, table: Table, staged: str) -> bool:
    """True when the keys ascend strictly in file order, as in MovieLens's own files: then none
    stands twice, and no grouping is needed to know it."""
    names = ", ".join(table.key)
    before = ", ".join(f"lag({name}) OVER () AS {name}_before" for name in table.key)
    smaller = f"row({names}) <= row({', '.join(f'{name}_before' for name in table.key)})"
    if len(table.key) == 2:
        first, second = table.key
        smaller = (
            f"NOT ({first} > {first}_before "
            f"OR ({first} = {first}_before AND {second} > {second}_before))"
        )
    query = f"SELECT count(*) FROM (SELECT {names}, {before} FROM {staged}) WHERE {smaller}"
    return not only_row(stage.connection.execute(query))[0]


def _reject_rows(
    stage: Stage,
    origin: Origin,
    rows: np.ndarray,
    reasons: Iterable[str],
    causes: Iterable[str | None] = repeat(None),
) -> None:
    """Take the rows (row ids, ascending) out of the staging table, each with its reason."""
    if not len(rows):
        return
    for line, reason, cause in zip(origin.trace(rows), reasons, causes):  # noqa: B905
        stage.rejections.add(*line, reason, cause)

    staged = stage.qualify(origin.files.table)
    stage.connection.register("wrong_rows", pa.table({"row": rows}))
    stage.connection.execute(f"DELETE FROM {staged} WHERE rowid IN (SELECT row FROM wrong_rows)")
    stage.connection.unregister("wrong_rows")
