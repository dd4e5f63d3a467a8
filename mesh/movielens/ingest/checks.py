"""What is said of rows once they are read, whatever file they came from.

A check is one record in `CHECKS`. Rows that fail are taken out of the staging tables and traced
back to their lines; of those left, the first of each key stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np
import pyarrow as pa

from mesh.movielens.ingest.genres import Genres
from mesh.movielens.ingest.literals import literal, literals, only_row
from mesh.movielens.ingest.movies import clean_movies
from mesh.movielens.ingest.progress import Observer, Step
from mesh.movielens.ingest.rules import BLANK, FIRST_SECOND, MOST_CHARACTERS, TIME_OUTSIDE
from mesh.movielens.ingest.schema import MOVIES, RATINGS, TAGS, Table
from mesh.movielens.ingest.source import Delivery
from mesh.movielens.ingest.stage import (
    REJECTED,
    Counts,
    Origin,
    Rejections,
    Stage,
    load_table,
)

KNOWN_MOVIES = "known_movies"
# Movies whose own lines were rejected (movieId, told, kind): what is told of them, and why.
LOST_MOVIES = "lost_movies"
# The id at the beginning of a line or of a row's text.
_FIRST_ID = r'^[\s\x{feff}]*"?0*([0-9]{1,18})(?:\.0*)?"?\s*(?:,|$)'
# Rejected rows that are held in memory together.
MOST_AT_ONCE = 500_000
# Two ids up to this fit one 64-bit key: four times faster to group by.
PACKABLE = 2**31


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


def _blank(name: str) -> str:
    return f"{name} IS NULL OR regexp_full_match({name}, {literal(f'{BLANK}*')})"


def _texts(table: Table, name: str) -> Iterator[Check]:
    most = MOST_CHARACTERS[name]
    yield Check((table,), wrong=_blank(name), shown="NULL", reason=f"empty {name}")
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
    stage: Stage,
    delivery: Delivery,
    *,
    genres: Genres,
    work: Path,
    now: int,
    observer: Observer,
) -> None:
    """Read, check and load the three tables; afterwards `stage` says what became of them.

    genres: those that are known. work: a folder for copies. now: epoch seconds. A temporary table
    `known_movies` (movieId) may stand on the connection with the movies known before (--append);
    else the delivery's own count.
    """
    rejections = Rejections(stage.connection)
    origins = {
        files.table.name: load_table(
            stage, delivery, files, rejections, work=work, observer=observer
        )
        for files in (delivery.ratings, delivery.movies, delivery.tags)
    }
    for files in delivery.files:
        origin = origins[files.table.name]
        observer(Step(f"checking {files.table.name}", 0.0))
        if files.table is MOVIES:
            clean_movies(stage, origin, genres)
        for check in CHECKS:
            if files.table in check.tables:
                _check_rows(stage, origin, rejections, check, now)
        _check_keys(stage, origin, rejections)
        if files.table is MOVIES:
            _know_movies(stage, origin, rejections)
        stage.counts[files.table.name] = _counted(stage, origin, rejections)
    rejections.flush()
    stage.kinds = rejections.kinds


def _counted(stage: Stage, origin: Origin, rejections: Rejections) -> Counts:
    """What became of the lines of one table. Each one must be in one place or the other."""
    files = origin.files
    loaded = stage.count(stage.qualify(files.table))
    rejected = sum(rejections.counts[name] for name in files.names)
    if loaded + rejected != origin.lines_read:
        raise RuntimeError(
            f"{files.table.name}: {origin.lines_read} lines read, but {loaded} loaded and "
            f"{rejected} rejected"
        )
    return Counts(origin.lines_read, loaded, rejected, origin.empty_lines)


def _know_movies(stage: Stage, origin: Origin, rejections: Rejections) -> None:
    """Which movies there are, and which there would be if their lines had not been rejected."""
    stage.connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS {KNOWN_MOVIES} (movieId BIGINT)")
    stage.connection.execute(
        f"INSERT INTO {KNOWN_MOVIES} SELECT movieId FROM {stage.qualify(MOVIES)} "
        f"WHERE movieId NOT IN (SELECT movieId FROM {KNOWN_MOVIES})"
    )
    rejections.flush()
    stage.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {LOST_MOVIES} AS SELECT movieId, "
        "any_value(', rejected at ' || file || ':' || line_number || ' (' || kind || ')') AS told, "
        "any_value(kind) AS kind FROM (SELECT file, line_number, "
        "split_part(reason, ':', 1) AS kind, "
        f"TRY_CAST(regexp_extract(raw_text, {literal(_FIRST_ID)}, 1) AS BIGINT) AS movieId "
        f"FROM {REJECTED} WHERE file IN ({literals(origin.files.names)})) "
        "WHERE movieId IS NOT NULL GROUP BY movieId"
    )


def _check_rows(
    stage: Stage, origin: Origin, rejections: Rejections, check: Check, now: int
) -> None:
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
        _reject_rows(stage, origin, rejections, rows, reasons, [cause for _, _, cause in found])
        if len(found) < MOST_AT_ONCE:
            return


def _check_keys(stage: Stage, origin: Origin, rejections: Rejections) -> None:
    """Of the rows with one key the first in file order stays, the others are rejected."""
    table = origin.files.table
    staged = stage.qualify(table)
    if _in_strict_order(stage, table, staged):
        return
    key = ", ".join(table.key)
    firsts = ", ".join(f"first({name}) AS {name}" for name in table.key)
    grouped = key
    if len(table.key) == 2 and _packable(stage, table, staged):
        grouped = f"{table.key[0]} * {PACKABLE} + {table.key[1]}"
    stage.connection.execute(
        "CREATE OR REPLACE TEMP TABLE repeated AS "
        f"SELECT min(rowid) AS first, {firsts} FROM {staged} GROUP BY {grouped} HAVING count(*) > 1"
    )
    if not stage.count("repeated"):
        return
    found = stage.connection.execute(
        f"SELECT {staged}.rowid AS row, first FROM {staged} JOIN repeated USING ({key}) "
        f"WHERE {staged}.rowid > first ORDER BY {staged}.rowid"
    ).fetchnumpy()
    places = origin.place(found["first"])
    reasons = [f"duplicate key: {', '.join(table.key)} as in {place}" for place in places]
    _reject_rows(stage, origin, rejections, found["row"], reasons)


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


def _packable(stage: Stage, table: Table, staged: str) -> bool:
    largest = ", ".join(f"max({name})" for name in table.key)
    values = only_row(stage.connection.execute(f"SELECT {largest} FROM {staged}"))
    return all((value or 0) < PACKABLE for value in values)


def _reject_rows(
    stage: Stage,
    origin: Origin,
    rejections: Rejections,
    rows: np.ndarray,
    reasons: Iterable[str],
    causes: Iterable[str | None] = repeat(None),
) -> None:
    """Take the rows (row ids, ascending) out of the staging table, each with its reason."""
    if not len(rows):
        return
    for line, reason, cause in zip(origin.trace(rows), reasons, causes):  # noqa: B905
        rejections.add(*line, reason, cause)

    staged = stage.qualify(origin.files.table)
    stage.connection.register("wrong_rows", pa.table({"row": rows}))
    stage.connection.execute(f"DELETE FROM {staged} WHERE rowid IN (SELECT row FROM wrong_rows)")
    stage.connection.unregister("wrong_rows")
