"""Rules run on many small tables of made-up rows: what nothing breaks, and what says the same.

A rule that none of them breaks promises nothing, and two that the same ones break say the same,
as far as made-up rows can show. What cannot be run so is not judged.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from threading import Event, Thread

import duckdb
from sqlglot import exp
from sqlglot.errors import SqlglotError

from mesh.contracts.made_up import MOST_ROWS, Columns, numbers, table, world
from mesh.contracts.rules import RowRule, bind
from mesh.contracts.small_changes import small_changes
from mesh.database import trying

WORLDS = 400
# Where rows are looked at one by one, each world holds many.
_ROW_WORLDS = 20
OWN = "t0"
# So many rows are looked at together, where each is looked at alone.
_ROWS = 400
_FEW = (4, 0, 1, 2, 4, 8, 12)
_MOST_TABLES = 6
# A made-up text has up to so many letters, and gets so many times longer in a rule.
_LONG = 300
_MOST_TIMES = 1_000
_MOST_CHANGES = 12
# A rule that runs longer on so few rows is not judged, nor are two that take so long to compare.
_SECONDS = 20.0
_TOGETHER_SECONDS = 8.0
_Tables = tuple[tuple[str, Columns], ...]


@lru_cache(maxsize=1)
def _engine() -> duckdb.DuckDBPyConnection:
    engine = trying()
    engine.execute("SET TimeZone = 'UTC'")
    return engine


def broken_together(rules: Sequence[RowRule], columns: Columns) -> list[bool]:
    """Which rules about rows some row of one made-up table breaks; none where it cannot be told."""
    asked = [exp.LogicalOr(this=rule.broken()) for rule in rules]
    try:
        query = exp.select(*asked).from_(OWN).sql("duckdb")
        if all(_lengthens(rule) <= _MOST_TIMES for rule in asked):
            with _patience(_SECONDS) as engine:
                _make(0, ((OWN, columns),), (_ROWS,))
                (found,) = engine.execute(query).fetchall()
            return [bool(one) for one in found]
    except (duckdb.Error, SqlglotError, RecursionError):
        pass
    return [False] * len(rules)


def is_idle(query: exp.Select, tables: Mapping[str, Columns], *, varies: bool = False) -> bool:
    """Whether a query finds no row, whatever rows its tables have; or, varies, the same always.

    tables: the pools of the columns, by product; that of the rule's own product first.
    """
    names = {product: f"t{number}" for number, product in enumerate(tables)}
    try:
        bound = bind(query, exp.to_table(OWN), lambda product: exp.to_table(names[product]))
        text = (bound if varies else bound.limit(1)).sql("duckdb")
        made = tuple((names[product], columns) for product, columns in tables.items())
        return _finds_nothing(text, made, tuple(_sizes(query)), 2 if varies else 1)
    except (duckdb.Error, SqlglotError, RecursionError, KeyError):
        return False


@dataclass(frozen=True)
class Compared:
    """What two queries of offending rows find in so many worlds.

    broken: worlds in which both find as many, and some; differ: whether in one they do not.
    noticed: of small changes of the first one the share that is told from it; what cannot tell
    these cannot tell the two either.
    """

    worlds: int = 0
    broken: int = 0
    differ: bool = False
    noticed: float = 0.0


def compared(first: exp.Select, second: exp.Select, tables: Mapping[str, Columns]) -> Compared:
    """What two queries find in the same worlds, up to the first in which they differ.

    tables: of both, as for `is_idle`. No world is known where they cannot be run.
    """
    sizes = [_sizes(query) for query in (first, second)]
    if not all(sizes):
        return Compared()
    names = {product: f"t{number}" for number, product in enumerate(tables)}
    made = tuple((names[product], columns) for product, columns in tables.items())
    by_row = sizes == [[_ROWS], [_ROWS]]
    tried = [_ROWS] if by_row else [n for one in sizes for n in (_FEW if one == [_ROWS] else one)]

    def counting(query: exp.Select) -> str:
        bound = bind(query, exp.to_table(OWN), lambda product: exp.to_table(names[product]))
        return f"(SELECT COUNT(*) FROM ({bound.sql('duckdb')}) AS found)"

    found: list[tuple[int, ...]] = []
    try:
        with _patience(_TOGETHER_SECONDS) as engine:
            _make(0, made, tried)
            both = [counting(query) for query in (first, second)]
            others = [counting(query) for query in small_changes(first, _MOST_CHANGES)]
            query = f"SELECT {', '.join([*both, *(one for one in others if _runs(engine, one))])}"
            for number in range(_ROW_WORLDS if by_row else WORLDS):
                _make(number, made, tried)
                with suppress(duckdb.OutOfRangeException, duckdb.ConversionException):
                    found += engine.execute(query).fetchall()
                    if found[-1][0] != found[-1][1]:
                        break
    except (duckdb.Error, SqlglotError, RecursionError, KeyError):
        found = []
    columns = [*zip(*found, strict=True)] or [(), ()]
    differ, *changes = (any(map(operator.ne, columns[0], one)) for one in columns[1:])
    return Compared(
        len(found),
        sum(one == other > 0 for one, other, *_ in found),
        differ,
        sum(changes) / len(changes) if changes else 0.0,
    )


def _runs(engine: duckdb.DuckDBPyConnection, counting: str) -> bool:
    """Whether a query that was changed is one yet."""
    try:
        engine.execute(f"SELECT {counting}")
    except duckdb.Error:
        return False
    return True


def _lengthens(query: exp.Expr) -> int:
    """How many times longer texts can get in a query, if each step works on what another made."""
    times = 1
    for one in query.find_all(exp.Concat, exp.DPipe, exp.Replace, exp.RegexpReplace):
        if isinstance(one, exp.Replace | exp.RegexpReplace):
            put = one.args.get("replacement")
            more = len(put.name) if isinstance(put, exp.Literal) else _LONG if put else 0
            times *= max(1, more + isinstance(one, exp.RegexpReplace))
        else:
            times *= max(2, len(one.expressions))
    return times


def _sizes(query: exp.Expr) -> list[int]:
    """Numbers of rows to try; none where it would take too many to break a rule, or to run it."""
    if _lengthens(query) > _MOST_TIMES:
        return []  # What texts take counts for no limit of the engine's, and nothing stops it.
    read = sum(1 for _ in query.find_all(exp.Table))
    parts = sum(1 for _ in query.find_all(exp.Select, exp.AggFunc, exp.Window))
    if parts == 1:
        return [_ROWS]  # Each row is looked at for itself.
    limits = [abs(one) for one in numbers(query)]
    if any(one > 1 for one in limits) and _is_nested(query):
        return []  # Several groups that are large enough at once are not made up by chance.
    limits = limits if query.find(exp.Count) else []
    if read > _MOST_TABLES or max(limits, default=0) > MOST_ROWS:
        return []
    if read > 1 and max(limits, default=0) > 1:
        return []  # So many rows that belong together in several tables seldom come about.
    more = sorted({int(one) + step for one in limits if one > 3 for step in (0, 1)})
    return [*_FEW, *more * 2]


def _is_nested(query: exp.Expr) -> bool:
    """Whether something is asked of what was counted or summed up before."""
    counted = (one.find_ancestor(exp.Select) for one in query.find_all(exp.AggFunc))
    within = (one.find_ancestor(exp.Select) for one in counted if one)
    return any(one is not None and one is not query for one in within)


@lru_cache(maxsize=1024)
def _finds_nothing(query: str, tables: _Tables, sizes: tuple[int, ...], needed: int) -> bool:
    """Whether a query finds fewer than the needed number of different rows in all worlds."""
    ran, found = 0, set[object]()
    worlds = _ROW_WORLDS if sizes == (_ROWS,) else WORLDS
    with _patience(_SECONDS) as engine:
        for number in range(worlds) if sizes else ():
            _make(number, tables, sizes)
            try:
                found.update(engine.execute(query).fetchall())
            except duckdb.OutOfRangeException:
                continue  # The engine refuses such values before the rule can.
            if len(found) >= needed:
                return False
            ran += 1
    return ran > worlds / 2


@contextmanager
def _patience(seconds: float) -> Iterator[duckdb.DuckDBPyConnection]:
    """The engine, which raises a duckdb.Error when it takes too long."""
    engine, done = _engine(), Event()

    def stop() -> None:
        # Between two queries the engine does not hear it, so it is told until it has.
        waits = seconds
        while not done.wait(waits):
            engine.interrupt()
            waits = 0.1

    Thread(target=stop, daemon=True).start()
    try:
        yield engine
    finally:
        done.set()


def _make(number: int, tables: _Tables, sizes: Sequence[int]) -> None:
    made = world(number, dict(tables), sizes)
    for name, columns in tables:
        _engine().execute(table(name, columns), made[name])
