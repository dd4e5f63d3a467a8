"""What BigQuery keeps up to date as a materialized view, and what it cannot.

The lists are those of Google's guide to materialized views, for views that grow with their tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlmesh.core.model.kind import ViewKind

from mesh.prove.planner import Problem

if TYPE_CHECKING:
    from sqlmesh import Model

_WHOLE = "allow_non_incremental_definition"
_MOMENTS = (exp.CurrentDate, exp.CurrentDatetime, exp.CurrentTime, exp.CurrentTimestamp)
_FORBIDDEN: tuple[tuple[str, tuple[type[exp.Expr], ...]], ...] = (
    ("a window function", (exp.Window,)),
    ("HAVING", (exp.Having,)),
    ("ORDER BY", (exp.Order,)),
    ("LIMIT", (exp.Limit,)),
    ("EXCEPT or INTERSECT", (exp.Except, exp.Intersect)),
    ("TABLESAMPLE", (exp.TableSample,)),
    ("what differs from one moment to the next", (*_MOMENTS, exp.Rand, exp.Uuid)),
)
_OF_ROWS = ((exp.Order,), (exp.Limit,))
_AGGREGATES = (
    *(exp.AnyValue, exp.ApproxDistinct, exp.ArrayAgg, exp.Avg, exp.Count, exp.CountIf, exp.Sum),
    *(exp.BitwiseAndAgg, exp.BitwiseOrAgg, exp.BitwiseXorAgg, exp.LogicalAnd, exp.LogicalOr),
    *(exp.Max, exp.Min, exp.ArgMax, exp.ArgMin),
)


def materialized_limits(model: Model, query: exp.Expr) -> Iterator[Problem]:
    """What a materialized view's query may not hold."""
    if not (isinstance(model.kind, ViewKind) and model.kind.materialized):
        return
    whole = model.physical_properties.get(_WHOLE)
    if whole is not None and whole != exp.false():
        return
    for what, part in dict(_found(query)).items():
        yield (
            f"BigQuery keeps no materialized view up to date that has {what}: make the kind FULL, "
            f"or set {_WHOLE} with a max_staleness.",
            part.sql("bigquery", comments=False),
        )


def _found(query: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    for part in query.walk():
        for what, kinds in _FORBIDDEN:
            # The order and the end of a list are the list's own.
            of_rows = kinds not in _OF_ROWS or isinstance(part.parent, exp.Query)
            if isinstance(part, kinds) and of_rows:
                yield what, part
        if isinstance(part, exp.Join) and part.side in ("RIGHT", "FULL"):
            yield f"a {part.side} JOIN", part
        windowed = isinstance(part.parent, (exp.Window, exp.IgnoreNulls))
        if isinstance(part, exp.AggFunc) and not isinstance(part, _AGGREGATES) and not windowed:
            yield part.sql("bigquery").partition("(")[0], part
