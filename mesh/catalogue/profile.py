"""What the data of a model looks like, counted inside the engine in a few queries."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

from sqlglot import exp

from mesh.catalogue.looks import LIKE_PERSONS, looks_like
from mesh.contracts.constraints.base import Seen
from mesh.contracts.types import TIMED
from mesh.environments import Opened

# A text column with more values than this is no enum.
ENUM_VALUES = 12
# Of as many rows each value is seen often, and another one would most likely have been seen too.
ROWS_OF_VALUE = 10
# Of what none of so many rows breaks, up to one row in ten may still do so (95%, rule of three); of
# fewer a draft promises nothing.
LEAST_ROWS = 30
KEY_COLUMNS = 4
KEY_CANDIDATES = 8
STEPS = (1.0, 0.5, 0.25)
ENDS = (exp.Min, exp.Max)


@dataclass(frozen=True)
class Profile:
    """rows, a profile by column, and the smallest set of columns that tells all rows apart."""

    rows: int
    columns: Mapping[str, Seen]
    grain: tuple[str, ...]
    first_days: frozenset[str]


def profile(opened: Opened, table: exp.Expr, types: Mapping[str, str]) -> Profile:
    """Profile a table; types: the BigQuery type of each column, in order."""
    aggregates: list[exp.Expr] = [exp.Count(this=exp.Star())]
    for name, kind in types.items():
        column = exp.column(name, quoted=True)
        aggregates += [
            exp.Count(this=column.copy()),
            exp.Min(this=column.copy()),
            exp.Max(this=column.copy()),
            exp.Count(this=exp.Distinct(expressions=[column.copy()])),
        ]
        aggregates += [_off_step(column, step) for step in STEPS] if kind == "FLOAT64" else []
        aggregates += [end(this=_of_persons(column)) for end in ENDS] if kind == "STRING" else []
        if kind == "DATE":
            day = exp.Extract(this=exp.var("DAY"), expression=column.copy())
            aggregates.append(exp.CountIf(this=exp.NEQ(this=day, expression=_number(1))))
    query = exp.select(*(exp.alias_(one, f"a{i}") for i, one in enumerate(aggregates)))
    values = iter(opened.rows(query.from_(table.copy()))[0])
    rows = next(values)
    columns: dict[str, Seen] = {}
    first_days: set[str] = set()
    for name, kind in types.items():
        filled, *ends, different = (next(values) for _ in range(4))
        low, high = (_plain(end, kind) for end in ends)
        off = [next(values) for _ in STEPS] if kind == "FLOAT64" else []
        persons = [next(values) for _ in ENDS] if kind == "STRING" else []
        # Three different ones are no chance, however few rows there are.
        if kind == "DATE" and next(values) == 0 and different >= 3:
            first_days.add(name)
        known = low is not None and high is not None
        steps = [step for step, wrong in zip(STEPS, off, strict=False) if known and not wrong]
        few = kind == "STRING" and 0 < different <= min(ENUM_VALUES, filled // ROWS_OF_VALUE)
        columns[name] = Seen(
            nulls=rows - filled,
            minimum=low,
            maximum=high,
            values=_values(opened, table, name) if few else (),
            step=steps[0] if steps else None,
            is_of_each_row=2 * different > filled,
            filled=filled,
            looks_like=looks_like(filter(None, persons)),
        )
    grain = _grain(opened, table, types, columns, rows) if rows >= LEAST_ROWS else ()
    return Profile(rows, columns, grain, frozenset(first_days))


def is_enough(opened: Opened, table: exp.Expr) -> bool:
    """Whether a table has the rows for a promise to rest on."""
    return count(opened, table) >= LEAST_ROWS


def count(opened: Opened, table: exp.Expr) -> int:
    """How many rows a table or a query in brackets has."""
    rows: int = opened.rows(exp.select(exp.Count(this=exp.Star())).from_(table.copy()))[0][0]
    return rows


def different(opened: Opened, table: exp.Expr, names: Iterable[str]) -> int:
    """How many different rows a table has in these columns."""
    keys = [exp.column(name, quoted=True) for name in names]
    return count(opened, exp.select(*keys).distinct().from_(table.copy()).subquery("different"))


def _plain(value: Any, kind: str) -> Any:
    """A value as a contract can write it; None of what is no number, has no end, or is a day that
    no calendar of Python's has."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if kind in TIMED and not isinstance(value, date):
        return None
    if kind == "STRING" and value is not None:
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: float) -> exp.Expr:
    return exp.Literal.number(repr(value))


def _off_step(column: exp.Column, step: float) -> exp.Expr:
    """How many values are no multiple of the step."""
    steps = column * _number(1 / step)
    return exp.CountIf(this=steps.neq(exp.Round(this=steps.copy())))


def _of_persons(column: exp.Column) -> exp.Expr:
    """A text in which an e-mail address or the like may stand; nothing of others."""
    pattern = exp.Literal.string(LIKE_PERSONS)
    is_like = exp.RegexpLike(this=column.copy(), expression=pattern)
    return exp.Case(ifs=[exp.If(this=is_like, true=column.copy())])


def _values(opened: Opened, table: exp.Expr, name: str) -> tuple[str, ...]:
    column = exp.column(name, quoted=True)
    query = exp.select(column).distinct().from_(table.copy()).order_by(column.copy())
    return tuple(str(value) for (value,) in opened.rows(query) if value is not None)


def _grain(
    opened: Opened,
    table: exp.Expr,
    types: Mapping[str, str],
    columns: Mapping[str, Seen],
    rows: int,
) -> tuple[str, ...]:
    """The first and smallest combination without repetition; numbers that measure are no keys."""
    candidates = [
        name
        for name, kind in types.items()
        if not columns[name].nulls
        and kind not in ("FLOAT64", "NUMERIC", "BOOL")
        and not name.endswith("_count")
    ][:KEY_CANDIDATES]
    for size in range(1, min(KEY_COLUMNS, len(candidates)) + 1):
        for names in combinations(candidates, size):
            if different(opened, table, names) == rows:
                return names
    return ()
