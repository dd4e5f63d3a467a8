"""Conditions that leave days of a column: what they let BigQuery skip is whole partitions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlglot import exp
from sqlglot.optimizer.simplify import simplify

_FLIPPED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.EQ,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
}
_DAYS = (exp.Cast, exp.Date, exp.Timestamp, exp.TsOrDsToDate)
_TRUNCATIONS = (exp.DateTrunc, exp.TimestampTrunc)


# What a condition leaves of a column: from the first to the last day, None if open.
Days = tuple[exp.Column, date | None, date | None]


def days(condition: exp.Expr) -> Iterator[Days]:
    """What each part of a condition leaves that compares a column with a constant day."""
    parts = condition.flatten() if isinstance(condition, exp.And) else [condition]
    for part in parts:
        part = part.unnest()
        if isinstance(part, exp.And):
            yield from days(part)
        elif isinstance(part, exp.Between):
            yield from _between(part.this, part.args["low"], part.args["high"])
        elif type(part) in _FLIPPED:
            yield from _compared(type(part), part.this, part.expression)
            yield from _compared(_FLIPPED[type(part)], part.expression, part.this)


def column_of(side: exp.Expr) -> exp.Column | None:
    """The column whose days an expression has, perhaps cut to the first of its month."""
    side = side.unnest()
    while isinstance(side, (*_DAYS, *_TRUNCATIONS)) and side.this is not None:
        if isinstance(side, _TRUNCATIONS) and side.text("unit").upper() not in ("DAY", "MONTH"):
            return None
        side = side.this.unnest()
    return side if isinstance(side, exp.Column) else None


def _compared(kind: type[exp.Expr], side: exp.Expr, other: exp.Expr) -> Iterator[Days]:
    low = other if kind in (exp.EQ, exp.GT, exp.GTE) else None
    high = other if kind in (exp.EQ, exp.LT, exp.LTE) else None
    yield from _between(side, low, high)


def _between(side: exp.Expr, low: exp.Expr | None, high: exp.Expr | None) -> Iterator[Days]:
    column = column_of(side)
    first, last = (_day(end) if column and end else None for end in (low, high))
    if column and (first or last):
        yield column, first, last


def _day(side: exp.Expr) -> date | None:
    side = simplify(side.copy(), dialect="bigquery").unnest()
    while isinstance(side, _DAYS) and side.this is not None:
        side = side.this.unnest()
    if not isinstance(side, exp.Literal):
        return None
    try:
        return date.fromisoformat(side.name[:10])
    except ValueError:
        return None
